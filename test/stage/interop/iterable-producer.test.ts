import { EventEmitter, on } from 'node:events'
import { Readable } from 'node:stream'
import { ReadableStream } from 'node:stream/web'
import {
  BroadcastDispatcher,
  child,
  fromIterable,
  IterableProducer,
  type Source,
  setDemand,
  start,
  startLink,
  supervise,
  syncSubscribe,
  whereis,
} from 'sluice'
import { simulate } from 'sluice/testing'
import { describe, expect, it } from 'vitest'
import { RawProcess } from '../../support/raw-process.ts'
import { Journal, range, Sink } from '../../support/stages.ts'
import { listeners, Tape } from '../../support/streams.ts'

const never = new Promise<never>(() => {})

describe('an iterable as a producer', () => {
  const sources: readonly (readonly [string, () => Source<unknown>])[] = [
    ['an array', () => [0, 1, 2]],
    ['a set', () => new Set([0, 1, 2])],
    ['a generator', () => new Tape().now(3)],
    ['an async generator', () => new Tape().later(3)],
    ['a Node stream', () => Readable.from([0, 1, 2])],
    ['a Web stream', () => ReadableStream.from([0, 1, 2])],
  ]

  it.each(sources)('S225 %s is read to its end, which ends a permanent consumer normally', async (_kind, open) => {
    await simulate().run(async () => {
      const journal = new Journal()
      const producer = await fromIterable(open())
      const sink = await start(Sink, { arg: { note: journal.note }, subscribeTo: [{ to: producer, maxDemand: 2 }] })
      expect(await sink.done).toBe('normal')
      expect(await producer.done).toBe('normal')
      expect(journal.events).toEqual([0, 1, 2])
      expect(journal.of('cancel')).toEqual([['down', 'normal']])
    })
  })

  it('S223 is linked to the program unless told, and bears a name', async () => {
    const failing = function* (): Generator<number> {
      yield 1
      throw new Error('torn')
    }
    await simulate().run(async (sim) => {
      const linked = await fromIterable(failing())
      new RawProcess().subscribeTo(linked).ask(5)
      expect(await linked.done).toMatchObject({ message: 'torn' })
      await sim.settle()
      expect(sim.takeUncaught()).toHaveLength(1)

      const alone = await fromIterable(failing(), { link: false, name: IterableProducer })
      expect(whereis(IterableProducer)).toBe(alone)
      new RawProcess().subscribeTo(alone).ask(5)
      await alone.done
      await sim.settle()
      expect(sim.takeUncaught()).toEqual([])
    })
  })

  it('S224 after exactly what was asked for the end is found at the next demand', async () => {
    await simulate().run(async (sim) => {
      for (const source of [new Tape().now(4), new Tape().later(4)]) {
        const raw = new RawProcess()
        const producer = await fromIterable(source)
        const subscription = raw.subscribeTo(producer)
        subscription.ask(4)
        await sim.settle()
        expect(raw.of('events').flat()).toEqual(range(0, 3))
        expect(producer.alive).toBe(true)
        subscription.ask(1)
        expect(await producer.done).toBe('normal')
      }
    })
  })

  it('S226 does not end before what it buffered has gone', async () => {
    await simulate().run(async (sim) => {
      let open = (): void => {}
      const gate = new Promise<void>((resolve) => {
        open = resolve
      })
      async function* gated() {
        await gate
        yield* range(1, 5)
      }
      const producer = await fromIterable(gated())
      const leaving = new RawProcess().subscribeTo(producer)
      leaving.ask(100)
      await sim.settle()
      leaving.cancel()
      await sim.settle()
      open()
      await sim.settle()
      const raw = new RawProcess()
      const subscription = raw.subscribeTo(producer)
      for (const _ of range(1, 2)) {
        subscription.ask(2)
        await sim.settle()
        expect(producer.alive).toBe(true)
      }
      subscription.ask(1)
      expect(await producer.done).toBe('normal')
      expect(raw.of('events').flat()).toEqual(range(1, 5))
    })
  })

  it.each([
    ['sync', (tape: Tape) => tape.now()],
    ['async', (tape: Tape) => tape.later()],
  ])('reads a %s source exactly as far as it was asked', async (_kind, open) => {
    await simulate().run(async (sim) => {
      const tape = new Tape()
      const producer = await fromIterable(open(tape))
      await sim.settle()
      expect(tape.pulled).toBe(0)
      const subscription = new RawProcess().subscribeTo(producer)
      for (const ask of [1, 3, 10]) {
        const before = tape.pulled
        subscription.ask(ask)
        await sim.settle()
        expect(tape.pulled - before).toBe(ask)
      }
    })
  })

  it('a slow consumer keeps a source waiting', async () => {
    await simulate().run(async (sim) => {
      const tape = new Tape()
      const journal = new Journal()
      const producer = await fromIterable(tape.later())
      const work = (_events: readonly unknown[], stage: Sink) => stage.sleep(10)
      await start(Sink, {
        arg: { note: journal.note, work },
        subscribeTo: [{ to: producer, maxDemand: 4, minDemand: 2 }],
      })
      for (const _ of range(1, 20)) {
        await sim.advance(10)
        expect(tape.pulled - journal.events.length).toBeLessThanOrEqual(4)
      }
      expect(journal.events).toEqual(range(0, journal.events.length - 1))
      expect(journal.events.length).toBeGreaterThan(20)
    })
  })

  it('a Node stream is read no further than its own buffers', async () => {
    await simulate().run(async (sim) => {
      let pushed = 0
      const source = new Readable({
        objectMode: true,
        highWaterMark: 4,
        read() {
          this.push(pushed++)
        },
      })
      const producer = await fromIterable(source)
      const raw = new RawProcess()
      raw.subscribeTo(producer).ask(10)
      await sim.settle()
      expect(raw.of('events').flat()).toEqual(range(0, 9))
      expect(pushed).toBeLessThanOrEqual(16)
      expect(source.destroyed).toBe(false)
      await producer.stop()
      await sim.settle()
      expect(source.destroyed).toBe(true)
    })
  })

  it.each([
    ['stopped', (ref: { stop(): Promise<void> }) => ref.stop()],
    ['killed', async (ref: { kill(): void }) => ref.kill()],
  ])('closes its source when it is %s', async (_how, end) => {
    await simulate().run(async (sim) => {
      const tapes = [new Tape(), new Tape()] as const
      for (const [tape, source] of [
        [tapes[0], tapes[0].now()],
        [tapes[1], tapes[1].later()],
      ] as const) {
        const producer = await fromIterable(source, { link: false })
        new RawProcess().subscribeTo(producer).ask(3)
        await sim.settle()
        await end(producer)
        await sim.settle()
        expect(tape.closed).toBe(1)
      }
    })
  })

  it('an array is read in pieces of its own, and what is added before its end is reached is read too', async () => {
    await simulate().run(async () => {
      const numbers = [0, 1, 2, 3]
      const seen: unknown[] = []
      const work = (events: readonly unknown[]) => {
        seen.push(...events)
        if (numbers.length === 4) numbers.push(4)
      }
      const producer = await fromIterable(numbers)
      const sink = await start(Sink, { arg: { work }, subscribeTo: [{ to: producer, maxDemand: 2 }] })
      expect(await sink.done).toBe('normal')
      expect(seen).toEqual([0, 1, 2, 3, 4])
      expect(numbers).toEqual([0, 1, 2, 3, 4])
    })
  })

  it('an array that is iterated in a way of its own is read in that way', async () => {
    const backwards = Object.assign([1, 2, 3], { [Symbol.iterator]: () => [3, 2, 1].values() })
    await simulate().run(async () => {
      const journal = new Journal()
      const producer = await fromIterable(backwards)
      const sink = await start(Sink, { arg: { note: journal.note }, subscribeTo: [{ to: producer }] })
      await sink.done
      expect(journal.events).toEqual([3, 2, 1])
    })
  })

  it('does not close a source that came to its end', async () => {
    await simulate().run(async () => {
      let returned = 0
      const source: Iterable<number> = {
        [Symbol.iterator]: () => ({
          next: () => ({ done: true, value: undefined }),
          return: () => {
            returned++
            return { done: true, value: undefined }
          },
        }),
      }
      const producer = await fromIterable(source)
      new RawProcess().subscribeTo(producer).ask(1)
      await producer.done
      expect(returned).toBe(0)
    })
  })

  it.each([
    [
      'throws',
      () => {
        throw new Error('cannot close')
      },
    ],
    ['rejects', () => Promise.reject(new Error('cannot close'))],
  ])('a source that %s when it is closed disturbs nobody', async (_how, close) => {
    await simulate().run(async (sim) => {
      const source: AsyncIterable<number> = {
        [Symbol.asyncIterator]: () => ({ next: () => never, return: close }),
      }
      const producer = await fromIterable(source, { name: IterableProducer })
      const sink = await start(Sink, { subscribeTo: [producer] })
      const linked = await startLink(Sink)
      await producer.stop()
      expect(await sink.done).toBe('normal')
      await linked.stop()
      await sim.settle()
      expect(whereis(IterableProducer)).toBeUndefined()
    })
  })

  it.each([
    [
      'sync',
      function* () {
        yield* [1, 2, 3]
        throw new Error('torn')
      },
    ],
    [
      'async',
      async function* () {
        yield* [1, 2, 3]
        throw new Error('torn')
      },
    ],
  ])('a %s source that throws half-way ends it with that error, after what was read', async (_kind, open) => {
    await simulate().run(async (sim) => {
      const journal = new Journal()
      const producer = await fromIterable<number>(open(), { link: false })
      const sink = await start(Sink, { arg: { note: journal.note }, subscribeTo: [producer] })
      expect(await producer.done).toMatchObject({ message: 'torn' })
      expect(await sink.done).toMatchObject({ message: 'torn' })
      await sim.settle()
      expect(journal.events).toEqual([1, 2, 3])
      expect(sim.logs.filter(({ level }) => level === 'error')).toHaveLength(1)
    })
  })

  it('a source that never gives does not block the producer', async () => {
    await simulate().run(async (sim) => {
      const closed: string[] = []
      const source: AsyncIterable<number> = {
        [Symbol.asyncIterator]: () => ({
          next: () => never,
          return: async () => {
            closed.push('closed')
            return { done: true, value: undefined }
          },
        }),
      }
      const journal = new Journal()
      const producer = await fromIterable(source)
      const sink = await start(Sink, { arg: { note: journal.note } })
      const subscription = await syncSubscribe(sink, { to: producer, cancel: 'temporary' })
      await sim.settle()
      subscription.cancel()
      await sim.settle()
      expect(journal.of('cancel')).toEqual([['cancel', 'normal']])
      await producer.stop({ drain: true })
      expect(sim.now).toBe(0)
      expect(closed).toEqual(['closed'])
    })
  })

  it('gives together what a source gives in one turn', async () => {
    // In the runtime of the thread: the turns of a simulation are too short.
    let finish = (): void => {}
    const finished = new Promise<void>((resolve) => {
      finish = resolve
    })
    const journal = new Journal()
    const work = (): void => {
      if (journal.events.length === 1000) finish()
    }
    await using producer = await fromIterable(new Tape().later())
    await using _sink = await start(Sink, {
      arg: { note: journal.note, work },
      subscribeTo: [{ to: producer, maxDemand: 1000, minDemand: 0 }],
    })
    await finished
    expect(journal.events).toEqual(range(0, 999))
    expect(journal.of('events').length).toBeLessThan(500)
  })

  it('opens the source anew at every start', async () => {
    await simulate().run(async (sim) => {
      const journal = new Journal()
      let opened = 0
      const source = function* () {
        opened++
        yield* [1, 2]
        if (opened === 1) throw new Error('torn')
      }
      await supervise({
        strategy: 'rest_for_one',
        children: [
          child(IterableProducer<number>, { arg: { source }, name: IterableProducer, restart: 'transient' }),
          child(Sink, {
            arg: { note: journal.note },
            restart: 'transient',
            subscribeTo: [{ to: IterableProducer<unknown>, maxDemand: 10 }],
          }),
        ],
      })
      await sim.settle()
      expect(opened).toBe(2)
      expect(journal.events).toEqual([1, 2, 1, 2])
    })
  })

  it('with onCancel stop it ends with its last consumer, not before the first', async () => {
    await simulate().run(async (sim) => {
      const tape = new Tape()
      const producer = await fromIterable(tape.later(), { onCancel: 'stop' })
      await sim.settle()
      const [first, second] = [new RawProcess().subscribeTo(producer), new RawProcess().subscribeTo(producer)]
      first.ask(1)
      first.cancel()
      await sim.settle()
      expect(producer.alive).toBe(true)
      second.cancel()
      expect(await producer.done).toBe('normal')
      await sim.settle()
      expect(tape.closed).toBe(1)
    })
  })

  it('takes the options of a producer', async () => {
    await simulate().run(async (sim) => {
      const tape = new Tape()
      const producer = await fromIterable(tape.now(), { demand: 'accumulate' })
      new RawProcess().subscribeTo(producer).ask(3)
      await sim.settle()
      expect(tape.pulled).toBe(0)
    })
  })

  it('with accumulate it waits until all its consumers are there, however short it is', async () => {
    await simulate().run(async (sim) => {
      const dispatcher = new BroadcastDispatcher()
      const producer = await fromIterable([1, 2, 3], { demand: 'accumulate', dispatcher })
      const [one, two] = [new Journal(), new Journal()]
      const sinks = []
      for (const { note } of [one, two]) {
        sinks.push(await start(Sink, { arg: { note }, subscribeTo: [producer] }))
        await sim.settle()
      }
      setDemand(producer, 'forward')
      for (const sink of sinks) expect(await sink.done).toBe('normal')
      expect([one.events, two.events]).toEqual([
        [1, 2, 3],
        [1, 2, 3],
      ])
      // Who comes after its end finds nobody.
      const late = await start(Sink, { subscribeTo: [producer] })
      expect(await late.done).toBe('noproc')
    })
  })

  it('reports a message that is not for it', async () => {
    await simulate().run(async (sim) => {
      const producer = await fromIterable([1])
      producer.send('hello')
      await sim.settle()
      expect(sim.logs).toMatchObject([{ level: 'warn', fields: { message: 'hello' } }])
    })
  })

  it.each([
    ['a number', 5],
    ['nothing', undefined],
    ['an object', {}],
  ])('refuses %s', async (_kind, source) => {
    await simulate().run(async (sim) => {
      const starting = fromIterable(source as unknown as Iterable<number>)
      await expect(starting).rejects.toMatchObject({ code: 'start_failed', cause: { code: 'bad_options' } })
      expect(sim.processes).toEqual([])
    })
  })

  it('refuses options that it does not know', async () => {
    await simulate().run(async () => {
      const onCancel = fromIterable([], { onCancel: 'die' as 'stop' })
      await expect(onCancel).rejects.toMatchObject({ cause: { code: 'bad_options' } })
      const misspelt = fromIterable([], { onCancle: 'stop' } as object)
      await expect(misspelt).rejects.toMatchObject({ cause: { code: 'bad_options' } })
    })
  })
})

