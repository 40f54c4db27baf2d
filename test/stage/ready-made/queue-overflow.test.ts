import {
  CallError,
  child,
  name,
  QueueProducer,
  type QueueProducerOptions,
  StageError,
  start,
  supervise,
  whereis,
} from 'sluice'
import { channels } from 'sluice/telemetry'
import { simulate } from 'sluice/testing'
import { describe, expect, it } from 'vitest'
import { collectGarbage } from '../../support/gc.ts'
import { Held, watch } from '../../support/queues.ts'
import { RawProcess } from '../../support/raw-process.ts'
import { settlement } from '../../support/settlement.ts'
import { range } from '../../support/stages.ts'

describe('a full queue that lets callers wait', () => {
  it('answers them in the order in which they came, each when its event is in', async () => {
    await simulate().run(async (sim) => {
      const queue = await start(QueueProducer<number>, { arg: { capacity: 2 } })
      await queue.call.enqueueAll([1, 2])
      const calls = range(3, 6).map((n) => watch(queue.call.enqueue(n)))
      await sim.settle()
      expect(calls.filter(({ done }) => done)).toEqual([])
      const raw = new RawProcess()
      const subscription = raw.subscribeTo(queue)
      for (const [index, call] of calls.entries()) {
        subscription.ask(1)
        await sim.settle()
        expect(call).toEqual({ done: true, value: true, error: undefined })
        expect(calls.slice(index + 1).some(({ done }) => done)).toBe(false)
      }
      subscription.ask(2)
      await sim.settle()
      expect(raw.of('events').flat()).toEqual(range(1, 6))
      expect(sim.clock.pending).toBe(0)
    })
  })

  it('puts the events of one call in together, and nobody overtakes', async () => {
    await simulate().run(async (sim) => {
      const queue = await start(QueueProducer<number>, { arg: { capacity: 3 } })
      await queue.call.enqueueAll([1, 2])
      const [together, single] = [watch(queue.call.enqueueAll([3, 4, 5])), watch(queue.call.enqueue(6))]
      await sim.settle()
      const raw = new RawProcess()
      const subscription = raw.subscribeTo(queue)
      subscription.ask(1)
      await sim.settle()
      expect([together.done, single.done]).toEqual([false, false])
      expect(await queue.call.size()).toBe(1)
      subscription.ask(1)
      await sim.settle()
      expect([together.done, single.done]).toEqual([true, false])
      expect(together.value).toBe(3)
      subscription.ask(10)
      await sim.settle()
      expect(raw.of('events').flat()).toEqual(range(1, 6))
    })
  })

  it('takes beyond its capacity what was asked for', async () => {
    await simulate().run(async (sim) => {
      const queue = await start(Held, { arg: { capacity: 2 } })
      const raw = new RawProcess()
      raw.subscribeTo(queue).ask(3)
      await sim.settle()
      const calls = range(1, 6).map((n) => watch(queue.call.enqueue(n)))
      await sim.settle()
      expect(calls.map(({ done }) => done)).toEqual([true, true, true, true, true, false])
      expect(raw.of('events').flat()).toEqual([1, 2, 3])
    })
    await simulate().run(async (sim) => {
      const queue = await start(Held, { arg: { capacity: 2 } })
      const raw = new RawProcess()
      raw.subscribeTo(queue).ask(3)
      await sim.settle()
      expect(await queue.call.enqueueAll(range(1, 5))).toBe(5)
      await sim.settle()
      expect(raw.of('events').flat()).toEqual([1, 2, 3])
    })
  })

  it('never puts in the event of a caller who gave up by its timeout', async () => {
    await simulate().run(async (sim) => {
      const queue = await start(QueueProducer<number>, { arg: { capacity: 1 } })
      await queue.call.enqueue(1)
      const [patient, impatient, last] = [
        watch(queue.with({ timeout: Infinity }).call.enqueue(2)),
        watch(queue.with({ timeout: 100 }).call.enqueue(3)),
        watch(queue.call.enqueue(4)),
      ]
      await sim.advance(100)
      expect(impatient.error).toMatchObject({ code: 'timeout' })
      expect(await queue.call.queueInfo()).toMatchObject({ waiting: 2 })
      const raw = new RawProcess()
      raw.subscribeTo(queue).ask(10)
      await sim.settle()
      expect([patient.value, last.value]).toEqual([true, true])
      expect(raw.of('events').flat()).toEqual([1, 2, 4])
    })
  })

  it('never puts in the event of a caller who gave up by its signal', async () => {
    await simulate().run(async (sim) => {
      const queue = await start(QueueProducer<number>, { arg: { capacity: 1 } })
      await queue.call.enqueue(1)
      const controller = new AbortController()
      const call = watch(queue.with({ signal: controller.signal }).call.enqueueAll([2]))
      await sim.settle()
      controller.abort()
      await sim.settle()
      expect(call.error).toMatchObject({ code: 'aborted' })
      const raw = new RawProcess()
      raw.subscribeTo(queue).ask(10)
      await queue.call.enqueue(3)
      await sim.settle()
      expect(raw.of('events').flat()).toEqual([1, 3])
    })
  })

  it.each(['enqueue', 'enqueueAll'] as const)(
    'never puts in an event whose caller gave up before its turn: %s',
    async (method) => {
      await simulate().run(async (sim) => {
        const queue = await start(Held)
        queue.cast.pause(1000)
        const calls = queue.with({ timeout: 100 }).call
        const call = watch<unknown>(method === 'enqueue' ? calls.enqueue(1) : calls.enqueueAll([1]))
        queue.cast.enqueue(2)
        await sim.advance(1000)
        expect(call.error).toMatchObject({ code: 'timeout' })
        const raw = new RawProcess()
        raw.subscribeTo(queue).ask(10)
        await sim.settle()
        expect(raw.of('events').flat()).toEqual([2])
      })
    },
  )

  it('lets those in who waited behind one that gave up', async () => {
    await simulate().run(async (sim) => {
      const queue = await start(QueueProducer<number>, { arg: { capacity: 3 } })
      await queue.call.enqueueAll([1, 2])
      const many = watch(queue.with({ timeout: 100 }).call.enqueueAll([3, 4]))
      const one = watch(queue.call.enqueue(5))
      await sim.advance(99)
      expect([many.done, one.done]).toEqual([false, false])
      await sim.advance(1)
      expect(many.error).toMatchObject({ code: 'timeout' })
      expect(one).toMatchObject({ done: true, value: true })
    })
  })

  it('keeps nothing of those who gave up', async () => {
    await simulate().run(async (sim) => {
      const queue = await start(QueueProducer<number>, { arg: { capacity: 1 } })
      await queue.call.enqueue(0)
      const calls = range(1, 500).map((n) => settlement(queue.with({ timeout: 10 }).call.enqueue(n)))
      await sim.advance(10)
      for (const { error } of await Promise.all(calls)) expect(error).toMatchObject({ code: 'timeout' })
      expect(await queue.call.queueInfo()).toMatchObject({ queued: 1, waiting: 0 })
      expect(sim.clock.pending).toBe(0)
      await queue.stop()
    })
    await using queue = await start(QueueProducer<object>, { arg: { capacity: 1 } })
    await queue.call.enqueue({})
    // What the call was made with goes with it.
    const signals = await (async () => {
      const refs: WeakRef<object>[] = []
      for (const _ of range(1, 100)) {
        const controller = new AbortController()
        const call = queue.with({ signal: controller.signal }).call.enqueue({})
        refs.push(new WeakRef(controller.signal))
        expect(await queue.call.queueInfo()).toMatchObject({ waiting: 1 })
        controller.abort()
        await settlement(call)
      }
      return refs
    })()
    await collectGarbage()
    expect(signals.filter((signal) => signal.deref() !== undefined).length).toBeLessThan(50)
  })

  it('refuses a call when too many events wait already', async () => {
    await simulate().run(async (sim) => {
      const queue = await start(QueueProducer<number>, { arg: { capacity: 5, maxWaiting: 3 } })
      await queue.call.enqueueAll(range(1, 5))
      // A line of one is always possible.
      const first = watch(queue.call.enqueueAll(range(6, 9)))
      const second = watch(queue.call.enqueue(10))
      await sim.settle()
      expect(first.done).toBe(false)
      expect(second.error).toMatchObject({ code: 'failed', cause: { code: 'queue_full' } })
      expect(String(second.error)).toMatch(/did not take an event: 4 events wait for room already, of at most 3$/)
      expect((second.error as CallError).cause).toBeInstanceOf(StageError)
    })
  })

  it('refuses more than ever fit', async () => {
    await simulate().run(async () => {
      const queue = await start(QueueProducer<number>, { arg: { capacity: 5 } })
      const { error } = await settlement(queue.call.enqueueAll(range(1, 6)))
      expect(error).toMatchObject({ code: 'failed', cause: { code: 'queue_full' } })
      expect(String(error)).toContain('6 events never fit into its capacity of 5; enqueue slices of them')
    })
  })

  it('fails those who wait when it crashes, and is empty when it is back', async () => {
    await simulate().run(async (sim) => {
      await supervise({
        strategy: 'one_for_one',
        children: [child(Held, { name: Held, arg: { capacity: 1 } })],
      })
      const queue = whereis(Held)
      await queue?.call.enqueue(1)
      const waiting = watch(name(Held).call.enqueue(2))
      await sim.settle()
      queue?.cast.crash()
      await sim.settle()
      expect(waiting.error).toMatchObject({ code: 'exit' })
      expect(whereis(Held)).not.toBe(queue)
      expect(await name(Held).call.size()).toBe(0)
    })
  })
})

