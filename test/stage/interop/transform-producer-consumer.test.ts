import { type ChildProcess, spawn } from 'node:child_process'
import { Duplex, Readable, Transform, Writable } from 'node:stream'
import { TransformStream } from 'node:stream/web'
import { createGunzip, gzipSync } from 'node:zlib'
import {
  child,
  estimateBufferedCount,
  fromIterable,
  stageInfo,
  start,
  supervise,
  type TransformLike,
  TransformProducerConsumer,
  throughTransform,
} from 'sluice'
import { simulate } from 'sluice/testing'
import { describe, expect, it } from 'vitest'
import { RawProcess } from '../../support/raw-process.ts'
import { Journal, range, Sink, Source } from '../../support/stages.ts'
import { Gate, listeners, Tape } from '../../support/streams.ts'

/** A transform of objects: each becomes what `map` gives, and `last` comes at the end. */
function mapping(map: (event: number) => readonly unknown[], last: readonly unknown[] = []): Transform {
  return new Transform({
    objectMode: true,
    highWaterMark: 4,
    transform(event, _encoding, callback) {
      for (const out of map(event)) this.push(out)
      callback()
    },
    flush(callback) {
      for (const out of last) this.push(out)
      callback()
    },
  })
}

const doubled = (event: number): number[] => [event, event]

const transforms: readonly (readonly [string, (last?: readonly unknown[]) => TransformLike<number, number>])[] = [
  ['a Node Transform', (last) => mapping(doubled, last)],
  [
    'a Web TransformStream',
    (last = []) =>
      new TransformStream<number, number>({
        transform: (event, controller) => {
          for (const out of doubled(event)) controller.enqueue(out)
        },
        flush: (controller) => {
          for (const out of last) controller.enqueue(out as number)
        },
      }),
  ],
  [
    'a pair of streams',
    (last) => {
      const both = mapping(doubled, last)
      return {
        writable: new Writable({
          objectMode: true,
          write: (chunk, _encoding, callback) => void (both.write(chunk) ? callback() : both.once('drain', callback)),
          final: (callback) => void both.end(callback),
        }),
        readable: Readable.from(both),
      }
    },
  ],
  [
    'a duplex made of a generator',
    (last = []) =>
      Duplex.from(async function* (source: AsyncIterable<number>) {
        for await (const event of source) yield* doubled(event)
        yield* last
      }),
  ],
]

