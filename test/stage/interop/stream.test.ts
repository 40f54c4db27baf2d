import { getEventListeners } from 'node:events'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { ReadableStream, TransformStream, WritableStream } from 'node:stream/web'
import {
  type Dispatcher,
  fromIterable,
  name,
  Producer,
  type Ref,
  StageError,
  type Streamed,
  start,
  startLink,
  stream,
} from 'sluice'
import { simulate } from 'sluice/testing'
import { describe, expect, it } from 'vitest'
import { processOf } from '../../../src/process/ref.ts'
import { ProducerBehaviour } from '../../../src/stage/producer-behaviour.ts'
import { Counter, Journal, Middle, range, Source } from '../../support/stages.ts'
import { Gate, Tape } from '../../support/streams.ts'

/** The first events of an iteration. */
async function take<T>(count: number, events: AsyncIterable<T>): Promise<T[]> {
  const taken: T[] = []
  if (count === 0) return taken
  for await (const event of events) if (taken.push(event) === count) break
  return taken
}

/** All events, and how the iteration ended. */
async function read<T>(events: AsyncIterable<T>): Promise<{ readonly events: T[]; readonly error: unknown }> {
  const taken: T[] = []
  try {
    for await (const event of events) taken.push(event)
    return { events: taken, error: undefined }
  } catch (error) {
    return { events: taken, error }
  }
}

function consumersOf(producer: Ref): number {
  const { behaviour } = processOf(producer)
  return behaviour instanceof ProducerBehaviour ? behaviour.outlet.consumers.length : 0
}

