import { createHash } from 'node:crypto'
import { createReadStream, createWriteStream, type ReadStream } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { createGunzip, createGzip, gunzipSync, gzipSync } from 'node:zlib'
import {
  type Cancellation,
  child,
  fromIterable,
  IterableProducer,
  name,
  ProducerConsumer,
  type Subscription,
  start,
  supervise,
  TransformProducerConsumer,
  throughTransform,
  toWritable,
  WritableConsumer,
} from 'sluice'
import { simulate } from 'sluice/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { range } from '../../support/stages.ts'
import { Gate } from '../../support/streams.ts'

/** Cuts text into lines. */
class Lines extends ProducerConsumer<Buffer, string> {
  readonly #decoder = new TextDecoder()
  #rest = ''

  override handleEvents(chunks: readonly Buffer[]): readonly string[] {
    const lines = chunks
      .reduce((text, chunk) => text + this.#decoder.decode(chunk, { stream: true }), this.#rest)
      .split('\n')
    this.#rest = lines.pop() ?? ''
    return lines
  }

  /** The last line needs no end. */
  override handleCancel(_cancellation: Cancellation, { consumer }: Subscription): readonly string[] {
    const upstreamEnded = consumer === this.self
    return upstreamEnded && this.#rest !== '' ? [this.#rest] : []
  }
}

class Rows extends ProducerConsumer<string, string> {
  readonly #each: (line: string) => void

  constructor(each: (line: string) => void) {
    super()
    this.#each = each
  }

  override handleEvents(lines: readonly string[]): readonly string[] {
    for (const line of lines) this.#each(line)
    return lines.map((line) => `${line.toUpperCase()}\n`)
  }
}

const sha256 = (text: string | Buffer): string => createHash('sha256').update(text).digest('hex')

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** Turns of the event loop in which nothing happens before a pipeline is taken to stand still. */
const QUIET = 200

/** Waits until nothing is read any more: reads of files and zlib come back in turns of their own. */
async function standsStill(measure: () => number): Promise<void> {
  for (let quiet = 0, last = measure(); quiet < QUIET; quiet++) {
    await turn()
    const now = measure()
    if (now !== last || filesInUse().length > 0) quiet = 0
    last = now
  }
}

/** Reads and writes of files that are on their way, and what else keeps a program alive, but for the test runner's own. */
function filesInUse(): readonly string[] {
  return process.getActiveResourcesInfo().filter((kind) => !['Timeout', 'Immediate', 'MessagePort'].includes(kind))
}

describe('gzip file, gunzip, lines, rows, gzip, file', () => {
  const lines = range(1, 30_000).map((line) => `${line} ${sha256(`${line}`)}`)
  const expected = lines.map((line) => `${line.toUpperCase()}\n`).join('')
  let folder: string
  let input: string
  let size: number

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sluice-'))
    input = join(folder, 'input.gz')
    const packed = gzipSync(lines.join('\n'))
    size = packed.length
    await writeFile(input, packed)
  })

  afterAll(() => rm(folder, { recursive: true }))

  it('comes out whole', async () => {
    await simulate().run(async () => {
      const output = join(folder, 'whole.gz')
      const file = await fromIterable<Buffer>(() => createReadStream(input))
      const plain = await throughTransform<Buffer, Buffer>(() => createGunzip(), {
        subscribeTo: [{ to: file, maxDemand: 4 }],
      })
      const split = await start(Lines, { subscribeTo: [{ to: plain, maxDemand: 4 }] })
      const rows = await start(Rows, { arg: () => {}, subscribeTo: [{ to: split, maxDemand: 500 }] })
      const packed = await throughTransform<string, Buffer>(() => createGzip(), {
        subscribeTo: [{ to: rows, maxDemand: 500 }],
      })
      const writer = await toWritable<Buffer>(() => createWriteStream(output), {
        subscribeTo: [{ to: packed, maxDemand: 4 }],
      })
      expect(await writer.done).toBe('normal')
      for (const stage of [file, plain, split, rows, packed]) expect(await stage.done).toBe('normal')
      expect(sha256(gunzipSync(await readFile(output)))).toBe(sha256(expected))
    })
  })