describe('a transform as a producer-consumer', () => {
  it.each(transforms)('%s is passed through in order, to what it gives at its end', async (_kind, open) => {
    await simulate().run(async () => {
      const journal = new Journal()
      const source = await fromIterable(range(1, 100))
      const through = await throughTransform(() => open(['last']), { subscribeTo: [{ to: source, maxDemand: 10 }] })
      const sink = await start(Sink, { arg: { note: journal.note }, subscribeTo: [{ to: through, maxDemand: 3 }] })
      expect(await sink.done).toBe('normal')
      expect(await through.done).toBe('normal')
      expect(journal.events).toEqual([...range(1, 100).flatMap(doubled), 'last'])
    })
  })

  it.each(transforms)('what came is asked for anew only as %s takes it', async (_kind, open) => {
    await simulate().run(async (sim) => {
      const tape = new Tape()
      const source = await fromIterable(tape.now())
      const through = await throughTransform(() => open(), { subscribeTo: [{ to: source, maxDemand: 6 }] })
      await sim.settle()
      // Nobody has asked: what was asked for waits.
      expect(tape.pulled).toBe(6)
      const raw = new RawProcess()
      const subscription = raw.subscribeTo(through)
      for (const round of range(1, 30)) {
        subscription.ask(2)
        await sim.settle()
        expect(raw.of('events').flat()).toEqual(range(0, round - 1).flatMap(doubled))
        // What is on its way, and what streams hold by default on both sides.
        expect(tape.pulled - round).toBeLessThanOrEqual(6 + 16 + 16)
      }
    })
  })

  it('is written and read no further than its own buffers, however much it makes of little', async () => {
    await simulate().run(async (sim) => {
      let made = 0
      const expanding = Duplex.from(async function* (source: AsyncIterable<number>) {
        for await (const event of source) {
          for (const _ of range(1, 1000)) {
            made++
            yield event
          }
        }
      })
      const tape = new Tape()
      const source = await fromIterable(tape.now())
      const through = await throughTransform(() => expanding, { subscribeTo: [{ to: source, maxDemand: 2 }] })
      const raw = new RawProcess()
      const subscription = raw.subscribeTo(through)
      // One for one, with the mailbox full of asks: a stage that waited for `drain` in its mailbox would never hear them.
      for (const asked of range(1, 2500)) {
        subscription.ask(1)
        if (asked % 100 !== 0) continue
        await sim.settle()
        expect(raw.of('events').flat().length).toBe(asked)
        expect(made - asked).toBeLessThanOrEqual(expanding.readableHighWaterMark + 2)
        expect(tape.pulled - asked / 1000).toBeLessThanOrEqual(expanding.writableHighWaterMark + 2 + 2)
      }
    })
  })

  it('bytes are held back by their number', async () => {
    const chunk = Buffer.alloc(50_000, 'x')
    const source = await fromIterable(function* () {
      yield gzipSync(Buffer.alloc(10_000_000, chunk))
    })
    const gunzip = createGunzip()
    const through = await throughTransform<Buffer, Buffer>(() => gunzip, {
      subscribeTo: [{ to: source, maxDemand: 1 }],
    })
    let first = (): void => {}
    let release = (): void => {}
    const arrived = new Promise<void>((resolve) => {
      first = resolve
    })
    const gate = new Promise<void>((resolve) => {
      release = resolve
    })
    const bytes = { read: 0, held: 0 }
    const work = async (events: readonly unknown[]): Promise<void> => {
      for (const event of events) bytes.read += (event as Buffer).length
      if (bytes.held > 0) return
      bytes.held = 1
      first()
      await gate
    }
    const sink = await start(Sink, { arg: { work }, subscribeTo: [{ to: through, maxDemand: 4, minDemand: 2 }] })
    await arrived
    // Whatever zlib does in the meantime, it stops when its buffers are full.
    for (let before = -1; before !== gunzip.bytesWritten + gunzip.readableLength; ) {
      before = gunzip.bytesWritten + gunzip.readableLength
      for (const _ of range(1, 20)) await new Promise((resolve) => setImmediate(resolve))
    }
    expect(bytes.read).toBeLessThan(200_000)
    expect(gunzip.readableLength).toBeLessThan(200_000)
    release()
    expect(await sink.done).toBe('normal')
    expect(bytes.read).toBe(10_000_000)
  })

  it('takes what several producers give', async () => {
    await simulate().run(async () => {
      const journal = new Journal()
      const sources = [await fromIterable(range(1, 50)), await fromIterable(range(51, 100))]
      const subscribeTo = sources.map((to) => ({ to, cancel: 'temporary' as const, maxDemand: 7 }))
      const through = await throughTransform(() => mapping((event) => [event]), { subscribeTo })
      await start(Sink, { arg: { note: journal.note }, subscribeTo: [through] })
      await Promise.all(sources.map((source) => source.done))
      await through.stop({ drain: true })
      expect((journal.events as number[]).toSorted((a, b) => a - b)).toEqual(range(1, 100))
    })
  })

  it('when drained it takes no more, and hands on all that it took', async () => {
    await simulate().run(async (sim) => {
      const tape = new Tape()
      const journal = new Journal()
      const source = await fromIterable(tape.now())
      const through = await throughTransform(() => mapping((event) => [event], ['last']), {
        subscribeTo: [{ to: source, maxDemand: 10 }],
      })
      const work = (_events: readonly unknown[], stage: Sink): Promise<void> => stage.sleep(1)
      const arg = { note: journal.note, work }
      const sink = await start(Sink, { arg, subscribeTo: [{ to: through, maxDemand: 2, minDemand: 1 }] })
      await sim.advance(20)
      const stopping = through.stop({ drain: true })
      await sim.advance(100)
      await stopping
      expect(await sink.done).toBe('normal')
      expect(source.alive).toBe(true)
      expect(journal.events).toEqual([...range(0, tape.pulled - 1), 'last'])
    })
  })

  it('waits for demand before it gives what is left after the end', async () => {
    await simulate().run(async (sim) => {
      const source = await fromIterable([1])
      const through = await throughTransform(() => mapping(() => [], range(1, 50)), { subscribeTo: [source] })
      const raw = new RawProcess()
      const subscription = raw.subscribeTo(through)
      for (const asked of range(1, 50)) {
        subscription.ask(1)
        await sim.settle()
        expect(raw.of('events').flat()).toEqual(range(1, asked))
        expect(through.alive).toBe(true)
      }
      subscription.ask(1)
      expect(await through.done).toBe('normal')
    })
  })
})

