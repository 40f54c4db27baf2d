import { once } from 'node:events'
import { createReadStream } from 'node:fs'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { createInterface } from 'node:readline'
import { Readable } from 'node:stream'
import { ReadableStream } from 'node:stream/web'
import { child, fromIterable, IterableProducer, start, supervise } from 'sluice'
import { simulate } from 'sluice/testing'
import { describe, expect, it } from 'vitest'
import { RawProcess } from '../../support/raw-process.ts'
import { Journal, range, Sink } from '../../support/stages.ts'
import { Bytes, listeners, Numbers } from '../../support/streams.ts'

describe('a stream as a source', () => {
  it('of objects is read no further than its own buffers and the demand', async () => {
    await simulate().run(async (sim) => {
      const numbers = new Numbers(Infinity, 3)
      const source = await fromIterable<number>(() => numbers)
      await sim.settle()
      // Nobody has asked.
      expect(numbers.pulled).toBe(0)
      const raw = new RawProcess()
      const subscription = raw.subscribeTo(source)
      for (const round of range(1, 30)) {
        subscription.ask(2)
        await sim.settle()
        expect(raw.of('events').flat()).toEqual(range(0, 2 * round - 1))
        expect(numbers.pulled - 2 * round).toBeLessThanOrEqual(3)
      }
    })
  })

  it('of bytes is read no further than its own buffers and the chunks that were asked for', async () => {
    await simulate().run(async (sim) => {
      const bytes = new Bytes({ size: 100, highWaterMark: 400 })
      const source = await fromIterable<Buffer>(() => bytes)
      const raw = new RawProcess()
      const subscription = raw.subscribeTo(source)
      for (const round of range(1, 30)) {
        subscription.ask(1)
        await sim.settle()
        const chunks = raw.of('events').flat() as Buffer[]
        expect(chunks).toHaveLength(round)
        const read = chunks.reduce((sum, chunk) => sum + chunk.length, 0)
        expect(bytes.given - read).toBeLessThanOrEqual(400)
      }
    })
  })

  it('of bytes or text gives what it is made to give', async () => {
    await simulate().run(async () => {
      const journal = new Journal()
      for (const encoding of [undefined, 'utf8'] as const) {
        const open = (): Readable => Readable.from([Buffer.from('äb')], { objectMode: false, encoding })
        const sink = await start(Sink, { arg: { note: journal.note }, subscribeTo: [await fromIterable(open)] })
        await sink.done
      }
      expect(journal.events).toEqual([Buffer.from('äb'), 'äb'])
    })
  })

  it.each([
    ['stopped', (ref: { stop(): Promise<void> }) => ref.stop()],
    ['killed', async (ref: { kill(): void }) => ref.kill()],
  ])('is closed when its producer is %s, read or not, also while it waits', async (_how, end) => {
    await simulate().run(async (sim) => {
      for (const asked of [0, 1]) {
        const idle = new Readable({ read() {} })
        const before = listeners(idle)
        let cancelled = 0
        const web = new ReadableStream({ cancel: () => void cancelled++ })
        for (const open of [() => idle, () => web]) {
          const producer = await fromIterable<unknown>(open, { link: false })
          if (asked > 0) new RawProcess().subscribeTo(producer).ask(asked)
          await sim.settle()
          await end(producer)
        }
        await sim.settle()
        expect(idle.destroyed).toBe(true)
        expect(listeners(idle)).toEqual(before)
        expect(cancelled).toBe(1)
      }
    })
  })

  it('a file is closed when its producer stops before it was read', async () => {
    await simulate().run(async () => {
      const file = createReadStream('package.json')
      const producer = await fromIterable(() => file)
      await producer.stop()
      if (!file.closed) await once(file, 'close')
      expect(file.closed).toBe(true)
    })
  })

  it('the lines of a file are, with the file', async () => {
    await simulate().run(async (sim) => {
      const file = createReadStream('package-lock.json')
      const producer = await fromIterable(() => createInterface(file))
      const raw = new RawProcess()
      const first = new Promise((resolve) => file.once('data', resolve))
      raw.subscribeTo(producer).ask(1)
      await first
      await sim.settle()
      expect(raw.of('events').flat()).toEqual(['{'])
      await producer.stop()
      if (!file.closed) await once(file, 'close')
      expect(file.closed).toBe(true)
    })
  })

  it('a socket is, while it waits', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const connected = once(server, 'connection')
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
    const producer = await fromIterable(() => socket)
    const sink = await start(Sink, { subscribeTo: [producer] })
    const [peer] = (await connected) as [Socket]
    const gone = once(peer.resume(), 'close')
    await producer.stop()
    await sink.done
    await gone
    server.close()
    await once(server, 'close')
  })

  it('a socket that was read to its end can still be written to', async () => {
    const server = createServer({ allowHalfOpen: true }, (socket) => socket.end('question')).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const asking = once(server, 'connection')
    const { port } = server.address() as AddressInfo
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
    const journal = new Journal()
    const producer = await fromIterable<Buffer>(() => socket)
    const sink = await start(Sink, { arg: { note: journal.note }, subscribeTo: [producer] })
    await sink.done
    expect(journal.events.map(String)).toEqual(['question'])
    expect(socket.writable).toBe(true)
    const before = listeners(socket)
    expect(before['error'] ?? 0).toBe(0)
    const [peer] = (await asking) as [Socket]
    const answer = once(peer, 'data')
    socket.end('answer')
    expect(String((await answer)[0])).toBe('answer')
    server.close()
    await once(server, 'close')
  })

  it('that fails ends the producer with its error, also before anybody has asked', async () => {
    await simulate().run(async () => {
      for (const open of [() => createReadStream('/nowhere'), () => createInterface(createReadStream('/nowhere'))]) {
        const producer = await fromIterable<unknown>(open, { link: false })
        expect(await producer.done).toMatchObject({ code: 'ENOENT' })
      }
      const web = new ReadableStream({ start: (controller) => controller.error(new Error('torn')) })
      const producer = await fromIterable(() => web, { link: false })
      expect(await producer.done).toMatchObject({ message: 'torn' })
    })
  })

  it('that is destroyed by somebody else ends the producer with what Node says of that', async () => {
    await simulate().run(async (sim) => {
      const idle = new Readable({ read() {} })
      const producer = await fromIterable(() => idle, { link: false })
      new RawProcess().subscribeTo(producer).ask(1)
      await sim.settle()
      idle.destroy()
      expect(await producer.done).toMatchObject({ code: 'ERR_STREAM_PREMATURE_CLOSE' })
    })
  })

  it('that was used before cannot be used again, which is said at the start', async () => {
    await simulate().run(async () => {
      const ended = Readable.from([1])
      await ended.toArray()
      const destroyed = Readable.from([1])
      destroyed.destroy()
      const locked = ReadableStream.from([1])
      locked.getReader()
      const web = ReadableStream.from([1])
      await (await start(Sink, { subscribeTo: [await fromIterable(web)] })).done
      for (const source of [ended, destroyed, locked, web]) {
        await expect(fromIterable<unknown>(source)).rejects.toMatchObject({
          code: 'start_failed',
          cause: { code: 'stream_used', message: expect.stringContaining('source: () => ...') },
        })
      }
    })
  })

  it('given without a function it is said at the restart that it was used', async () => {
    await simulate().run(async (sim) => {
      const readable = Readable.from([1, 2, 3])
      const supervisor = await supervise({
        strategy: 'one_for_one',
        children: [
          child(IterableProducer<number>, { arg: { source: () => readable }, restart: 'transient', id: 'numbers' }),
        ],
      })
      const [numbers] = await supervisor.call.whichChildren()
      expect(numbers?.ref).toBeDefined()
      readable.destroy(new Error('torn'))
      await supervisor.done
      const texts = sim.logs.map(({ message }) => message).join('\n')
      expect(texts).toContain('torn')
      expect(texts).toContain('give a function that opens a new one')
    })
  })
})
