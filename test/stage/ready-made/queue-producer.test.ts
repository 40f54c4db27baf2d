import {
  child,
  DemandDispatcher,
  estimateBufferedCount,
  QueueProducer,
  type QueueProducerOptions,
  setDemand,
  stageInfo,
  start,
  stream,
  supervise,
  whereis,
} from 'sluice'
import { simulate } from 'sluice/testing'
import { describe, expect, it } from 'vitest'
import { watch } from '../../support/queues.ts'
import { RawProcess } from '../../support/raw-process.ts'
import { settlement } from '../../support/settlement.ts'
import { Journal, range, Sink } from '../../support/stages.ts'

describe('a queue', () => {
  it('gives what it was given, in order, whichever came first: the event or the demand', async () => {
    await simulate().run(async (sim) => {
      const queue = await start(QueueProducer<number>)
      const raw = new RawProcess()
      expect(await queue.call.enqueue(1)).toBe(true)
      expect(await queue.call.enqueueAll([2, 3])).toBe(2)
      expect(await queue.call.size()).toBe(3)
      const subscription = raw.subscribeTo(queue)
      subscription.ask(2)
      await sim.settle()
      expect(raw.of('events').flat()).toEqual([1, 2])
      subscription.ask(3)
      await sim.settle()
      expect(raw.of('events').flat()).toEqual([1, 2, 3])
      expect(await queue.call.queueInfo()).toMatchObject({ queued: 0, demand: 2 })
      queue.cast.enqueue(4)
      queue.cast.enqueueAll([5, 6])
      await sim.settle()
      expect(raw.of('events').flat()).toEqual(range(1, 5))
      expect(await queue.call.size()).toBe(1)
    })
  })

  it('gives an event at once to a consumer that waits for one', async () => {
    await simulate().run(async (sim) => {
      const queue = await start(QueueProducer<number>)
      const journal = new Journal()
      await start(Sink, { arg: { note: journal.note }, subscribeTo: [{ to: queue, maxDemand: 1 }] })
      await sim.settle()
      for (const n of range(1, 5)) {
        await queue.call.enqueue(n)
        await sim.settle()
        expect(journal.events).toEqual(range(1, n))
      }
      expect(sim.now).toBe(0)
    })
  })

  it('serves what was asked for within the call, when it is all there', async () => {
    // In the runtime of the thread, where a turn is long.
    await using queue = await start(QueueProducer<number>)
    const raw = new RawProcess()
    raw.subscribeTo(queue).ask(3)
    await queue.call.enqueue(1)
    expect(raw.of('events')).toEqual([])
    await queue.call.enqueueAll([2, 3, 4])
    expect(raw.of('events')).toEqual([[1, 2, 3]])
    raw.kill()
  })

  it('gives what comes in one turn together, as arrays', async () => {
    await simulate().run(async (sim) => {
      const queue = await start(QueueProducer<number>)
      const raw = new RawProcess()
      const subscription = raw.subscribeTo(queue)
      subscription.ask(5000)
      await sim.settle()
      for (const n of range(1, 1000)) queue.cast.enqueue(n)
      await sim.settle()
      expect(raw.of('events')).toEqual([range(1, 1000)])

      const filled = await start(QueueProducer<number>)
      await filled.call.enqueueAll(range(1, 5000))
      const other = new RawProcess()
      other.subscribeTo(filled).ask(4000)
      await sim.settle()
      expect(other.of('events')).toEqual([range(1, 4000)])
    })
  })

  it('leaves the array of its caller alone', async () => {
    await simulate().run(async (sim) => {
      const queue = await start(QueueProducer<number>, { arg: { capacity: 2 } })
      const batch = [1, 2]
      await queue.call.enqueueAll(batch)
      batch.length = 0
      batch.push(3)
      const waiting = settlement(queue.call.enqueueAll(batch))
      await sim.settle()
      batch[0] = 4
      const raw = new RawProcess()
      raw.subscribeTo(queue).ask(5)
      expect(await waiting).toEqual({ value: 1 })
      await sim.settle()
      expect(raw.of('events').flat()).toEqual([1, 2, 3])
      expect(Object.isFrozen(batch)).toBe(false)
    })
  })

  it('takes no array for an empty one', async () => {
    await simulate().run(async () => {
      const queue = await start(QueueProducer<number>)
      expect(await queue.call.enqueueAll([])).toBe(0)
      const junk = settlement(queue.call.enqueueAll('abc' as unknown as number[]))
      const { error } = await junk
      expect(error).toMatchObject({ code: 'failed', cause: { code: 'bad_argument' } })
      expect(String(error)).toContain('expected an array of events, got abc')
      expect(await queue.call.size()).toBe(0)
    })
  })

  it('says what it holds, as all stages do', async () => {
    await simulate().run(async (sim) => {
      const queue = await start(QueueProducer<number>, { arg: { capacity: 5 } })
      await queue.call.enqueueAll([1, 2, 3])
      queue.cast.enqueueAll([4, 5, 6])
      expect(await queue.call.queueInfo()).toEqual({
        queued: 3,
        capacity: 5,
        waiting: 1,
        demand: 0,
        dropped: 0,
        finished: false,
      })
      expect(await estimateBufferedCount(queue)).toBe(3)
      expect(await stageInfo(queue)).toMatchObject({ kind: 'producer', buffered: 3, demand: 0 })
      new RawProcess().subscribeTo(queue).ask(10)
      await sim.settle()
      expect(await queue.call.queueInfo()).toMatchObject({ queued: 0, waiting: 0, demand: 4 })
    })
  })

  it('serves each event once, whoever comes and goes', async () => {
    await simulate().run(async (sim) => {
      const queue = await start(QueueProducer<number>, { arg: { capacity: 3 } })
      const leaving = new RawProcess().subscribeTo(queue)
      leaving.ask(4)
      await sim.settle()
      leaving.cancel()
      await sim.settle()
      // The demand of who has left is owed to who comes next.
      await queue.call.enqueueAll([1, 2, 3])
      await queue.call.enqueueAll([4, 5, 6])
      expect(await estimateBufferedCount(queue)).toBe(6)
      expect(await queue.call.size()).toBe(6)
      const raw = new RawProcess()
      const subscription = raw.subscribeTo(queue)
      for (const _ of range(1, 4)) {
        subscription.ask(2)
        await sim.settle()
      }
      expect(raw.of('events').flat()).toEqual(range(1, 6))
      await queue.call.enqueueAll([7, 8])
      await sim.settle()
      expect(raw.of('events').flat()).toEqual(range(1, 8))
    })
  })

  it('keeps its demand while it accumulates', async () => {
    await simulate().run(async (sim) => {
      const queue = await start(QueueProducer<number>, { arg: { demand: 'accumulate' } })
      const raw = new RawProcess()
      raw.subscribeTo(queue).ask(5)
      await queue.call.enqueueAll([1, 2])
      await sim.settle()
      expect(raw.of('events')).toEqual([])
      setDemand(queue, 'forward')
      await sim.settle()
      expect(raw.of('events')).toEqual([[1, 2]])
    })
  })

  it('works outside of the runtime, for a unit test', () => {
    const queue = new QueueProducer<number>({ capacity: 2, overflow: 'drop_newest' })
    expect([queue.enqueue(1), queue.enqueueAll([2, 3]), queue.enqueue(4)]).toEqual([true, 1, false])
    expect(queue.size()).toBe(2)
    queue.finish()
    expect(queue.queueInfo()).toMatchObject({ queued: 2, finished: true })
  })

  it('is a base class', async () => {
    interface Job {
      readonly id: number
      readonly title: string
    }
    class Jobs extends QueueProducer<Job> {
      #nextId = 1
      constructor() {
        super({ capacity: 2 })
      }
      submit(title: string) {
        const job = { id: this.#nextId++, title }
        return this.enqueue(job)
      }
      override handleInfo(message: unknown) {
        if (typeof message === 'string') this.enqueue({ id: 0, title: message })
      }
    }
    await simulate().run(async (sim) => {
      const jobs = await start(Jobs)
      await jobs.call.submit('a')
      jobs.send('b')
      await sim.settle()
      const waiting = watch(jobs.call.submit('c'))
      const enqueued = watch(jobs.call.enqueue({ id: 9, title: 'd' }))
      await sim.settle()
      expect([waiting.done, enqueued.done]).toEqual([false, false])
      const raw = new RawProcess()
      raw.subscribeTo(jobs).ask(10)
      await sim.settle()
      expect(raw.of('events').flat()).toEqual([
        { id: 1, title: 'a' },
        { id: 0, title: 'b' },
        { id: 2, title: 'c' },
        { id: 9, title: 'd' },
      ])
      expect(waiting).toMatchObject({ done: true, value: true })
    })
  })
})

describe('the end of a queue', () => {
  it('finish: consumers get what is left, of callers in line too, then all end in order', async () => {
    await simulate().run(async (sim) => {
      const journal = new Journal()
      const queue = await start(QueueProducer<number>, { arg: { capacity: 2 } })
      const work = (_events: readonly unknown[], sink: Sink) => sink.sleep(10)
      await queue.call.enqueueAll([1, 2])
      const waiting = watch(queue.call.enqueueAll([3, 4]))
      await queue.call.finish()
      await sim.settle()
      expect(waiting).toMatchObject({ done: true, value: 2 })
      expect(queue.alive).toBe(true)
      const refused = await settlement(queue.call.enqueue(5))
      expect(refused.error).toMatchObject({ code: 'failed', cause: { code: 'queue_finished' } })
      expect(String(refused.error)).toContain('it has finished and takes no more events')
      const options = { maxDemand: 1, minDemand: 0 }
      const sink = await start(Sink, { arg: { note: journal.note, work }, subscribeTo: [{ to: queue, ...options }] })
      await sim.advance(100)
      expect(journal.events).toEqual([1, 2, 3, 4])
      expect(await queue.done).toBe('normal')
      expect(await sink.done).toBe('normal')
    })
  })

  it('finish: an empty queue ends at once, and a second finish changes nothing', async () => {
    await simulate().run(async (sim) => {
      const queue = await start(QueueProducer<number>)
      const raw = new RawProcess()
      raw.subscribeTo(queue).ask(5)
      await sim.settle()
      queue.cast.finish()
      queue.cast.finish()
      expect(await queue.done).toBe('normal')
      await sim.settle()
      expect(sim.logs).toEqual([])
    })
  })

  it('finish: what was asked for by somebody who has gone is handed on before the end', async () => {
    await simulate().run(async (sim) => {
      const queue = await start(QueueProducer<number>)
      const leaving = new RawProcess().subscribeTo(queue)
      leaving.ask(5)
      await sim.settle()
      leaving.cancel()
      await queue.call.enqueueAll([1, 2])
      await queue.call.finish()
      await sim.settle()
      expect(queue.alive).toBe(true)
      const raw = new RawProcess()
      raw.subscribeTo(queue).ask(1)
      await sim.settle()
      expect(queue.alive).toBe(true)
      raw.subscribeTo(queue).ask(1)
      expect(await queue.done).toBe('normal')
      expect(raw.of('events').flat()).toEqual([1, 2])
    })
  })

  it('finish: a cast that comes later is counted as dropped', async () => {
    await simulate().run(async (sim) => {
      const queue = await start(QueueProducer<number>)
      await queue.call.enqueue(1)
      queue.cast.finish()
      queue.cast.enqueue(2)
      await sim.settle()
      expect(await queue.call.queueInfo()).toMatchObject({ queued: 1, dropped: 1, finished: true })
    })
  })

  it('finish: the iteration of a stream ends', async () => {
    await simulate().run(async () => {
      const queue = await start(QueueProducer<number>)
      await queue.call.enqueueAll(range(1, 10))
      await queue.call.finish()
      const read: number[] = []
      for await (const n of stream({ to: queue, maxDemand: 3 })) read.push(n)
      expect(read).toEqual(range(1, 10))
    })
  })

  it('finish: a transient queue is not started again', async () => {
    await simulate().run(async (sim) => {
      const tree = await supervise({
        strategy: 'rest_for_one',
        children: [
          child(QueueProducer<number>, { name: QueueProducer, restart: 'transient' }),
          child(Sink, { subscribeTo: [QueueProducer<unknown>], restart: 'transient' }),
        ],
      })
      whereis(QueueProducer)?.cast.finish()
      await sim.settle()
      expect(await tree.call.countChildren()).toMatchObject({ active: 0, specs: 2 })
    })
  })

  it('a drain hands on everything, of callers in line too, and takes no more', async () => {
    await simulate().run(async (sim) => {
      const queue = await start(QueueProducer<number>, { arg: { capacity: 3 } })
      await queue.call.enqueueAll([1, 2, 3])
      const waiting = watch(queue.call.enqueueAll([4, 5]))
      await sim.settle()
      const stopping = queue.stop({ drain: true, reason: 'shutdown' })
      await sim.settle()
      expect(waiting.value).toBe(2)
      expect(await settlement(queue.call.enqueue(6))).toMatchObject({ error: { cause: { code: 'queue_finished' } } })
      const raw = new RawProcess()
      const subscription = raw.subscribeTo(queue)
      for (const _ of range(1, 2)) {
        subscription.ask(2)
        await sim.settle()
        expect(queue.alive).toBe(true)
      }
      subscription.ask(1)
      await stopping
      expect(await queue.done).toBe('shutdown')
      expect(raw.of('events').flat()).toEqual([1, 2, 3, 4, 5])
    })
  })

  it('a stop fails those who wait', async () => {
    await simulate().run(async (sim) => {
      const queue = await start(QueueProducer<number>, { arg: { capacity: 1 } })
      await queue.call.enqueue(1)
      const waiting = watch(queue.call.enqueue(2))
      await sim.settle()
      await queue.stop()
      await sim.settle()
      expect(waiting.error).toMatchObject({ code: 'exit', reason: 'normal' })
      expect(sim.clock.pending).toBe(0)
    })
  })

  it('a dispatcher that throws crashes the queue, not the program', async () => {
    class Torn extends DemandDispatcher {
      override dispatch(): never {
        throw new Error('torn')
      }
    }
    class Broken extends QueueProducer<number> {
      constructor() {
        super({ dispatcher: new Torn() })
      }
    }
    await simulate().run(async (sim) => {
      const queue = await start(Broken)
      new RawProcess().subscribeTo(queue).ask(10)
      await queue.call.enqueue(1)
      await sim.settle()
      expect(queue.alive).toBe(false)
      expect(String(await queue.done)).toContain('torn')
    })
  })
})

describe('options of a queue that cannot be', () => {
  it.each([
    [{ capacity: 0 }, 'capacity of QueueProducer: expected an integer >= 1 or Infinity, got 0'],
    [{ capacity: Number.NaN }, 'capacity of QueueProducer: expected an integer >= 1 or Infinity, got NaN'],
    [{ capacity: 1.5 }, 'got 1.5'],
    [{ capacity: -1 }, 'got -1'],
    [{ capacity: '10' }, 'got 10'],
    [
      { overflow: 'explode' },
      'overflow of QueueProducer: expected one of wait, reject, drop_newest, drop_oldest, got explode',
    ],
    [{ maxWaiting: 0 }, 'maxWaiting of QueueProducer: expected an integer >= 1 or Infinity, got 0'],
    [{ maxWaiting: 5, overflow: 'reject' }, "expected none, because with overflow 'reject' nobody waits, got 5"],
    [{ bufferSize: 5 }, 'QueueProducer has no option bufferSize: known are capacity, overflow, maxWaiting'],
    [{ capasity: 5 }, 'QueueProducer has no option capasity'],
    [{ demand: 'hold' }, "expected 'forward' or 'accumulate', got hold"],
  ])('%o is refused', async (arg, text) => {
    await simulate().run(async (sim) => {
      const starting = start(QueueProducer<number>, { arg: arg as QueueProducerOptions<number> })
      await expect(starting).rejects.toMatchObject({
        code: 'start_failed',
        message: expect.stringContaining(text),
        cause: { code: 'bad_options' },
      })
      expect(sim.processes).toEqual([])
    })
  })
})