describe('opening a source', () => {
  it('may take time, which the start waits for', async () => {
    await simulate().run(async (sim) => {
      const journal = new Journal()
      let open = (): void => {}
      const source = (): Promise<number[]> =>
        new Promise((resolve) => {
          open = () => resolve([1, 2, 3])
        })
      const starting = fromIterable(source)
      expect(await sim.settle()).toHaveLength(1)
      open()
      const sink = await start(Sink, { arg: { note: journal.note }, subscribeTo: [await starting] })
      await sink.done
      expect(journal.events).toEqual([1, 2, 3])
    })
  })

  it('may fail, which fails the start', async () => {
    await simulate().run(async (sim) => {
      for (const source of [
        () => Promise.reject(new Error('no such file')),
        () => {
          throw new Error('no such file')
        },
      ]) {
        await expect(fromIterable(source)).rejects.toMatchObject({ cause: { message: 'no such file' } })
      }
      expect(sim.processes).toEqual([])
    })
  })

  it('too late, the source is closed', async () => {
    await simulate().run(async (sim) => {
      const readable = Readable.from([1])
      let open = (): void => {}
      const source = (): Promise<Readable> =>
        new Promise((resolve) => {
          open = () => resolve(readable)
        })
      const refused = expect(fromIterable(source, { timeout: 10 })).rejects.toMatchObject({ code: 'timeout' })
      await sim.advance(10, { foreign: true })
      await refused
      open()
      await sim.settle()
      expect(readable.destroyed).toBe(true)
    })
  })

  it('gets the signal of the process, which cancels what is waited for', async () => {
    await simulate().run(async (sim) => {
      const emitter = new EventEmitter()
      const source = (signal: AbortSignal): AsyncIterable<unknown[]> => on(emitter, 'tick', { signal })
      const producer = await fromIterable(source)
      const raw = new RawProcess()
      raw.subscribeTo(producer).ask(5)
      await sim.settle()
      emitter.emit('tick', 1)
      await sim.settle()
      expect(raw.of('events')).toEqual([[[1]]])
      await producer.stop()
      await sim.settle()
      expect(listeners(emitter)).toEqual({})
    })
  })

  it('a source that fails to open while the start is refused disturbs nobody', async () => {
    await simulate().run(async () => {
      let fail = (): void => {}
      const source = (): Promise<number[]> =>
        new Promise((_resolve, reject) => {
          fail = () => reject(new Error('too late'))
        })
      const refused = fromIterable(source, { bufferSize: 0 })
      await expect(refused).rejects.toMatchObject({ cause: { code: 'bad_options' } })
      fail()
    })
  })
})
