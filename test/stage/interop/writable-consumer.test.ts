import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { type AddressInfo, connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { WritableStream } from 'node:stream/web'
import { child, fromIterable, type Sink, StageError, start, supervise, toWritable, WritableConsumer } from 'sluice'
import { simulate } from 'sluice/testing'
import { describe, expect, it } from 'vitest'
import { range, Source } from '../../support/stages.ts'
import { collector, Gate, listeners, Tape, WebGate } from '../../support/streams.ts'

const gates: readonly (readonly [string, () => { readonly gate: Gate | WebGate; readonly sink: Sink<unknown> }])[] = [
  [
    'Node',
    () => {
      const gate = new Gate({ objectMode: true, highWaterMark: 3 })
      return { gate, sink: gate }
    },
  ],
  [
    'Web',
    () => {
      const gate = new WebGate(3)
      return { gate, sink: gate.stream }
    },
  ],
]

describe('a stream as a consumer', () => {
  it('writes what it gets, in order, and ends the stream when its producer has ended', async () => {
    await simulate().run(async () => {
      const taken: unknown[] = []
      const sink = collector(taken)
      const before = listeners(sink)
      const source = await fromIterable(range(1, 100))
      const writer = await toWritable(() => sink, { subscribeTo: [{ to: source, maxDemand: 7 }] })
      expect(await writer.done).toBe('normal')
      expect(taken).toEqual(range(1, 100))
      expect(sink.writableFinished).toBe(true)
      expect(sink.closed).toBe(true)
      expect(listeners(sink)).toEqual(before)
    })
  })

  it('writes into a Web stream, and closes it', async () => {
    await simulate().run(async () => {
      const taken: unknown[] = []
      let closed = 0
      const sink = new WritableStream<number>({ write: (chunk) => void taken.push(chunk), close: () => void closed++ })
      const source = await fromIterable(range(1, 100))
      const writer = await toWritable(sink, { subscribeTo: [{ to: source, maxDemand: 7 }] })
      expect(await writer.done).toBe('normal')
      expect(taken).toEqual(range(1, 100))
      expect(closed).toBe(1)
    })
  })

  it.each(gates)('asks for more only when a %s stream has room', async (_kind, open) => {
    await simulate().run(async (sim) => {
      const { gate, sink } = open()
      const tape = new Tape()
      const source = await fromIterable(tape.now())
      const subscribeTo = [{ to: source, maxDemand: 4, minDemand: 2 }]
      const writer = await toWritable(sink, { link: false, subscribeTo })
      expect(await sim.settle()).toEqual([`${writer}`])
      expect(gate.taken).toEqual([0])
      for (const passed of range(1, 40)) {
        gate.pass()
        await sim.settle()
        expect(gate.taken.length).toBe(passed + 1)
        // What the stream holds, and what is on its way.
        expect(tape.pulled - passed).toBeLessThanOrEqual(3 + 4)
      }
      expect(gate.taken).toEqual(range(0, 40))
      writer.kill()
    })
  })

  it('a stream of bytes is full by their number', async () => {
    await simulate().run(async (sim) => {
      const gate = new Gate({ highWaterMark: 100 })
      const tape = new Tape()
      const chunks = function* () {
        for (const _ of tape.now()) yield Buffer.alloc(30)
      }
      const source = await fromIterable(chunks)
      const subscribeTo = [{ to: source, maxDemand: 2, minDemand: 1 }]
      const writer = await toWritable(() => gate, { link: false, subscribeTo })
      await sim.settle()
      // Four chunks are more than 100 bytes; two more are on their way.
      expect(gate.writableLength).toBe(120)
      expect(tape.pulled).toBeLessThanOrEqual(6)
      writer.kill()
    })
  })

  it('a batch goes to a stream that can take many at once in one piece', async () => {
    await simulate().run(async () => {
      const pieces: number[] = []
      const sink = new Writable({
        objectMode: true,
        writev(chunks, callback) {
          pieces.push(chunks.length)
          callback()
        },
        write(_chunk, _encoding, callback) {
          pieces.push(1)
          callback()
        },
      })
      const source = await fromIterable(range(1, 10))
      const writer = await toWritable(() => sink, { subscribeTo: [{ to: source, maxDemand: 10, minDemand: 0 }] })
      await writer.done
      expect(pieces).toEqual([10])
    })
  })

  it('has written everything to a file when it is done', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'sluice-'))
    try {
      const path = join(folder, 'lines.txt')
      const lines = range(1, 5000).map((line) => `${line}\n`)
      const source = await fromIterable(lines)
      const file = createWriteStream(path)
      const writer = await toWritable(() => file, { subscribeTo: [{ to: source, maxDemand: 100 }] })
      expect(await writer.done).toBe('normal')
      expect(file.closed).toBe(true)
      expect(await readFile(path, 'utf8')).toBe(lines.join(''))
    } finally {
      await rm(folder, { recursive: true })
    }
  })

  it('a drain writes what was emitted, then ends the stream', async () => {
    await simulate().run(async (sim) => {
      const taken: unknown[] = []
      const sink = collector(taken)
      const source = await start(Source)
      const writer = await toWritable(() => sink, { subscribeTo: [{ to: source, cancel: 'temporary' }] })
      await sim.settle()
      await source.call.give(...range(1, 50))
      await writer.stop({ drain: true })
      expect(taken).toEqual(range(1, 50))
      expect(sink.writableFinished).toBe(true)
      expect(source.alive).toBe(true)
    })
  })

  it('a stop waits until all is taken, until its deadline', async () => {
    await simulate().run(async (sim) => {
      const gate = new Gate()
      const source = await start(Source)
      const writer = await toWritable(() => gate, { subscribeTo: [{ to: source }] })
      await sim.settle()
      await source.call.give('a')
      await sim.settle()
      const stopping = writer.stop()
      await sim.settle()
      expect(writer.alive).toBe(true)
      gate.pass()
      await stopping
      expect(gate.writableFinished).toBe(true)

      const stuck = new Gate()
      const other = await toWritable(() => stuck, { link: false, subscribeTo: [{ to: source }] })
      await sim.settle()
      await source.call.give('b')
      await sim.settle()
      const failed = expect(other.stop({ timeout: 100 })).rejects.toMatchObject({ code: 'timeout' })
      await sim.advance(100, { foreign: true })
      await failed
      expect(await other.done).toBe('killed')
      expect(stuck.destroyed).toBe(true)
    })
  })

  it('a stream that takes longer to end than the stage may take to stop is destroyed, unless the class gives it more', async () => {
    class Upload extends WritableConsumer<unknown> {
      static override readonly stopTimeout: number = 60_000
    }
    await simulate().run(async (sim) => {
      for (const [Class, outcome] of [
        [WritableConsumer<unknown>, 'killed'],
        [Upload, 'normal'],
      ] as const) {
        let finish = (): void => {}
        const slow = new Writable({
          objectMode: true,
          write: (_chunk, _encoding, callback) => callback(),
          final: (callback) => {
            finish = callback
          },
        })
        const subscribeTo = [await fromIterable([1])]
        const writer = await start(Class, { arg: { sink: () => slow }, subscribeTo })
        await sim.advance(10_000, { foreign: true })
        finish()
        expect(await writer.done).toBe(outcome)
        await sim.settle()
        expect(slow.writableFinished).toBe(outcome === 'normal')
      }
    })
  })

  it.each([
    ['a Node stream', () => collector([])],
    ['a Web stream', () => new WritableStream<unknown>()],
  ])('with end false %s stays open, and nobody listens to it any more', async (_kind, open) => {
    await simulate().run(async () => {
      const sink = open()
      const before = sink instanceof Writable ? listeners(sink) : undefined
      const source = await fromIterable([1, 2, 3])
      const writer = await toWritable(sink, { end: false, subscribeTo: [source] })
      expect(await writer.done).toBe('normal')
      const failing = await start(Source)
      const again = await toWritable(sink, { end: false, link: false, subscribeTo: [failing] })
      failing.kill()
      expect(await again.done).toBe('killed')
      if (sink instanceof Writable) {
        expect(sink.writable).toBe(true)
        expect(listeners(sink)).toEqual(before)
      } else {
        expect(sink.locked).toBe(false)
        await sink.getWriter().write('more')
      }
    })
  })

  it('with end false it still waits until all is taken', async () => {
    await simulate().run(async (sim) => {
      const gate = new Gate()
      const writer = await toWritable(gate, { end: false, subscribeTo: [await fromIterable([1])] })
      await sim.settle()
      expect(writer.alive).toBe(true)
      gate.pass()
      expect(await writer.done).toBe('normal')
      expect(gate.writable).toBe(true)
    })
  })

  it('does not end standard output', async () => {
    const source = await fromIterable<string>([])
    const writer = await toWritable(process.stdout, { subscribeTo: [source] })
    expect(await writer.done).toBe('normal')
    expect(process.stdout.writable).toBe(true)
  })
})