it('a stage around a transform tells how many events wait for that', async () => {
  await simulate().run(async (sim) => {
    const gate = new Gate({ objectMode: true, highWaterMark: 1 })
    const readable = new Readable({ objectMode: true, read() {} })
    const source = await start(Source)
    const through = await throughTransform(() => ({ writable: gate, readable }), { link: false, subscribeTo: [source] })
    new RawProcess().subscribeTo(through).ask(1)
    await sim.settle()
    await source.call.give(1)
    await source.call.give(2, 3)
    await source.call.give(4)
    await sim.settle()
    // The first is in the transform.
    expect(await stageInfo(through)).toMatchObject({ kind: 'producer_consumer', buffered: 3 })
    gate.pass()
    await sim.settle()
    // And the message behind it.
    expect(await estimateBufferedCount(through)).toBe(1)
    through.kill()
  })
})

describe('the end of a transform', () => {
  const ending: readonly (readonly [string, () => TransformLike<number, number>])[] = [
    [
      'a Node Transform',
      () => {
        let left = 3
        return new Transform({
          objectMode: true,
          transform(event, _encoding, callback) {
            if (left > 0) this.push(event)
            if (--left === 0) this.push(null)
            callback()
          },
        })
      },
    ],
    [
      'a Web TransformStream',
      () => {
        let left = 3
        return new TransformStream<number, number>({
          transform(event, controller) {
            controller.enqueue(event)
            if (--left === 0) controller.terminate()
          },
        })
      },
    ],
  ]

  it.each(ending)('%s that has had enough ends the stage normally, and its producer is told', async (_kind, open) => {
    await simulate().run(async (sim) => {
      const journal = new Journal()
      const tape = new Tape()
      const source = await fromIterable(tape.now(), { onCancel: 'stop' })
      const through = await throughTransform(open, { subscribeTo: [{ to: source, maxDemand: 2 }] })
      const sink = await start(Sink, { arg: { note: journal.note }, subscribeTo: [through] })
      expect(await through.done).toBe('normal')
      expect(await sink.done).toBe('normal')
      expect(await source.done).toBe('normal')
      await sim.settle()
      expect(journal.events).toEqual([0, 1, 2])
      expect(tape.closed).toBe(1)
    })
  })

  const failing: readonly (readonly [string, () => TransformLike<number, number>])[] = [
    [
      'a Node Transform',
      () =>
        new Transform({
          objectMode: true,
          transform: (event, _encoding, callback) => callback(event === 5 ? new Error('bad row') : null, event),
        }),
    ],
    [
      'a Web TransformStream',
      () =>
        new TransformStream<number, number>({
          transform(event, controller) {
            if (event === 5) throw new Error('bad row')
            controller.enqueue(event)
          },
        }),
    ],
  ]

  it.each(failing)('%s that fails ends the stage with its error, in one report', async (_kind, open) => {
    await simulate().run(async (sim) => {
      const source = await fromIterable(new Tape().now())
      const through = await throughTransform(open, { link: false, subscribeTo: [{ to: source, maxDemand: 3 }] })
      const sink = await start(Sink, { subscribeTo: [through] })
      expect(await through.done).toMatchObject({ message: 'bad row' })
      expect(await sink.done).toMatchObject({ message: 'bad row' })
      await sim.settle()
      expect(source.alive).toBe(true)
      expect(sim.logs.filter(({ level }) => level === 'error')).toHaveLength(1)
    })
  })

  it('one that fails while nobody asks ends the stage too', async () => {
    await simulate().run(async () => {
      const transform = mapping((event) => [event])
      const through = await throughTransform(() => transform, { link: false })
      transform.destroy(new Error('torn'))
      expect(await through.done).toMatchObject({ message: 'torn' })
    })
  })

  it('one side of a pair that fails ends the stage', async () => {
    await simulate().run(async (sim) => {
      const gate = new Gate()
      const readable = new Readable({ objectMode: true, read() {} })
      const source = await start(Source)
      const through = await throughTransform(() => ({ writable: gate, readable }), {
        link: false,
        subscribeTo: [source],
      })
      new RawProcess().subscribeTo(through).ask(1)
      await sim.settle()
      await source.call.give('a')
      await sim.settle()
      gate.pass(new Error('disk full'))
      expect(await through.done).toMatchObject({ message: 'disk full' })
      await sim.settle()
      expect(readable.destroyed).toBe(true)
    })
  })

  it('an event that the transform cannot take crashes the stage', async () => {
    await simulate().run(async (sim) => {
      const gunzip = createGunzip()
      const source = await fromIterable([{ no: 'bytes' }])
      const through = await throughTransform<object, Buffer>(() => gunzip, { link: false, subscribeTo: [source] })
      new RawProcess().subscribeTo(through).ask(1)
      expect(await through.done).toMatchObject({ code: 'ERR_INVALID_ARG_TYPE' })
      await sim.settle()
      expect(gunzip.destroyed).toBe(true)
    })
  })

  it('bytes that are no gzip end the stage with what zlib says', async () => {
    await simulate().run(async () => {
      const source = await fromIterable([Buffer.from('not compressed')])
      const through = await throughTransform<Buffer, Buffer>(() => createGunzip(), {
        link: false,
        subscribeTo: [source],
      })
      const sink = await start(Sink, { subscribeTo: [through] })
      expect(await through.done).toMatchObject({ code: 'Z_DATA_ERROR' })
      await sink.done
    })
  })

  it.each([
    ['stopped', (ref: { stop(): Promise<void> }) => ref.stop()],
    ['killed', async (ref: { kill(): void }) => ref.kill()],
  ])('a stage that is %s destroys it, and nobody listens to it any more', async (_how, end) => {
    await simulate().run(async (sim) => {
      const transform = mapping(doubled)
      const before = listeners(transform)
      const source = await fromIterable(new Tape().now())
      const through = await throughTransform(() => transform, { link: false, subscribeTo: [source] })
      new RawProcess().subscribeTo(through).ask(3)
      await sim.settle()
      await end(through)
      await sim.settle()
      expect(transform.destroyed).toBe(true)
      expect(transform.closed).toBe(true)
      expect(listeners(transform)).toEqual(before)
    })
  })

  it('a stage that never started to read destroys it too', async () => {
    await simulate().run(async (sim) => {
      const transform = mapping(doubled)
      const through = await throughTransform(() => transform)
      await through.stop()
      await sim.settle()
      expect(transform.destroyed).toBe(true)
    })
  })

  it('a producer that fails takes the transform with it', async () => {
    await simulate().run(async (sim) => {
      const transform = mapping(doubled)
      const source = await start(Source)
      const through = await throughTransform(() => transform, { link: false, subscribeTo: [source] })
      source.kill()
      expect(await through.done).toBe('killed')
      await sim.settle()
      expect(transform.destroyed).toBe(true)
    })
  })

  it('under a supervisor it is opened anew at every start', async () => {
    await simulate().run(async (sim) => {
      const journal = new Journal()
      let opened = 0
      const transform = (): Transform => {
        const attempt = ++opened
        return new Transform({
          objectMode: true,
          transform: (event, _encoding, callback) =>
            callback(attempt === 1 && event === 'bad' ? new Error('bad row') : null, event),
        })
      }
      const source = await start(Source, { name: Source })
      await supervise({
        strategy: 'rest_for_one',
        children: [
          child(TransformProducerConsumer<unknown, unknown>, {
            arg: { transform },
            name: TransformProducerConsumer,
            subscribeTo: [{ to: Source }],
          }),
          child(Sink, {
            arg: { note: journal.note },
            subscribeTo: [{ to: TransformProducerConsumer<unknown, unknown> }],
          }),
        ],
      })
      await sim.settle()
      await source.call.give('good')
      await sim.settle()
      await source.call.give('bad')
      await sim.settle()
      await source.call.give('better')
      await sim.settle()
      expect(opened).toBe(2)
      expect(journal.events).toEqual(['good', 'better'])
    })
  })

  it('one that was used before cannot be used again', async () => {
    await simulate().run(async () => {
      const destroyed = mapping(doubled)
      destroyed.destroy()
      const ended = mapping(doubled)
      ended.end()
      const written = new TransformStream<number, number>()
      written.writable.getWriter()
      const read = new TransformStream<number, number>()
      read.readable.getReader()
      for (const transform of [destroyed, ended, written, read]) {
        await expect(throughTransform<number, number>(transform)).rejects.toMatchObject({
          code: 'start_failed',
          cause: { code: 'stream_used' },
        })
      }
    })
  })

  it.each([
    ['a number', 5],
    ['nothing', undefined],
    ['half a pair', { readable: Readable.from([]) }],
    ['a stream that can only be read', Readable.from([])],
  ])('refuses %s', async (_kind, transform) => {
    await simulate().run(async (sim) => {
      const starting = throughTransform(transform as unknown as Duplex)
      await expect(starting).rejects.toMatchObject({ code: 'start_failed', cause: { code: 'bad_options' } })
      expect(sim.processes).toEqual([])
    })
  })

  it('refuses options that it does not know', async () => {
    await simulate().run(async () => {
      const options = { highWaterMark: 5 } as object
      const starting = throughTransform(mapping(doubled), options)
      await expect(starting).rejects.toMatchObject({ cause: { code: 'bad_options' } })
    })
  })
})