  it.each([
    ['bytes', { highWaterMark: 1024 }],
    ['objects', { objectMode: true, highWaterMark: 16 }],
  ])('a consumer of %s that stalls keeps the file from being read', async (_kind, options) => {
    await simulate().run(async () => {
      const CHUNK = 16 * 1024
      const streams: ReadStream[] = []
      const gate = new Gate(options)
      const file = await fromIterable<Buffer>(() => {
        const stream = createReadStream(input, { highWaterMark: CHUNK })
        streams.push(stream)
        return stream
      })
      const read = (): number => streams.reduce((sum, stream) => sum + stream.bytesRead, 0)
      const gunzip = createGunzip()
      const plain = await throughTransform<Buffer, Buffer>(() => gunzip, { subscribeTo: [{ to: file, maxDemand: 2 }] })
      const split = await start(Lines, { subscribeTo: [{ to: plain, maxDemand: 2 }] })
      const rows = await start(Rows, { arg: () => {}, subscribeTo: [{ to: split, maxDemand: 10 }] })
      await toWritable<string>(() => gate, { subscribeTo: [{ to: rows, maxDemand: 10 }] })
      while (gate.taken.length === 0) await turn()
      await standsStill(read)
      expect(gate.taken).toHaveLength(1)
      // What the file holds and reads, two chunks on their way and one that made the first lines, and what gunzip holds.
      const held = (1 + 1 + 2 + 1) * CHUNK + gunzip.writableHighWaterMark + gunzip.readableHighWaterMark
      expect(read()).toBeLessThanOrEqual(held)
      expect(read()).toBeLessThan(size / 3)
      // It goes on, and stands still again.
      const before = gate.taken.length
      const passed = 2000
      for (const _ of range(1, passed)) {
        gate.pass()
        while (gate.writableLength === 0) await turn()
      }
      expect(gate.taken.length).toBeGreaterThanOrEqual(before + passed - 1)
      await standsStill(read)
      const seen = gunzip.bytesWritten
      expect(read() - seen).toBeLessThanOrEqual(held)
      expect(read()).toBeLessThan(size / 2)
      const text = gate.taken.map(String).join('')
      expect(sha256(text)).toBe(sha256(expected.slice(0, text.length)))
    })
  })

  it('after a crash in the middle it is done again from the beginning, and nothing is left open', async () => {
    const output = join(folder, 'again.gz')
    const opened: (Readable | Writable)[] = []
    const keep = <S extends Readable | Writable>(stream: S): S => {
      opened.push(stream)
      return stream
    }
    await simulate().run(async (sim) => {
      let seen = 0
      const each = (): void => {
        if (++seen === 15_000) throw new Error('row 15000 is bad')
      }
      const tree = await supervise({
        strategy: 'one_for_all',
        autoShutdown: 'any_significant',
        children: [
          child(IterableProducer<Buffer>, {
            arg: { source: () => keep(createReadStream(input)) },
            name: name(IterableProducer<Buffer>, 'file'),
            restart: 'transient',
          }),
          child(TransformProducerConsumer<Buffer, Buffer>, {
            id: 'gunzip',
            arg: { transform: () => keep(createGunzip()) },
            name: name(TransformProducerConsumer<Buffer, Buffer>, 'plain'),
            restart: 'transient',
            subscribeTo: [{ to: name(IterableProducer<Buffer>, 'file'), maxDemand: 4 }],
          }),
          child(Lines, {
            name: Lines,
            restart: 'transient',
            subscribeTo: [{ to: name(TransformProducerConsumer<Buffer, Buffer>, 'plain'), maxDemand: 4 }],
          }),
          child(Rows, { arg: each, name: Rows, restart: 'transient', subscribeTo: [{ to: Lines, maxDemand: 500 }] }),
          child(TransformProducerConsumer<string, Buffer>, {
            id: 'gzip',
            arg: { transform: () => keep(createGzip()) },
            name: name(TransformProducerConsumer<string, Buffer>, 'packed'),
            restart: 'transient',
            subscribeTo: [{ to: Rows, maxDemand: 500 }],
          }),
          child(WritableConsumer<Buffer>, {
            arg: { sink: () => keep(createWriteStream(output)) },
            restart: 'transient',
            significant: true,
            subscribeTo: [{ to: name(TransformProducerConsumer<string, Buffer>, 'packed'), maxDemand: 4 }],
          }),
        ],
      })
      await tree.done
      expect(sim.logs.filter(({ level }) => level === 'error')).toMatchObject([
        { fields: { err: { message: 'row 15000 is bad' } } },
      ])
    })
    for (const stream of opened) if (!stream.closed) await new Promise((resolve) => stream.once('close', resolve))
    expect(filesInUse()).toEqual([])
    // A file and three transforms, each opened twice.
    expect(opened).toHaveLength(8)
    expect(sha256(gunzipSync(await readFile(output)))).toBe(sha256(expected))
  })
})