describe('a stream that fails', () => {
  it.each(gates)('a %s stream that fails while it is full crashes the stage', async (_kind, open) => {
    await simulate().run(async (sim) => {
      const { gate, sink } = open()
      const source = await fromIterable(new Tape().now())
      const writer = await toWritable(sink, { link: false, subscribeTo: [{ to: source, maxDemand: 10 }] })
      await sim.settle()
      gate.pass(new Error('disk full'))
      expect(await writer.done).toMatchObject({ message: 'disk full' })
      const reports = sim.logs.filter(({ level }) => level === 'error')
      expect(reports).toMatchObject([{ fields: { process: `${writer}`, err: { message: 'disk full' } } }])
      expect(source.alive).toBe(true)
    })
  })

  it.each(gates)('a %s stream that fails while the stage waits for events ends it', async (_kind, open) => {
    await simulate().run(async (sim) => {
      const { gate, sink } = open()
      const source = await start(Source)
      const writer = await toWritable(sink, { link: false, subscribeTo: [source] })
      await sim.settle()
      await source.call.give(1)
      await sim.settle()
      expect(writer.alive).toBe(true)
      gate.pass(new Error('disk full'))
      expect(await writer.done).toMatchObject({ message: 'disk full' })
    })
  })

  it('one that fails at its end ends the stage with that', async () => {
    await simulate().run(async () => {
      const sink = new Writable({
        objectMode: true,
        write: (_chunk, _encoding, callback) => callback(),
        final: (callback) => callback(new Error('cannot flush')),
      })
      const writer = await toWritable(() => sink, { link: false, subscribeTo: [await fromIterable([1])] })
      expect(await writer.done).toMatchObject({ message: 'cannot flush' })
      const web = new WritableStream({ close: () => Promise.reject(new Error('cannot close')) })
      const other = await toWritable(() => web, { link: false, subscribeTo: [await fromIterable([1])] })
      expect(await other.done).toMatchObject({ message: 'cannot close' })
    })
  })

  it('a file that cannot be opened ends the stage, before any event', async () => {
    await simulate().run(async () => {
      const sink = (): Writable => createWriteStream('/nowhere/at/all')
      const writer = await toWritable(sink, { link: false, subscribeTo: [await start(Source)] })
      expect(await writer.done).toMatchObject({ code: 'ENOENT' })
    })
  })

  it('an event that the stream cannot take crashes the stage', async () => {
    await simulate().run(async () => {
      const sink = collector([], {})
      const writer = await toWritable(() => sink, { link: false, subscribeTo: [await fromIterable([{ no: 'bytes' }])] })
      expect(await writer.done).toMatchObject({ code: 'ERR_INVALID_ARG_TYPE' })
      expect(sink.destroyed).toBe(true)
    })
  })

  it.each([
    ['ended', (sink: Writable) => void sink.end(), 'ended by somebody else'],
    ['destroyed', (sink: Writable) => void sink.destroy(), 'closed by somebody else'],
  ])('one that is %s by somebody else ends the stage, which says so', async (_how, close, text) => {
    await simulate().run(async () => {
      const sink = collector([])
      const writer = await toWritable(() => sink, { link: false, subscribeTo: [await start(Source)] })
      close(sink)
      const reason = await writer.done
      expect(reason).toBeInstanceOf(StageError)
      expect(reason).toMatchObject({ code: 'stream_closed', message: expect.stringContaining(text) })
    })
  })

  it('a socket that the other side closes ends the stage', async () => {
    const server = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1')
    await once(server, 'listening')
    await simulate().run(async () => {
      const source = await fromIterable(async function* () {
        for await (const line of new Tape().later()) yield `${line}\n`
      })
      const { port } = server.address() as AddressInfo
      const writer = await toWritable(() => connect(port, '127.0.0.1'), {
        link: false,
        subscribeTo: [{ to: source, maxDemand: 4 }],
      })
      const reason = await writer.done
      expect(reason).toBeInstanceOf(Error)
      expect(['stream_closed', 'ECONNRESET']).toContain(Reflect.get(Object(reason), 'code'))
    })
    server.close()
    await once(server, 'close')
  })
})

