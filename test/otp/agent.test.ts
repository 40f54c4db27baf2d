import { Agent, AgentError, CallError, child, name, start, supervise, whereis } from 'sluice'
import { simulate } from 'sluice/testing'
import { describe, expect, it } from 'vitest'
import { currentRuntime } from '../../src/process/runtime.ts'
import { settlement } from '../support/settlement.ts'

class Counter extends Agent<number> {
  constructor() {
    super(() => 0)
  }
  next() {
    return this.getAndUpdate((n) => [n, n + 1])
  }
}

const startNumber = (n: number) => start(Agent<number>, { arg: () => n })

describe('an agent', () => {
  it('S107 holds a state that functions read and change', () =>
    simulate().run(async (sim) => {
      const agent = await startNumber(1)
      expect(await agent.call.get((n) => n + 1)).toBe(2)
      expect(await agent.call.update((n) => n + 10)).toBeUndefined()
      expect(await agent.call.getAndUpdate((n) => [`was ${n}`, n * 2])).toBe('was 11')
      expect(agent.cast.update((n) => n + 1)).toBeUndefined()
      expect(await agent.call.get((n) => n)).toBe(23)
      await agent.stop()
      expect(sim.processes).toEqual([])
      expect(sim.clock.pending).toBe(0)
    }))

  it('S107 runs the functions inside itself, one at a time', () =>
    simulate().run(async (sim) => {
      const agent = await startNumber(0)
      const inside = (): unknown => currentRuntime().current?.ref
      expect(await agent.call.get(inside)).toBe(agent)
      expect(await agent.call.getAndUpdate((n) => [inside(), n])).toBe(agent)
      let told: unknown
      await agent.call.update((n) => {
        told = inside()
        return n
      })
      expect(told).toBe(agent)
      let open: (n: number) => void = () => {}
      const slow = agent.call.update(() => new Promise<number>((resolve) => (open = resolve)))
      const after = agent.call.get((n) => n)
      await sim.settle()
      open(7)
      await slow
      expect(await after).toBe(7)
    }))

  it('S107 takes async functions, and makes its first state with one', () =>
    simulate().run(async () => {
      const agent = await start(Agent<string[]>, { arg: async () => ['a'] })
      expect(await agent.call.get(async (all) => all.length)).toBe(1)
      expect(await agent.call.getAndUpdate(async (all) => [all.length, [...all, 'b']])).toBe(1)
      expect(await agent.call.get((all) => all)).toEqual(['a', 'b'])
    }))

  it('S107 starts anew when it is restarted, in the shape of a class too', () =>
    simulate().run(async (sim) => {
      await supervise({
        strategy: 'one_for_one',
        children: [
          child(Counter, { name: Counter }),
          child(Agent<Map<string, number>>, { arg: () => new Map(), name: name(Agent<Map<string, number>>, 'map') }),
        ],
      })
      const map = name(Agent<Map<string, number>>, 'map')
      expect([await name(Counter).call.next(), await name(Counter).call.next()]).toEqual([0, 1])
      await map.call.update((state) => state.set('a', 1))
      whereis(Counter)?.kill()
      whereis(map)?.kill()
      await sim.settle()
      expect(await name(Counter).call.next()).toBe(0)
      expect(await map.call.get((state) => state.size)).toBe(0)
    }))

  it('S108 ends when getAndUpdate returns no pair, and so does the call', () =>
    simulate().run(async () => {
      for (const bad of [7, undefined, [1], [1, 2, 3]]) {
        const agent = await startNumber(1)
        const { error } = await settlement(agent.call.getAndUpdate(() => bad as never))
        expect(error).toBeInstanceOf(CallError)
        expect(error).toMatchObject({ code: 'exit', cause: { name: 'AgentError', code: 'bad_return' } })
        expect(String(error)).toMatch(/getAndUpdate of Agent#\d+ returned .*, expected \[reply, state\]/)
        expect(await agent.done).toBeInstanceOf(AgentError)
      }
      const agent = await startNumber(1)
      const { error } = await settlement(agent.call.getAndUpdate(async () => 7 as never))
      expect(error).toMatchObject({ code: 'exit', cause: { code: 'bad_return' } })
    }))

  it('S108 ends when a function throws, and so does the call', () =>
    simulate().run(async () => {
      const boom = new Error('boom')
      const fail = (): never => {
        throw boom
      }
      for (const ask of ['get', 'update', 'getAndUpdate'] as const) {
        const agent = await startNumber(1)
        const { error } = await settlement<unknown>(agent.call[ask](fail))
        expect(error).toMatchObject({ code: 'exit', cause: boom })
        expect(await agent.done).toBe(boom)
      }
      const rejecting = await startNumber(1)
      const { error } = await settlement(rejecting.call.update(() => Promise.reject(boom)))
      expect(error).toMatchObject({ code: 'exit', cause: boom })
      const cast = await startNumber(1)
      cast.cast.update(fail)
      expect(await cast.done).toBe(boom)
    }))

  it('S108 a call that gets no reply in time fails, and the agent goes on', () =>
    simulate().run(async (sim) => {
      const agent = await startNumber(1)
      let open: (n: number) => void = () => {}
      const slow = settlement(agent.call.update(() => new Promise<number>((resolve) => (open = resolve))))
      await sim.settle()
      await sim.advance(5000, { foreign: true })
      expect((await slow).error).toMatchObject({ name: 'CallError', code: 'timeout' })
      open(2)
      expect(await agent.call.get((n) => n)).toBe(2)
      expect(sim.clock.pending).toBe(0)
    }))

  it('S108 refuses what is no function', () =>
    simulate().run(async () => {
      const agent = await startNumber(1)
      const { error } = await settlement(agent.call.get(7 as never))
      expect(error).toMatchObject({ code: 'exit', cause: { name: 'AgentError', code: 'bad_argument' } })
      expect(String(error)).toMatch(/get of Agent#\d+: expected a function, got 7/)
      const started = await settlement(start(Agent<number>, { arg: 0 as never }))
      expect(started.error).toMatchObject({ code: 'start_failed', cause: { code: 'bad_argument' } })
      expect(String(started.error)).toContain('the initial state of')
    }))

  it('S108 a first state that cannot be made fails the start', () =>
    simulate().run(async (sim) => {
      const boom = new Error('boom')
      for (const initial of [() => Promise.reject(boom), () => fail(boom)]) {
        const { error } = await settlement(start(Agent<number>, { arg: initial }))
        expect(error).toMatchObject({ name: 'StartError', code: 'start_failed', cause: boom })
      }
      expect(sim.processes).toEqual([])
    }))
})

function fail(error: Error): never {
  throw error
}