describe('a program as a transform', () => {
  const node = (script: string): ChildProcess => spawn(process.execPath, ['-e', script])
  const upper = `process.stdin.setEncoding('utf8').on('data', (text) => process.stdout.write(text.toUpperCase()))`

  it('gives what it writes, and ends in order', async () => {
    await simulate().run(async () => {
      const journal = new Journal()
      const source = await fromIterable(['first ', 'second ', 'third'])
      const through = await throughTransform<string, Buffer>(() => node(upper), { subscribeTo: [source] })
      const sink = await start(Sink, { arg: { note: journal.note }, subscribeTo: [through] })
      expect(await sink.done).toBe('normal')
      expect(journal.events.map(String).join('')).toBe('FIRST SECOND THIRD')
    })
  })

  it('that ends early has had enough: the stage ends normally', async () => {
    await simulate().run(async () => {
      const journal = new Journal()
      const source = await fromIterable(function* () {
        for (const line of new Tape().now()) yield `${line}\n`
      })
      const through = await throughTransform<string, Buffer>(() => spawn('head', ['-n', '2']), {
        subscribeTo: [{ to: source, maxDemand: 10 }],
      })
      const sink = await start(Sink, { arg: { note: journal.note }, subscribeTo: [through] })
      expect(await sink.done).toBe('normal')
      expect(journal.events.map(String).join('')).toBe('0\n1\n')
    })
  })

  it('that fails ends the stage with what it said, after what it gave', async () => {
    await simulate().run(async () => {
      const journal = new Journal()
      const fail = `() => { console.error('bad row'); process.exit(3) }`
      const program = node(`process.stdin.once('data', (text) => process.stdout.write(text, ${fail}))`)
      const source = await fromIterable(['one'])
      const through = await throughTransform<string, Buffer>(() => program, { link: false, subscribeTo: [source] })
      const sink = await start(Sink, { arg: { note: journal.note }, subscribeTo: [through] })
      expect(await through.done).toMatchObject({
        code: 'program_failed',
        message: expect.stringMatching(/ended with code 3: bad row$/),
      })
      await sink.done
      expect(journal.events.map(String)).toEqual(['one'])
    })
  })

  it('that cannot be started ends the stage', async () => {
    await simulate().run(async () => {
      const missing = './no-such-program'
      const through = await throughTransform(() => spawn(missing), { link: false })
      expect(await through.done).toMatchObject({ code: 'ENOENT' })
    })
  })

  it('is ended when the stage is', async () => {
    await simulate().run(async () => {
      const program = node(upper)
      const exited = new Promise((resolve) => program.once('exit', (_code, signal) => resolve(signal)))
      const through = await throughTransform(() => program)
      await through.stop()
      expect(await exited).toBe('SIGTERM')
    })
  })

  it('says much on its standard error without being stopped by that', async () => {
    await simulate().run(async () => {
      const script = `process.stderr.write('x'.repeat(1_000_000), () => process.stdin.pipe(process.stdout))`
      const journal = new Journal()
      const source = await fromIterable(['through'])
      const through = await throughTransform<string, Buffer>(() => node(script), { subscribeTo: [source] })
      const sink = await start(Sink, { arg: { note: journal.note }, subscribeTo: [through] })
      expect(await sink.done).toBe('normal')
      expect(journal.events.map(String)).toEqual(['through'])
    })
  })

  it('is refused when its input or output is no pipe', async () => {
    await simulate().run(async () => {
      const program = spawn(process.execPath, ['-e', ''], { stdio: 'ignore' })
      const starting = throughTransform(() => program)
      await expect(starting).rejects.toMatchObject({
        cause: { code: 'bad_options', message: expect.stringContaining('pipes') },
      })
    })
  })
})