interface Killable {
  kill(): void
}

describe('a stage that fails', () => {
  it.each([
    ['is killed', (_source: Killable, writer: Killable) => writer.kill()],
    ['loses its producer', (source: Killable) => source.kill()],
  ])('destroys its stream when it %s', async (_how, fail) => {
    await simulate().run(async (sim) => {
      const gate = new Gate()
      const web = new WebGate()
      for (const sink of [gate, web.stream]) {
        const source = await start(Source)
        const writer = await toWritable<unknown>(sink, { link: false, subscribeTo: [source] })
        await sim.settle()
        fail(source, writer)
        expect(await writer.done).toBe('killed')
      }
      await sim.settle()
      expect(gate.destroyed).toBe(true)
      expect(gate.writableFinished).toBe(false)
      expect(listeners(gate)).toEqual(listeners(new Gate()))
      expect(web.closed).toBe(false)
      expect(web.isAborted).toBe(true)
    })
  })

  it('passes its error on to the stream, as a pipe does', async () => {
    await simulate().run(async (sim) => {
      const gate = new Gate()
      const web = new WebGate()
      const seen: unknown[] = []
      gate.on('error', (error) => seen.push(error.message))
      const torn = function* (): Generator<number> {
        yield 1
        throw new Error('torn')
      }
      for (const sink of [gate, web.stream]) {
        const source = await fromIterable(torn, { link: false })
        const writer = await toWritable<unknown>(sink, { link: false, subscribeTo: [source] })
        await sim.settle()
        expect(await writer.done).toMatchObject({ message: 'torn' })
        web.pass()
      }
      await sim.settle()
      expect(seen).toEqual(['torn'])
      expect(web.aborted).toMatchObject({ message: 'torn' })
    })
  })

  it('under a supervisor its stream is opened anew at every start', async () => {
    await simulate().run(async (sim) => {
      const sinks: Gate[] = []
      const open = (): Gate => {
        const gate = new Gate()
        sinks.push(gate)
        return gate
      }
      const source = await start(Source, { name: Source })
      const tree = await supervise({
        strategy: 'one_for_one',
        children: [child(WritableConsumer<unknown>, { arg: { sink: open }, subscribeTo: [{ to: Source }] })],
      })
      await sim.settle()
      await source.call.give('a')
      await sim.settle()
      sinks[0]?.pass(new Error('disk full'))
      await sim.settle()
      await source.call.give('b')
      await sim.settle()
      expect(sinks.map(({ taken }) => taken)).toEqual([['a'], ['b']])
      sinks[1]?.pass()
      await tree.stop()
      expect(sinks[1]?.writableFinished).toBe(true)
    })
  })

  it('a stream that was used before cannot be used again, which is said at the start', async () => {
    await simulate().run(async () => {
      const ended = collector([])
      ended.end()
      const destroyed = collector([])
      destroyed.destroy()
      const locked = new WritableStream<unknown>()
      locked.getWriter()
      for (const sink of [ended, destroyed, locked]) {
        await expect(toWritable(sink)).rejects.toMatchObject({
          code: 'start_failed',
          cause: { code: 'stream_used', message: expect.stringContaining('sink: () => ...') },
        })
      }
    })
  })
})

