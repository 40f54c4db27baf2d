/** A subscription from this thread to a producer in a worker, in batches of 500; beside it the same within this thread. */
import { Consumer, start } from 'sluice'
import { inWorker, Workers } from 'sluice/worker'
import { Texts } from '../peers/texts.ts'
import { type Row, rate } from '../row.ts'

const EVENTS = 1_000_000
const workers = new Workers({ size: 1 })
const Distant = inWorker<typeof Texts>(new URL('../peers/texts.js', import.meta.url), 'Texts', { on: workers })

/** The consumer's, one at a time. The source never ends; what comes behind the last event is not counted. */
let left = 0
let finished = (): void => {}

class Counter extends Consumer<string> {
  constructor() {
    super({})
  }

  override handleEvents(events: readonly string[]): void {
    const before = left
    left -= events.length
    if (before > 0 && left <= 0) finished()
  }
}

const measure = (type: typeof Texts) => async (): Promise<number> => {
  const texts = await start(type)
  left = EVENTS
  const done = new Promise<void>((resolve) => {
    finished = resolve
  })
  const result = await rate(EVENTS, async () => {
    const counter = await start(Counter, { subscribeTo: [{ to: texts, maxDemand: 1000, minDemand: 500 }] })
    await done
    await counter.stop()
    return EVENTS
  })
  await texts.stop()
  return result
}

export const acrossThreads: Row = {
  id: 'across-threads',
  work: '1 M texts of 20 characters from a producer in a worker to a consumer in this thread, 1000/500',
  unit: 'events a second',
  ours: { name: 'sluice, from a worker', measure: measure(Distant) },
  peers: [{ name: 'sluice, within one thread', goal: null, measure: measure(Texts) }],
}
