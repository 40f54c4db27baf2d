import {
  BroadcastDispatcher,
  Consumer,
  DemandDispatcher,
  type Dispatcher,
  PartitionDispatcher,
  Producer,
  type Ref,
  setDemand,
  start,
} from 'sluice'
import { hashLoop, roundRobin, subject } from '../peers/fan-out.ts'
import { type Row, rate } from '../row.ts'

const AMOUNT = 10_000_000
const CONSUMERS = 4
/** The sum of what a consumer of all events adds up. */
const SUM = (AMOUNT * (AMOUNT - 1)) / 2

const fanOut = (kind: string, work: string, ours: Row['ours']['measure'], peer: Row['peers'][number]): Row => ({
  id: `fan-out-${kind}`,
  work: `producer -> 4 consumers ${work}, demand 1000/500, 10 M ints`,
  unit: 'events a second',
  ours: { name: 'sluice', measure: ours },
  peers: [peer],
})

export const fanOutDemand: Row = fanOut(
  'demand',
  'by demand',
  () => fanOutRate(() => new DemandDispatcher(), false, false),
  {
    name: 'round robin over arrays of 500',
    goal: 0.4,
    measure: () => rate(AMOUNT, () => roundRobin(AMOUNT, 500)),
  },
)

export const fanOutBroadcast: Row = fanOut(
  'broadcast',
  'that each add all of them up',
  () => fanOutRate(() => new BroadcastDispatcher(), true, false),
  {
    name: 'RxJS Subject with 4 subscribers',
    goal: 1.2,
    measure: () => rate(AMOUNT, () => (subject(AMOUNT).every((sum) => sum === SUM) ? AMOUNT : 0)),
  },
)

export const fanOutPartition: Row = fanOut(
  'partition',
  'by hash',
  () =>
    fanOutRate(
      () => new PartitionDispatcher({ partitions: CONSUMERS, hash: (n: number) => n % CONSUMERS }),
      false,
      true,
    ),
  {
    name: 'a hash loop over arrays of 500',
    goal: 0.3,
    measure: () => rate(AMOUNT, () => hashLoop(AMOUNT, 500)),
  },
)

/** Of one run at a time: an argument would be copied at the start and no longer be ours. */
let dispatcher: Dispatcher<number>
let expected = 0
let finished: () => void = () => {}
const sums: number[] = []

class Numbers extends Producer<number> {
  #next = 0

  constructor() {
    super({ dispatcher, demand: 'accumulate' })
  }

  override handleDemand(demand: number): readonly number[] {
    const count = Math.min(demand, AMOUNT - this.#next)
    const events = new Array<number>(count)
    let next = this.#next
    for (let index = 0; index < count; index++) events[index] = next++
    this.#next = next
    return events
  }
}

class CountingSink extends Consumer<number> {
  override handleEvents(events: readonly number[]): void {
    expected -= events.length
    if (expected === 0) finished()
  }
}

class AddingSink extends Consumer<number> {
  readonly #place: number

  constructor(place: number) {
    super()
    this.#place = place
    sums[place] = 0
  }

  override handleEvents(events: readonly number[]): void {
    let sum = 0
    for (let index = 0; index < events.length; index++) sum += events[index]!
    sums[this.#place]! += sum
    expected -= events.length
    if (expected === 0) finished()
  }
}

/** Events per second from when the producer is set going to the last event of the last consumer. */
async function fanOutRate(make: () => Dispatcher<number>, adding: boolean, partitions: boolean): Promise<number> {
  dispatcher = make()
  expected = adding ? AMOUNT * CONSUMERS : AMOUNT
  const numbers = await start(Numbers)
  const consumers: Ref[] = []
  for (let place = 0; place < CONSUMERS; place++) {
    const subscribeTo = [{ to: numbers, maxDemand: 1000, minDemand: 500, partition: partitions ? place : undefined }]
    consumers.push(
      await (adding ? start(AddingSink, { arg: place, subscribeTo }) : start(CountingSink, { subscribeTo })),
    )
  }
  const result = await rate(AMOUNT, async () => {
    await new Promise<void>((resolve) => {
      finished = resolve
      setDemand(numbers, 'forward')
    })
    return !adding || sums.every((sum) => sum === SUM) ? AMOUNT : 0
  })
  for (const consumer of consumers) await consumer.stop()
  await numbers.stop()
  return result
}