describe('opening the stream', () => {
  it('may take time, which the start waits for', async () => {
    await simulate().run(async (sim) => {
      const taken: unknown[] = []
      let open = (): void => {}
      const opened = new Promise<void>((resolve) => {
        open = resolve
      })
      const sink = async (): Promise<Writable> => {
        await opened
        return collector(taken)
      }
      let started = false
      const starting = toWritable(sink, { subscribeTo: [await fromIterable([1, 2])] })
      void starting.then(() => {
        started = true
      })
      await sim.settle()
      expect(started).toBe(false)
      open()
      await (await starting).done
      expect(taken).toEqual([1, 2])
    })
  })

  it('may fail, which fails the start', async () => {
    await simulate().run(async (sim) => {
      const sink = (): Promise<Writable> => Promise.reject(new Error('no such bucket'))
      await expect(toWritable(sink)).rejects.toMatchObject({
        code: 'start_failed',
        cause: { message: 'no such bucket' },
      })
      expect(sim.processes).toEqual([])
    })
  })

  it('a stream that was opened too late is destroyed', async () => {
    await simulate().run(async (sim) => {
      const late = collector([])
      let open = (): void => {}
      const sink = (): Promise<Writable> =>
        new Promise((resolve) => {
          open = () => resolve(late)
        })
      const refused = expect(toWritable(sink, { timeout: 10 })).rejects.toMatchObject({ code: 'timeout' })
      await sim.advance(10, { foreign: true })
      await refused
      open()
      await sim.settle()
      expect(late.destroyed).toBe(true)
    })
  })

  it('gets the signal of the process', async () => {
    await simulate().run(async () => {
      let given: AbortSignal | undefined
      const sink = (signal: AbortSignal): Writable => {
        given = signal
        return collector([])
      }
      const writer = await toWritable(sink)
      expect(given?.aborted).toBe(false)
      await writer.stop()
      expect(given?.aborted).toBe(true)
    })
  })

  it.each([
    ['a number', 5],
    ['nothing', undefined],
    ['an object', {}],
    ['a promise of nothing', async () => undefined],
  ])('refuses %s', async (_kind, sink) => {
    await simulate().run(async (sim) => {
      const starting = toWritable(sink as unknown as Writable)
      await expect(starting).rejects.toMatchObject({ code: 'start_failed', cause: { code: 'bad_options' } })
      expect(sim.processes).toEqual([])
    })
  })

  it('refuses options that it does not know', async () => {
    await simulate().run(async () => {
      const options = { ends: false } as object
      await expect(toWritable(collector([]), options)).rejects.toMatchObject({ cause: { code: 'bad_options' } })
    })
  })
})