describe('a stream', () => {
  it('S216 gives events one by one, and leaves nothing behind when it is left', async () => {
    await simulate().run(async (sim) => {
      const journal = new Journal()
      const counter = await start(Counter, { arg: { until: Infinity, note: journal.note } })
      const probe = sim.probe()
      probe.ref.send('mine')
      await sim.settle()
      const before = sim.processes
      expect(await take(10, stream(counter))).toEqual(range(0, 9))
      await sim.settle()
      expect(sim.processes).toEqual(before)
      expect(consumersOf(counter)).toBe(0)
      expect(journal.of('cancel')).toEqual([['cancel', 'normal']])
      expect(await probe.received()).toEqual(['mine'])
      expect(sim.clock.pending).toBe(0)
      expect(sim.logs).toEqual([])
    })
  })

  it('S217 goes on as long as it is read', async () => {
    await simulate().run(async () => {
      const counter = await start(Counter, { arg: { until: Infinity } })
      expect(await take(300, stream({ to: counter, maxDemand: 100 }))).toEqual(range(0, 299))
    })
  })

  it('asks for more only when the reader comes back for it', async () => {
    await simulate().run(async (sim) => {
      const journal = new Journal()
      const counter = await start(Counter, { arg: { until: Infinity, note: journal.note } })
      const events = stream({ to: counter, maxDemand: 4, minDemand: 2 })[Symbol.asyncIterator]()
      await sim.settle()
      expect(consumersOf(counter)).toBe(0)
      const demands: unknown[] = []
      for (const _ of range(1, 6)) {
        await events.next()
        await sim.settle()
        demands.push([...journal.of('demand')])
      }
      expect(demands).toEqual([[4], [4], [4, 2], [4, 2], [4, 2, 2], [4, 2, 2]])
      await events.return?.()
    })
  })

  it('S218 ends when a finite source has ended', async () => {
    await simulate().run(async () => {
      const producer = await fromIterable(range(1, 2500))
      expect(await read(stream({ to: producer, cancel: 'transient' }))).toEqual({
        events: range(1, 2500),
        error: undefined,
      })
      expect(await producer.done).toBe('normal')
    })
  })

  it.each([
    ['continue', true],
    ['stop', false],
  ] as const)('S219 when it is left a producer with onCancel %s stays: %s', async (onCancel, alive) => {
    await simulate().run(async (sim) => {
      let closed = false
      async function* numbers() {
        try {
          for (let next = 0; ; next++) yield next
        } finally {
          closed = true
        }
      }
      const producer = await fromIterable(numbers(), { onCancel })
      expect(await take(5, stream({ to: producer, maxDemand: 10 }))).toEqual(range(0, 4))
      await sim.settle()
      expect(producer.alive).toBe(alive)
      expect(closed).toBe(!alive)
    })
  })

  it('S219 a loop that throws leaves it too', async () => {
    await simulate().run(async (sim) => {
      const counter = await start(Counter, { arg: { until: Infinity } })
      const loop = async () => {
        for await (const event of stream(counter)) if (event === 3) throw new Error('enough')
      }
      await expect(loop()).rejects.toThrow('enough')
      await sim.settle()
      expect(consumersOf(counter)).toBe(0)
      expect(sim.processes).toEqual([counter])
    })
  })

  it('S220 of a name that nobody bears it fails, or is empty when temporary', async () => {
    await simulate().run(async (sim) => {
      for (const cancel of ['permanent', 'transient', undefined] as const) {
        const { error } = await read(stream({ to: name(Source, 'nowhere'), cancel }))
        expect(error).toBeInstanceOf(StageError)
        expect(error).toMatchObject({ code: 'noproc' })
      }
      const empty = stream({ to: name(Source, 'nowhere'), cancel: 'temporary' })
      expect(await read(empty)).toEqual({ events: [], error: undefined })
      await sim.settle()
      expect(sim.processes).toEqual([])
    })
  })

  it('S220 of a dead producer it fails, or is empty when temporary', async () => {
    await simulate().run(async (sim) => {
      const source = await start(Source)
      await source.stop()
      for (const cancel of ['permanent', 'transient'] as const) {
        const { error } = await read(stream({ to: source, cancel }))
        expect(error).toMatchObject({ code: 'upstream_ended', reason: 'noproc' })
      }
      expect(await read(stream({ to: source, cancel: 'temporary' }))).toEqual({ events: [], error: undefined })
      await sim.settle()
      expect(sim.processes).toEqual([])
    })
  })

  it('S221 a producer that refuses it makes it fail, or be empty when temporary', async () => {
    await simulate().run(async () => {
      const refusing: Dispatcher<number> = {
        attach: () => {},
        subscribe: () => ({ refused: 'no_thanks' }),
        cancel: () => 0,
        ask: (demand) => demand,
        ready: 0,
        dispatch: (events) => events,
        info: (info) => info(),
      }
      class Unwilling extends Producer<number> {
        constructor() {
          super({ dispatcher: refusing })
        }
        override handleDemand(): void {}
      }
      const unwilling = await start(Unwilling)
      const { error } = await read(stream({ to: unwilling, cancel: 'permanent' }))
      expect(error).toMatchObject({ code: 'upstream_ended', reason: 'no_thanks' })
      expect(await read(stream({ to: unwilling, cancel: 'temporary' }))).toEqual({ events: [], error: undefined })
      expect(unwilling.alive).toBe(true)
    })
  })

  it('S222 is refused at once when it cannot work', async () => {
    await simulate().run(async () => {
      const counter = await start(Counter, { arg: { until: 1 } })
      const bad = (given: unknown) => () => stream(given as Streamed<number>)
      expect(bad({ to: counter, maxDemand: 0 })).toThrow(StageError)
      expect(bad({ to: counter, maxDemnad: 5 })).toThrow('no option maxDemnad')
      expect(bad([counter, { to: counter, minDemand: 2000 }])).toThrow(StageError)
      expect(bad([])).toThrow('at least one stage')
      expect(bad(undefined)).toThrow(StageError)
      expect(bad(5)).toThrow(StageError)
      expect(bad('counter')).toThrow(StageError)
    })
  })

  it('gives what came before a crash, then throws', async () => {
    await simulate().run(async () => {
      const producer = await fromIterable(
        (function* () {
          yield* range(1, 5)
          throw new Error('torn')
        })(),
        { link: false },
      )
      const { events, error } = await read(stream(producer))
      expect(events).toEqual(range(1, 5))
      expect(error).toMatchObject({ code: 'upstream_ended', cause: { message: 'torn' } })
    })
  })

  it('when permanent it throws at every end, when temporary at none', async () => {
    await simulate().run(async () => {
      const ended = await fromIterable([1, 2])
      const { events, error } = await read(stream({ to: ended, cancel: 'permanent' }))
      expect(events).toEqual([1, 2])
      expect(error).toMatchObject({ code: 'upstream_ended', reason: 'normal' })
      const torn = await start(Source)
      const reading = read(stream({ to: torn, cancel: 'temporary' }))
      torn.kill()
      expect(await reading).toEqual({ events: [], error: undefined })
    })
  })

  it('reads several stages, and ends with the last', async () => {
    await simulate().run(async () => {
      const producers = [await fromIterable(range(1, 50)), await fromIterable(range(51, 80))]
      const { events, error } = await read(stream(producers.map((to) => ({ to, maxDemand: 10 }))))
      expect(error).toBeUndefined()
      expect(events.toSorted((a, b) => a - b)).toEqual(range(1, 80))
      expect(events.filter((event) => event <= 50)).toEqual(range(1, 50))
    })
  })

  it('goes on waiting when one of several stages has ended and the others have not', async () => {
    await simulate().run(async (sim) => {
      const [first, second] = [await start(Source), await start(Source)]
      const reading = read(stream([first, second]))
      await sim.settle()
      await first.stop()
      await sim.settle()
      second.cast.give(1, 2)
      await sim.settle()
      await second.stop()
      expect(await reading).toEqual({ events: [1, 2], error: undefined })
    })
  })

  it('reads what stages in the middle emit', async () => {
    await simulate().run(async () => {
      const producer = await fromIterable(range(1, 100))
      const map = (events: readonly unknown[]) => events.filter((event) => Number(event) % 2 === 0)
      const middle = await startLink(Middle, { arg: { map }, subscribeTo: [{ to: producer, maxDemand: 7 }] })
      const { events, error } = await read(stream({ to: middle, maxDemand: 5 }))
      expect(error).toBeUndefined()
      expect(events).toEqual(range(1, 50).map((event) => event * 2))
    })
  })

  it('sets producers that accumulate to forward', async () => {
    await simulate().run(async () => {
      const producer = await fromIterable(range(1, 10), { demand: 'accumulate' })
      expect(await read(stream(producer))).toEqual({ events: range(1, 10), error: undefined })
    })
  })

  it('can be iterated again', async () => {
    await simulate().run(async () => {
      const counter = await start(Counter, { arg: { until: Infinity } })
      const events = stream({ to: counter, maxDemand: 1, minDemand: 0 })
      expect(await take(2, events)).toEqual([0, 1])
      expect((await take(2, events)).length).toBe(2)
    })
  })

  it('nothing is lost between the source and a slow loop', async () => {
    await simulate().run(async (sim) => {
      let pulled = 0
      async function* numbers() {
        while (pulled < 50) yield pulled++
      }
      const producer = await fromIterable(numbers())
      const seen: number[] = []
      const probe = sim.probe()
      const { sleep } = await probe.context().then((context) => ({ sleep: (ms: number) => context.sleep(ms) }))
      const loop = (async () => {
        for await (const event of stream({ to: producer, maxDemand: 6 })) {
          seen.push(event)
          await sleep(5)
          expect(pulled - seen.length).toBeLessThanOrEqual(6)
        }
      })()
      await sim.advance(1000)
      await loop
      expect(seen).toEqual(range(0, 49))
    })
  })
})

