import { ConsumerSupervisor, type EventFunction, Producer, start } from 'sluice'
import { pQueue } from '../peers/p-queue.ts'
import { type Contender, type Peer, type Row, rate } from '../row.ts'

const TASKS = 500_000
const CONCURRENCY = 100

/** Trivial async work, which shows what a task itself costs. */
const work = async (element: number): Promise<number> => element + 1

/** Counts up to an amount, and ends. */
class Countdown extends Producer<number> {
  #left = TASKS

  override handleDemand(demand: number): readonly number[] {
    const amount = Math.min(demand, this.#left)
    const events = new Array<number>(amount)
    for (let index = 0; index < amount; index++) events[index] = this.#left--
    if (this.#left === 0) this.stop()
    return events
  }
}

/** A task per event, so many at a time: the supervisor ends when the source has, and the last task. */
const ours = (name: string, task: (done: () => void) => EventFunction<number>): Contender => ({
  name,
  measure: () =>
    rate(TASKS, async () => {
      let done = 0
      const run = task(() => done++)
      const countdown = await start(Countdown)
      const subscribeTo = [{ to: countdown, maxDemand: CONCURRENCY }]
      const supervisor = await start(ConsumerSupervisor<number>, { arg: { run }, subscribeTo })
      await supervisor.done
      return done
    }),
})

const peers: readonly Peer[] = [
  { name: 'p-queue', goal: 4, measure: () => rate(TASKS, () => pQueue(TASKS, CONCURRENCY, work)) },
]

export const consumerSupervisor: Row = {
  id: 'consumer-supervisor',
  work: `ConsumerSupervisor, a task per event, ${CONCURRENCY} at a time, 500 k`,
  unit: 'tasks a second',
  ours: ours('sluice', (done) => (element) => work(element).then(done)),
  peers,
}

/** With a context a task is a process of its own from the beginning. */
export const consumerSupervisorProcess: Row = {
  ...consumerSupervisor,
  id: 'consumer-supervisor-process',
  work: `the same, each task a process with a context`,
  ours: ours('sluice', (done) => (element, _context) => work(element).then(done)),
  peers: peers.map((peer) => ({ ...peer, goal: null })),
}
