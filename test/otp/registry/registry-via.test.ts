import {
  Agent,
  CallError,
  Consumer,
  child,
  Down,
  GenServer,
  type Name,
  name,
  Producer,
  Registry,
  StageError,
  StartError,
  start,
  startLink,
  supervise,
  via,
  whereis,
} from 'sluice'
import { simulate } from 'sluice/testing'
import { describe, expect, it } from 'vitest'
import { Jobs, linksOf, member, Topics } from '../../support/registries.ts'
import { settlement } from '../../support/settlement.ts'

class Room extends GenServer {
  readonly #heard: unknown[] = []
  hello() {
    return `${this}`
  }
  heard() {
    return this.#heard
  }
  watch(room: Name) {
    this.monitor(room)
  }
  remind(room: Name) {
    this.sendAfter('later', 100, room)
  }
  override handleInfo(message: unknown) {
    this.#heard.push(message instanceof Down ? `down: ${message.reason}` : message)
  }
}
const lobby = via(Jobs, Room, 'lobby', { type: 'room' })

describe('a key as a name', () => {
  it('S104 an agent is started under it, called through it, and started only once', () =>
    simulate().run(async (sim) => {
      await start(Jobs, { name: Jobs })
      const count = via(Jobs, Agent<number>, 'count', { type: 'agent' })
      const agent = await start(Agent<number>, { arg: () => 7, name: count })
      expect(await count.call.get((n) => n)).toBe(7)
      expect(Registry.lookup(Jobs, 'count')).toEqual([{ ref: agent, value: { type: 'agent' } }])
      const before = sim.processes
      const { error } = await settlement(start(Agent<number>, { arg: () => 8, name: count }))
      expect(error).toBeInstanceOf(StartError)
      expect(error).toMatchObject({ code: 'already_started', ref: agent })
      expect(String(error)).toMatch(/the name Agent\(Jobs\/count\) is taken by Agent\(Jobs\/count\)#\d+/)
      expect(sim.processes).toEqual(before)
      expect(await count.call.get((n) => n)).toBe(7)
    }))

  it('S104 needs unique keys, and says so wherever it is used', () =>
    simulate().run(async (sim) => {
      await start(Topics, { name: Topics })
      const topic = via(Topics, Room, 'news')
      const { error } = await settlement(start(Room, { name: topic }))
      const refused = expect.objectContaining({ name: 'RegistryError', code: 'not_unique' })
      expect(error).toEqual(refused)
      expect(String(error)).toMatch(
        /the name Room\(Topics\/news\) needs unique keys, those of Topics#\d+ are duplicate/,
      )
      expect(() => whereis(topic)).toThrow(refused)
      expect(() => topic.send('hello')).toThrow(refused)
      expect(sim.processes).toHaveLength(1)
    }))

  it('S104 needs a registry that runs: a start says which is missing', () =>
    simulate().run(async (sim) => {
      const { error } = await settlement(start(Room, { name: lobby }))
      expect(error).toMatchObject({ code: 'start_failed', cause: { name: 'ProcessError', code: 'noproc' } })
      expect(String(error)).toContain('there is no registry Jobs')
      expect(sim.processes).toEqual([])
      expect(sim.clock.pending).toBe(0)
    }))

  it.each(['without the registry', 'without the key'])('S104 %s nobody is found', (how) =>
    simulate().run(async () => {
      if (how === 'without the key') await start(Jobs, { name: Jobs })
      expect(whereis(lobby)).toBeUndefined()
      expect(() => lobby.send('hello')).toThrow(
        expect.objectContaining({ code: 'noproc', message: expect.stringContaining('Room(Jobs/lobby)') }),
      )
      lobby.cast.hello()
      const { error } = await settlement(lobby.call.hello())
      expect(error).toBeInstanceOf(CallError)
      expect(error).toMatchObject({ code: 'noproc', target: 'Room(Jobs/lobby)' })
    }),
  )

  it('is found wherever a name is: by whereis, send, cast, monitor and sendAfter', () =>
    simulate().run(async (sim) => {
      await start(Jobs, { name: Jobs })
      const room = await start(Room, { name: lobby })
      const other = await start(Room, { name: Room })
      expect(whereis(lobby)).toBe(room)
      expect(`${room}`).toMatch(/^Room\(Jobs\/lobby\)#\d+$/)
      lobby.send('sent')
      lobby.cast.hello()
      await other.call.watch(lobby)
      await other.call.remind(lobby)
      expect(await lobby.with({ timeout: 10 }).call.hello()).toBe(`${room}`)
      await sim.advance(100)
      expect(await lobby.call.heard()).toEqual(['sent', 'later'])
      await room.stop()
      await other.call.watch(lobby)
      expect(await other.call.heard()).toEqual(['down: normal', 'down: noproc'])
    }))

  it('is resolved when the time of a message has come', () =>
    simulate().run(async (sim) => {
      await start(Jobs, { name: Jobs })
      const other = await start(Room, { name: Room })
      await other.call.remind(lobby)
      await other.call.remind(via(Jobs, Room, 'nobody'))
      const room = await start(Room, { name: lobby })
      await sim.advance(100)
      expect(await room.call.heard()).toEqual(['later'])
    }))

  it('names a producer to subscribe to', () =>
    simulate().run(async (sim) => {
      await start(Jobs, { name: Jobs })
      class Numbers extends Producer<number> {
        override handleDemand() {
          return []
        }
        give(n: number) {
          this.emit([n])
        }
      }
      const seen: number[] = []
      const numbers = via(Jobs, Numbers, 'numbers', { type: 'producer' })
      class Sum extends Consumer<number> {
        override handleEvents(events: readonly number[]) {
          seen.push(...events)
        }
      }
      const { error } = await settlement(start(Sum, { subscribeTo: [numbers] }))
      expect(error).toMatchObject({ code: 'start_failed', cause: { code: 'noproc' } })
      expect((error as Error).cause).toBeInstanceOf(StageError)
      await start(Numbers, { name: numbers })
      await start(Sum, { subscribeTo: [numbers] })
      await start(Sum, { subscribeTo: [{ to: numbers, maxDemand: 1 }] })
      await numbers.call.give(1)
      await numbers.call.give(2)
      await sim.settle()
      expect(seen).toEqual([1, 2])
    }))

  it('is borne again by the process that takes the place of a dead one', () =>
    simulate().run(async (sim) => {
      await supervise({
        strategy: 'one_for_one',
        children: [child(Jobs, { name: Jobs }), child(Room, { name: lobby }), child(Room, { id: 'other' })],
      })
      const first = whereis(lobby)
      first?.kill()
      expect(whereis(lobby)).toBeUndefined()
      await sim.settle()
      expect(await lobby.call.hello()).not.toBe(`${first}`)
      expect(Registry.values(Jobs, 'lobby', whereis(lobby) ?? never())).toEqual([{ type: 'room' }])
    }))

  it('comes back with its registry: both are restarted', () =>
    simulate().run(async (sim) => {
      await supervise({
        strategy: 'rest_for_one',
        children: [child(Jobs, { name: Jobs }), child(Room, { name: lobby })],
      })
      const first = whereis(lobby)
      whereis(Jobs)?.kill()
      expect(whereis(lobby)).toBeUndefined()
      await sim.settle()
      expect(whereis(lobby)).toBeDefined()
      expect(whereis(lobby)).not.toBe(first)
      expect(first?.alive).toBe(false)
    }))

  it('is free when the start under it has failed', () =>
    simulate().run(async () => {
      await start(Jobs, { name: Jobs })
      class Broken extends GenServer {
        override async init() {
          expect(whereis(via(Jobs, Broken, 'a'))).toBe(this.self)
          throw new Error('broken')
        }
      }
      await settlement(start(Broken, { name: via(Jobs, Broken, 'a', { type: 'room' }) }))
      expect(Registry.lookup(Jobs, 'a')).toEqual([])
      expect(Registry.count(Jobs)).toBe(0)
    }))

  it('is free when it was given up, and the one who bore it keeps nobody else from it', () =>
    simulate().run(async () => {
      await start(Jobs, { name: Jobs })
      const first = await start(Room, { name: lobby })
      Registry.unregister(Jobs, first, 'lobby')
      expect(linksOf(first)).toEqual([])
      const second = await start(Room, { name: lobby })
      await first.stop()
      expect(whereis(lobby)).toBe(second)
    }))

  it('finds who was registered without a name, and refuses a start there', () =>
    simulate().run(async () => {
      const jobs = await start(Jobs, { name: name(Jobs, 'second') })
      const holder = await member()
      Registry.register(jobs, holder, { id: 1 }, { type: 'x' })
      Registry.register(jobs, holder, 7, { type: 'x' })
      expect(whereis(via(jobs, Room, 7))).toBe(holder)
      expect(whereis(via(name(Jobs, 'second'), Room, 7))).toBe(holder)
      expect(whereis(via(jobs, Room, { id: 1 }))).toBeUndefined()
      expect(`${via(name(Jobs, 'second'), Room, { id: 1 })}`).toBe('Room(Jobs(second)/{ id: 1 })')
      const { error } = await settlement(startLink(Room, { name: via(jobs, Room, 7, { type: 'y' }) }))
      expect(error).toMatchObject({ code: 'already_started', ref: holder })
    }))
})

function never(): never {
  throw new Error('nobody bears the name')
}