describe('a stream that is left while it waits', () => {
  it('ends at once, and upstream is told', async () => {
    await simulate().run(async (sim) => {
      const silent = await start(Source)
      const events = stream(silent)[Symbol.asyncIterator]()
      const waiting = events.next()
      await sim.settle()
      expect(consumersOf(silent)).toBe(1)
      expect(await events.return?.()).toEqual({ done: true, value: undefined })
      expect(await waiting).toEqual({ done: true, value: undefined })
      expect(await events.next()).toEqual({ done: true, value: undefined })
      await sim.settle()
      expect(consumersOf(silent)).toBe(0)
      expect(sim.processes).toEqual([silent])
    })
  })

  it('leaves nothing behind when it was left before it had begun, or while it begins', async () => {
    await simulate().run(async (sim) => {
      const silent = await start(Source)
      const never = stream(silent)[Symbol.asyncIterator]()
      await never.return?.()
      expect(await never.next()).toEqual({ done: true, value: undefined })
      const beginning = stream(silent)[Symbol.asyncIterator]()
      const first = beginning.next()
      await beginning.return?.()
      expect(await first).toEqual({ done: true, value: undefined })
      await sim.settle()
      expect(sim.processes).toEqual([silent])
      expect(consumersOf(silent)).toBe(0)
    })
  })

  it('gives events in order to readers that do not wait for each other', async () => {
    await simulate().run(async () => {
      const counter = await start(Counter, { arg: { until: Infinity } })
      const events = stream({ to: counter, maxDemand: 3 })[Symbol.asyncIterator]()
      const results = await Promise.all(range(1, 20).map(() => events.next()))
      expect(results.map(({ value }) => value)).toEqual(range(0, 19))
      await events.return?.()
      expect(await Promise.all([events.next(), events.next()])).toEqual([
        { done: true, value: undefined },
        { done: true, value: undefined },
      ])
    })
  })

  it('throws the reason of its signal once, also when it fired before', async () => {
    await simulate().run(async (sim) => {
      const silent = await start(Source)
      const controller = new AbortController()
      const reading = read(stream(silent, { signal: controller.signal }))
      await sim.settle()
      await silent.call.give('a')
      await sim.settle()
      controller.abort(new Error('enough'))
      expect(await reading).toMatchObject({ events: ['a'], error: { message: 'enough' } })
      await sim.settle()
      expect(consumersOf(silent)).toBe(0)

      const late = stream(silent, { signal: controller.signal })[Symbol.asyncIterator]()
      await expect(late.next()).rejects.toThrow('enough')
      expect(await late.next()).toEqual({ done: true, value: undefined })
      await sim.settle()
      expect(sim.processes).toEqual([silent])
    })
  })

  it('does not listen to its signal any more when it has ended', async () => {
    await simulate().run(async () => {
      const { signal } = new AbortController()
      await read(stream(await fromIterable([1, 2]), { signal }))
      await take(1, stream(await fromIterable([1, 2]), { signal }))
      expect(getEventListeners(signal, 'abort')).toEqual([])
    })
  })
})

