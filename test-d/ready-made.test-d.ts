import {
  Batch,
  type BatchOptions,
  Consumer,
  child,
  DemandDispatcher,
  type Emits,
  type QueueInfo,
  QueueProducer,
  type QueueProducerOptions,
  RateLimiter,
  type Ref,
  start,
  startLink,
  stream,
} from 'sluice'
import { type Equal, expectType, expectValue } from './support.ts'

interface Job {
  readonly id: number
}
class Worker extends Consumer<Job> {
  override handleEvents(jobs: readonly Job[]) {
    expectValue<readonly Job[]>()(jobs)
  }
}

// The type of the events is that of the queue.
const queue = await startLink(QueueProducer<Job>, { arg: { capacity: 1000, overflow: 'wait', maxWaiting: 10 } })
expectValue<Ref<QueueProducer<Job>>>()(queue)
await start(QueueProducer<Job>)
child(QueueProducer<Job>, { name: QueueProducer, arg: { overflow: 'drop_oldest', demand: 'accumulate' } })
expectType<Equal<QueueProducer<Job>['$emits'], Job>>()
expectValue<Promise<boolean>>()(queue.call.enqueue({ id: 1 }))
expectValue<Promise<number>>()(queue.with({ timeout: Infinity }).call.enqueueAll([{ id: 1 }]))
expectValue<Promise<number>>()(queue.call.size())
expectValue<Promise<QueueInfo>>()(queue.call.queueInfo())
expectValue<Promise<void>>()(queue.call.finish())
expectValue<void>()(queue.cast.enqueue({ id: 1 }))
expectValue<AsyncIterable<Job>>()(stream(queue))
await start(Worker, { subscribeTo: [queue, { to: QueueProducer<Job> }] })
// @ts-expect-error the callbacks are no messages
queue.call.handleDemand(1)
// @ts-expect-error nor is what it can do
queue.call.emit([])
// @ts-expect-error a queue of words is none of jobs
await start(Worker, { subscribeTo: [await start(QueueProducer<string>)] })

// As a base class
class Jobs extends QueueProducer<Job> {
  constructor() {
    super({ capacity: 10, dispatcher: new DemandDispatcher() })
  }
  submit(id: number) {
    return this.enqueue({ id })
  }
}
const jobs = await start(Jobs, { name: Jobs })
expectValue<Promise<boolean>>()(jobs.call.submit(1))
expectValue<Promise<boolean>>()(jobs.call.enqueue({ id: 2 }))
child(Worker, { subscribeTo: [{ to: Jobs, maxDemand: 1 }] })
expectType<Ref<Jobs> extends Ref<Emits<Job>> ? true : false>()

declare const options: QueueProducerOptions<Job>
child(QueueProducer<Job>, { arg: options })

// A rate limiter changes nothing about events.
const limiter = await start(RateLimiter<Job>, { arg: { limit: 10, interval: 1000 }, subscribeTo: [queue, jobs] })
expectValue<Ref<RateLimiter<Job>>>()(limiter)
expectValue<Promise<void>>()(limiter.call.setLimit(5))
expectValue<void>()(limiter.cast.setLimit(5, 100))
await start(Worker, { subscribeTo: [limiter] })
child(RateLimiter<Job>, { arg: { limit: 1, interval: 1 }, name: RateLimiter, subscribeTo: [QueueProducer<Job>] })
// @ts-expect-error words are no jobs
child(RateLimiter<Job>, { arg: { limit: 1, interval: 1 }, subscribeTo: [QueueProducer<string>] })
// @ts-expect-error the callbacks are no messages
limiter.call.handlePass(1, 1)

// A batch is an array of events.
const batches = await start(Batch<Job>, {
  arg: { size: 10, weight: ({ id }) => id, maxWeight: 5 },
  subscribeTo: [jobs],
})
expectType<Equal<Batch<Job>['$emits'], readonly Job[]>>()
class Writer extends Consumer<readonly Job[]> {
  override handleEvents(batches: readonly (readonly Job[])[]) {
    expectValue<readonly Job[] | undefined>()(batches[0])
  }
}
await start(Writer, { subscribeTo: [batches, { to: Batch<Job>, maxDemand: 1 }] })
// @ts-expect-error a worker takes jobs, not batches of them
await start(Worker, { subscribeTo: [batches] })
child(Batch<Job>, { subscribeTo: [Jobs] })
declare const batchOptions: BatchOptions<Job>
await start(Batch<Job>, { arg: batchOptions })
for await (const each of stream(batches)) expectValue<readonly Job[]>()(each)
