import { EventEmitter } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { child, type EventOverflow, EventProducer, fromEvents, start, supervise } from 'sluice'
import { simulate } from 'sluice/testing'
import { describe, expect, it } from 'vitest'
import { RawProcess } from '../../support/raw-process.ts'
import { Journal, range, Sink } from '../../support/stages.ts'
import { listeners } from '../../support/streams.ts'

/** Emits numbers as `tick`. */
function tick(emitter: EventEmitter, first: number, last: number): void {
  for (const number of range(first, last)) emitter.emit('tick', number)
}

describe('the events of an emitter as a producer', () => {
  it('go to who asks, in order, together what comes in one turn', async () => {
    await simulate().run(async (sim) => {
      const emitter = new EventEmitter()
      const ticks = await fromEvents(emitter, 'tick')
      const raw = new RawProcess()
      raw.subscribeTo(ticks).ask(100)
      await sim.settle()
      tick(emitter, 1, 10)
      await sim.settle()
      tick(emitter, 11, 12)
      await sim.settle()
      expect(raw.of('events')).toEqual([range(1, 10), [11, 12]])
    })
  })

  it('are made of what the listener is given', async () => {
    await simulate().run(async (sim) => {
      const emitter = new EventEmitter<{ change: [kind: string, file: string] }>()
      const changes = await fromEvents(emitter, 'change', { map: (kind, file) => `${kind} ${file}` })
      const raw = new RawProcess()
      raw.subscribeTo(changes).ask(1)
      await sim.settle()
      emitter.emit('change', 'rename', 'a.txt')
      await sim.settle()
      expect(raw.of('events')).toEqual([['rename a.txt']])
    })
  })

  it('may be those of an EventTarget', async () => {
    await simulate().run(async (sim) => {
      const target = new EventTarget()
      const moves = await fromEvents(target, 'move', { map: ({ type }) => type, error: 'broken' })
      const raw = new RawProcess()
      raw.subscribeTo(moves).ask(5)
      await sim.settle()
      target.dispatchEvent(new Event('move'))
      target.dispatchEvent(new Event('close'))
      target.dispatchEvent(new Event('move'))
      expect(await moves.done).toBe('normal')
      expect(raw.of('events')).toEqual([['move']])
    })
  })

  it.each<[EventOverflow, readonly number[]]>([
    ['drop_oldest', range(6, 10)],
    ['drop_newest', range(1, 5)],
  ])('when nobody asks no more than the capacity wait: %s', async (overflow, kept) => {
    await simulate().run(async (sim) => {
      const emitter = new EventEmitter()
      const ticks = await fromEvents(emitter, 'tick', { capacity: 5, overflow })
      tick(emitter, 1, 3)
      await sim.settle()
      tick(emitter, 4, 8)
      await sim.settle()
      tick(emitter, 9, 10)
      await sim.settle()
      const raw = new RawProcess()
      raw.subscribeTo(ticks).ask(100)
      await sim.settle()
      expect(raw.of('events').flat()).toEqual(kept)
      // One line a second at most, not one for each turn.
      const warnings = () => sim.logs.filter(({ level }) => level === 'warn')
      expect(warnings()).toMatchObject([
        { fields: { discarded: 3 }, message: expect.stringContaining('5 wait already; add consumers') },
      ])
      await sim.advance(1000)
      expect(warnings().slice(1)).toMatchObject([{ fields: { discarded: 2 } }])
    })
  })

  it('a flood within one turn is bounded too, and loses nothing that somebody asked for', async () => {
    await simulate().run(async (sim) => {
      const emitter = new EventEmitter()
      const ticks = await fromEvents(emitter, 'tick', { capacity: 10 })
      const raw = new RawProcess()
      raw.subscribeTo(ticks).ask(3000)
      await sim.settle()
      tick(emitter, 1, 3000)
      tick(emitter, 3001, 10_000)
      await sim.settle()
      expect(raw.of('events').flat()).toEqual(range(1, 3000))
      raw.subscribeTo(ticks).ask(100)
      await sim.settle()
      expect(raw.of('events').flat().slice(3000)).toEqual(range(9991, 10_000))
    })
  })

  it('with fail an overflow ends the stage, which says so', async () => {
    await simulate().run(async (sim) => {
      const emitter = new EventEmitter()
      const ticks = await fromEvents(emitter, 'tick', { capacity: 5, overflow: 'fail', link: false })
      tick(emitter, 1, 5)
      await sim.settle()
      expect(ticks.alive).toBe(true)
      tick(emitter, 6, 6)
      expect(await ticks.done).toMatchObject({ code: 'overflow', message: expect.stringContaining('5 waited already') })
      expect(listeners(emitter)).toEqual({})
    })
  })

  it.each([
    ['close', undefined],
    ['end', 'end'],
    ['finish', ['end', 'finish']],
  ])('%s says that no more come: what waits is handed out, then the stage ends', async (event, end) => {
    await simulate().run(async (sim) => {
      const emitter = new EventEmitter()
      const ticks = await fromEvents(emitter, 'tick', { end })
      tick(emitter, 1, 4)
      emitter.emit(event)
      tick(emitter, 5, 5)
      const raw = new RawProcess()
      const subscription = raw.subscribeTo(ticks)
      subscription.ask(3)
      await sim.settle()
      expect(ticks.alive).toBe(true)
      subscription.ask(1)
      expect(await ticks.done).toBe('normal')
      expect(raw.of('events').flat()).toEqual(range(1, 4))
    })
  })

  it('with no end it goes on', async () => {
    await simulate().run(async (sim) => {
      const emitter = new EventEmitter()
      const ticks = await fromEvents(emitter, 'tick', { end: [] })
      emitter.emit('close')
      await sim.settle()
      expect(ticks.alive).toBe(true)
      expect(listeners(emitter)).toEqual({ tick: 1, error: 1 })
    })
  })

  it('an error ends the stage with it, after what came before', async () => {
    await simulate().run(async (sim) => {
      const emitter = new EventEmitter()
      const journal = new Journal()
      const ticks = await fromEvents(emitter, 'tick', { link: false })
      tick(emitter, 1, 5)
      emitter.emit('error', new Error('connection lost'))
      await sim.settle()
      expect(ticks.alive).toBe(true)
      // A second one disturbs nobody.
      emitter.emit('error', new Error('still lost'))
      const sink = await start(Sink, { arg: { note: journal.note }, subscribeTo: [{ to: ticks, maxDemand: 2 }] })
      expect(await ticks.done).toMatchObject({ message: 'connection lost' })
      expect(await sink.done).toMatchObject({ message: 'connection lost' })
      expect(journal.events).toEqual(range(1, 5))
      expect(listeners(emitter)).toEqual({})
    })
  })

  it.each([
    ['an error event', Object.assign(new Event('error'), { error: new Error('inner') }), 'inner'],
    ['one with a message', Object.assign(new Event('error'), { message: 'refused' }), 'refused'],
    ['any other', new Event('error'), 'an event of type error'],
  ])('the error of an EventTarget is that of its event: %s', async (_kind, event, text) => {
    await simulate().run(async () => {
      const target = new EventTarget()
      const moves = await fromEvents(target, 'move', { link: false })
      target.dispatchEvent(event)
      expect(await moves.done).toMatchObject({ message: text })
    })
  })

  it('a function that throws on an event crashes the stage, not whoever emits', async () => {
    await simulate().run(async () => {
      const emitter = new EventEmitter()
      const map = (text: unknown): unknown => JSON.parse(String(text))
      const parsed = await fromEvents(emitter, 'tick', { map, link: false })
      expect(emitter.emit('tick', 'no json')).toBe(true)
      expect(await parsed.done).toBeInstanceOf(SyntaxError)
    })
  })

  it.each([
    ['stopped', (ref: { stop(): Promise<void> }) => ref.stop()],
    ['drained', (ref: { stop(options: object): Promise<void> }) => ref.stop({ drain: true })],
    ['killed', async (ref: { kill(): void }) => ref.kill()],
  ])('its listeners are removed when it is %s', async (_how, end) => {
    await simulate().run(async (sim) => {
      const emitter = new EventEmitter()
      const target = new EventTarget()
      let taken = 0
      const map = (): number => ++taken
      const ticks = await fromEvents(emitter, 'tick', { link: false, map })
      const moves = await fromEvents(target, 'move', { link: false, map })
      expect(listeners(emitter)).toEqual({ tick: 1, close: 1, error: 1 })
      await end(ticks)
      await end(moves)
      await sim.settle()
      target.dispatchEvent(new Event('move'))
      expect(listeners(emitter)).toEqual({})
      expect(taken).toBe(0)
    })
  })

  it('when drained it takes no more and hands out what waits', async () => {
    await simulate().run(async (sim) => {
      const emitter = new EventEmitter()
      const ticks = await fromEvents(emitter, 'tick')
      tick(emitter, 1, 5)
      const stopping = ticks.stop({ drain: true })
      await sim.settle()
      tick(emitter, 6, 9)
      const raw = new RawProcess()
      raw.subscribeTo(ticks).ask(100)
      await stopping
      expect(raw.of('events').flat()).toEqual(range(1, 5))
    })
  })

  it('under a supervisor the emitter is opened anew at every start, and closed by the signal', async () => {
    await simulate().run(async (sim) => {
      const opened: EventEmitter[] = []
      const closed: EventEmitter[] = []
      const source = async (signal: AbortSignal): Promise<EventEmitter> => {
        const emitter = new EventEmitter()
        opened.push(emitter)
        // As the emitters of Node do that take a signal.
        const abort = (): void => {
          closed.push(emitter)
          emitter.emit('error', signal.reason)
        }
        signal.addEventListener('abort', abort, { once: true })
        return emitter
      }
      const journal = new Journal()
      const tree = await supervise({
        strategy: 'rest_for_one',
        children: [
          child(EventProducer<number>, { arg: { source, event: 'tick' }, name: EventProducer }),
          child(Sink, { arg: { note: journal.note }, subscribeTo: [{ to: EventProducer<unknown> }] }),
        ],
      })
      const [first] = opened
      if (first === undefined) throw new Error('it was opened')
      tick(first, 1, 2)
      first.emit('error', new Error('connection lost'))
      await sim.settle()
      const [, second] = opened
      if (second === undefined) throw new Error('it was opened again')
      tick(second, 3, 4)
      await sim.settle()
      expect(journal.events).toEqual(range(1, 4))
      await tree.stop()
      expect(closed).toEqual(opened)
      expect(opened.map(listeners)).toEqual([{}, {}])
    })
  })

  it('gives things that live on, such as the sockets of a server, as they are', async () => {
    await simulate().run(async () => {
      const open = (): ReturnType<typeof createServer> => createServer().listen(0, '127.0.0.1')
      const server = open()
      const sockets = await fromEvents(server, 'connection', { map: (socket: Socket) => socket })
      let greeted = (): void => {}
      const greeting = new Promise<void>((resolve) => {
        greeted = resolve
      })
      const work = (events: readonly unknown[]): void => {
        for (const socket of events as Socket[]) socket.end('hello', greeted)
      }
      const sink = await start(Sink, { arg: { work }, subscribeTo: [sockets] })
      if (!server.listening) await new Promise((resolve) => server.once('listening', resolve))
      const client = connect((server.address() as AddressInfo).port, '127.0.0.1')
      const text = await client.setEncoding('utf8').toArray()
      expect(text).toEqual(['hello'])
      await greeting
      server.close()
      expect(await sockets.done).toBe('normal')
      expect(await sink.done).toBe('normal')
    })
  })

  it.each([
    ['source', {}, { source: {} as EventEmitter }],
    ['source', {}, { source: null as unknown as EventEmitter }],
    ['capacity', { capacity: 0 }, {}],
    ['capacity', { capacity: 1.5 }, {}],
    ['overflow', { overflow: 'block' as EventOverflow }, {}],
    ['map', { map: 'yes' as never }, {}],
    ['capcity', { capcity: 5 } as object, {}],
  ])('refuses a bad %s: %o', async (option, options, { source = new EventEmitter() }: { source?: EventEmitter }) => {
    await simulate().run(async (sim) => {
      await expect(fromEvents(source, 'tick', options)).rejects.toMatchObject({
        code: 'start_failed',
        cause: { code: 'bad_options', message: expect.stringContaining(option) },
      })
      expect(sim.processes).toEqual([])
    })
  })
})