describe('a full queue that does not', () => {
  const arg = (overflow: NonNullable<QueueProducerOptions<number>['overflow']>) => ({ arg: { capacity: 3, overflow } })

  it('reject: fails the call, and takes nothing of it', async () => {
    await simulate().run(async () => {
      const queue = await start(QueueProducer<number>, arg('reject'))
      await queue.call.enqueueAll([1, 2])
      const { error } = await settlement(queue.call.enqueueAll([3, 4]))
      expect(error).toBeInstanceOf(CallError)
      expect(error).toMatchObject({ code: 'failed', method: 'enqueueAll', cause: { code: 'queue_full' } })
      expect(String(error)).toContain('did not take 2 events: it holds 2 events of at most 3')
      expect(await queue.call.enqueue(5)).toBe(true)
      expect(await settlement(queue.call.enqueue(6))).toMatchObject({ error: { cause: { code: 'queue_full' } } })
      expect(await queue.call.queueInfo()).toMatchObject({ queued: 3, dropped: 0 })
    })
  })

  it('drop_newest: keeps what it has', async () => {
    await simulate().run(async (sim) => {
      const queue = await start(QueueProducer<number>, arg('drop_newest'))
      expect(await queue.call.enqueueAll(range(1, 5))).toBe(3)
      expect(await queue.call.enqueue(6)).toBe(false)
      expect(await queue.call.queueInfo()).toMatchObject({ queued: 3, dropped: 3 })
      const raw = new RawProcess()
      raw.subscribeTo(queue).ask(10)
      await sim.settle()
      expect(raw.of('events').flat()).toEqual([1, 2, 3])
      expect(await queue.call.enqueue(7)).toBe(true)
    })
  })

  it('drop_oldest: keeps what comes', async () => {
    await simulate().run(async (sim) => {
      const queue = await start(QueueProducer<number>, arg('drop_oldest'))
      expect(await queue.call.enqueueAll(range(1, 5))).toBe(3)
      expect(await queue.call.enqueue(6)).toBe(true)
      expect(await queue.call.queueInfo()).toMatchObject({ queued: 3, dropped: 3 })
      const raw = new RawProcess()
      const subscription = raw.subscribeTo(queue)
      subscription.ask(5)
      await sim.settle()
      expect(raw.of('events').flat()).toEqual([4, 5, 6])
      // Two are owed: they are not what is dropped.
      await queue.call.enqueueAll(range(7, 12))
      await sim.settle()
      expect(raw.of('events').flat()).toEqual([4, 5, 6, 7, 8])
      expect(await queue.call.queueInfo()).toMatchObject({ queued: 3, dropped: 4 })
    })
  })

  it('reject: a cast, which has nobody to tell, is counted as dropped', async () => {
    await simulate().run(async (sim) => {
      const queue = await start(QueueProducer<number>, arg('reject'))
      queue.cast.enqueueAll([1, 2, 3, 4])
      queue.cast.enqueue(5)
      await sim.settle()
      expect(await queue.call.queueInfo()).toMatchObject({ queued: 1, dropped: 4 })
      expect(sim.logs).toMatchObject([{ level: 'warn', fields: { discarded: 4 } }])
    })
  })

  it('tells of what it dropped: each turn by channel and callback, once a second in the log', async () => {
    class Telling extends QueueProducer<number> {
      override formatDiscarded(count: number): boolean {
        told.push(count)
        return count !== 5
      }
    }
    const told: number[] = []
    const published: number[] = []
    const listener = ({ events }: { readonly events: number }) => published.push(events)
    channels.stageDiscard.subscribe(listener)
    try {
      await simulate().run(async (sim) => {
        const queue = await start(Telling, arg('drop_newest'))
        const overflow = async (count: number) => {
          for (const n of range(1, count)) queue.cast.enqueue(n)
          await sim.settle()
        }
        await overflow(3 + 2)
        await overflow(3)
        // This one is told by the stage itself.
        await overflow(5)
        await sim.advance(999)
        await overflow(4)
        const discarded = () => sim.logs.map(({ fields }) => (fields as { discarded: number }).discarded)
        expect(discarded()).toEqual([2])
        await sim.advance(1)
        expect(discarded()).toEqual([2, 7])
        expect(sim.logs[0]).toMatchObject({
          level: 'warn',
          message: expect.stringMatching(
            /^Telling#\d+ discarded 2 events: the queue is full or finished; add consumers, raise its capacity of 3, or let callers wait$/,
          ),
        })
        await sim.advance(5000)
        expect(discarded()).toEqual([2, 7])
        expect(sim.clock.pending).toBe(0)
        expect(told).toEqual([2, 3, 5, 4])
        expect(published).toEqual(told)
      })
    } finally {
      channels.stageDiscard.unsubscribe(listener)
    }
  })
})