describe('a stage as a stream of Node or of the Web', () => {
  it('is read by a Node Readable no further than the demand', async () => {
    await simulate().run(async (sim) => {
      const tape = new Tape()
      const source = await fromIterable(tape.now())
      const readable = Readable.from(stream({ to: source, maxDemand: 4 }))
      await sim.settle()
      expect(tape.pulled).toBe(0)
      const iterator = readable[Symbol.asyncIterator]()
      for (const read of range(1, 20)) {
        expect(await iterator.next()).toEqual({ done: false, value: read - 1 })
        await sim.settle()
        expect(tape.pulled - read).toBeLessThanOrEqual(4 + readable.readableHighWaterMark)
      }
      await iterator.return?.()
      await sim.settle()
      expect(readable.destroyed).toBe(true)
      expect(consumersOf(source)).toBe(0)
    })
  })

  it('a Node Readable that is destroyed leaves the stage, also while that is silent', async () => {
    await simulate().run(async (sim) => {
      const silent = await start(Source)
      for (const error of [undefined, new Error('client gone')]) {
        const readable = Readable.from(stream(silent))
        readable.on('error', () => {})
        readable.resume()
        await sim.settle()
        expect(consumersOf(silent)).toBe(1)
        readable.destroy(error)
        await new Promise((resolve) => readable.once('close', resolve))
        await sim.settle()
        expect(consumersOf(silent)).toBe(0)
      }
      expect(sim.processes).toEqual([silent])
    })
  })

  it('a Node Readable ends with the stage, and fails with it', async () => {
    await simulate().run(async (sim) => {
      const ending = await fromIterable(range(1, 10))
      expect(await Readable.from(stream(ending)).toArray()).toEqual(range(1, 10))
      const failing = await start(Source)
      const reading = Readable.from(stream(failing)).toArray()
      const failed = expect(reading).rejects.toMatchObject({ code: 'upstream_ended', reason: 'killed' })
      await failing.call.give(1)
      await sim.settle()
      failing.kill()
      await failed
    })
  })

  it('is read by a Web ReadableStream, which leaves it when it is cancelled', async () => {
    await simulate().run(async (sim) => {
      const tape = new Tape()
      const source = await fromIterable(tape.later())
      const readable = ReadableStream.from(stream({ to: source, maxDemand: 4 }))
      await sim.settle()
      expect(tape.pulled).toBe(0)
      const reader = readable.getReader()
      for (const read of range(1, 20)) {
        expect(await reader.read()).toEqual({ done: false, value: read - 1 })
        await sim.settle()
        expect(tape.pulled - read).toBeLessThanOrEqual(4)
      }
      await reader.cancel()
      await sim.settle()
      expect(consumersOf(source)).toBe(0)

      const silent = await start(Source)
      const idle = ReadableStream.from(stream(silent)).getReader()
      const waiting = idle.read()
      await sim.settle()
      await idle.cancel()
      expect(await waiting).toEqual({ done: true, value: undefined })
      await sim.settle()
      expect(consumersOf(silent)).toBe(0)
    })
  })

  it('stages are a step of a Node pipeline, which fails and ends with them', async () => {
    await simulate().run(async (sim) => {
      const tape = new Tape()
      const gate = new Gate()
      async function* squares(source: AsyncIterable<number>) {
        await using numbers = await fromIterable(source)
        const map = (events: readonly unknown[]) => events.map((event) => Number(event) ** 2)
        await using middle = await start(Middle, { arg: { map }, subscribeTo: [{ to: numbers, maxDemand: 4 }] })
        yield* stream({ to: middle, maxDemand: 4 })
      }
      const running = pipeline(() => tape.later(50), squares, gate)
      for (const passed of range(0, 49)) {
        await sim.settle()
        expect(gate.taken).toEqual(range(0, passed).map((number) => number ** 2))
        expect(tape.pulled - passed).toBeLessThanOrEqual(30)
        gate.pass()
      }
      await running
      await sim.settle()
      expect(sim.processes).toEqual([])

      const torn = new Gate()
      const other = new Tape()
      const failing = expect(pipeline(() => other.later(), squares, torn)).rejects.toThrow('disk full')
      await sim.settle()
      torn.pass(new Error('disk full'))
      await failing
      await sim.settle()
      expect(sim.processes).toEqual([])
      expect(other.closed).toBe(1)
    })
  })

  it('stages are a step of a pipeline of Web streams', async () => {
    await simulate().run(async (sim) => {
      const entry = new TransformStream<number, number>()
      const numbers = await fromIterable(entry.readable)
      const map = (events: readonly unknown[]) => events.map((event) => Number(event) ** 2)
      const middle = await start(Middle, { arg: { map }, subscribeTo: [{ to: numbers, maxDemand: 4 }] })
      const readable = ReadableStream.from(stream({ to: middle, maxDemand: 4 }))
      const taken: unknown[] = []
      await ReadableStream.from(range(0, 49))
        .pipeThrough({ writable: entry.writable, readable })
        .pipeTo(new WritableStream({ write: (chunk) => void taken.push(chunk) }))
      expect(taken).toEqual(range(0, 49).map((number) => number ** 2))
      await sim.settle()
      expect(sim.processes).toEqual([])
    })
  })
})
