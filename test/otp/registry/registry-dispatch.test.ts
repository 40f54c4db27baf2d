import { GenServer, name, type Ref, Registered, Registry, start, TaskError, Unregistered } from 'sluice'
import { simulate } from 'sluice/testing'
import { describe, expect, it } from 'vitest'
import { currentRuntime } from '../../../src/process/runtime.ts'
import { type Member, member, Topics } from '../../support/registries.ts'
import { settlement } from '../../support/settlement.ts'

async function members(count: number): Promise<readonly Ref<Member>[]> {
  const all = await Promise.all(Array.from({ length: count }, member))
  for (const [index, ref] of all.entries()) Registry.register(Topics, ref, 'news', index)
  return all
}

describe('dispatch', () => {
  it('S98 hands all entries of a key to a function in the caller, at once', () =>
    simulate().run(async () => {
      await start(Topics, { name: Topics })
      await members(3)
      const calls: unknown[] = []
      const done = Registry.dispatch(Topics, 'news', (entries) => calls.push(entries.map(({ value }) => value)))
      expect(calls).toEqual([[0, 1, 2]])
      expect(await done).toBeUndefined()
    }))

  it('S98 calls once for each partition, one after another, at once', () =>
    simulate().run(async () => {
      await start(Topics, { name: Topics, arg: { partitions: 3 } })
      await members(12)
      const calls: (readonly unknown[])[] = []
      const done = Registry.dispatch(Topics, 'news', (entries) => calls.push(entries.map(({ value }) => value)))
      expect(calls).toHaveLength(3)
      expect(calls.flat().sort()).toEqual(Array.from({ length: 12 }, (_, index) => index).sort())
      await done
    }))

  it('S98 waits for what the function promises, and calls nothing when nobody is registered', () =>
    simulate().run(async (sim) => {
      await start(Topics, { name: Topics })
      let called = false
      await Registry.dispatch(Topics, 'news', () => {
        called = true
      })
      expect(called).toBe(false)
      const [only] = await members(1)
      let ended = false
      const done = Registry.dispatch(Topics, 'news', async ([entry]) => {
        await entry?.ref.done
        ended = true
      })
      await sim.settle()
      expect(ended).toBe(false)
      only?.kill()
      await done
      expect(ended).toBe(true)
    }))

  it('S99 fails with what the function throws', () =>
    simulate().run(async () => {
      await start(Topics, { name: Topics })
      await members(1)
      const boom = new Error('boom')
      const fail = (): never => {
        throw boom
      }
      expect((await settlement(Registry.dispatch(Topics, 'news', fail))).error).toBe(boom)
      expect((await settlement(Registry.dispatch(Topics, 'news', () => Promise.reject(boom)))).error).toBe(boom)
    }))

  it('S100 in parallel calls outside of the caller, for each partition that has entries', () =>
    simulate().run(async (sim) => {
      await start(Topics, { name: Topics, arg: { partitions: 8 } })
      await members(20)
      const before = sim.processes
      const runners = new Set<unknown>()
      const values: unknown[] = []
      const done = Registry.dispatch(
        Topics,
        'news',
        (entries) => {
          runners.add(currentRuntime().current)
          values.push(...entries.map(({ value }) => value))
        },
        { parallel: true },
      )
      expect(values).toEqual([])
      await done
      expect(runners.size).toBe(8)
      expect(runners.has(undefined)).toBe(false)
      expect(values.sort()).toEqual(Array.from({ length: 20 }, (_, index) => index).sort())
      expect(sim.processes).toEqual(before)
      expect(sim.clock.pending).toBe(0)
    }))

  it('S100 a failure of a parallel call fails the caller, who lives', () =>
    simulate().run(async () => {
      await start(Topics, { name: Topics, arg: { partitions: 2 } })
      class Publisher extends GenServer {
        async publish() {
          const fail = (): never => {
            throw new Error('boom')
          }
          return await settlement(Registry.dispatch(Topics, 'news', fail, { parallel: true }))
        }
      }
      await members(2)
      const publisher = await start(Publisher)
      const { error } = await publisher.call.publish()
      expect(error).toBeInstanceOf(TaskError)
      expect(error).toMatchObject({ code: 'exit', cause: { message: 'boom' } })
      expect(publisher.alive).toBe(true)
    }))
})

describe('listeners', () => {
  it('S102 hear of register and unregister, not of a crash', () =>
    simulate().run(async (sim) => {
      const probe = sim.probe()
      const topics = await start(Topics, { name: Topics, arg: { listeners: [probe.ref] } })
      const [a, b] = [await member(), await member()]
      Registry.register(Topics, a, 'news', 1)
      Registry.register(Topics, b, 'news', 2)
      Registry.unregister(Topics, a, 'news')
      b.kill()
      await sim.settle()
      expect(await probe.received()).toEqual([
        new Registered(topics, 'news', a, 1),
        new Registered(topics, 'news', b, 2),
        new Unregistered(topics, 'news', a),
      ])
    }))

  it('S102 hear of unregister even when there was nothing, and of unregisterMatch when nothing is left', () =>
    simulate().run(async (sim) => {
      const probe = sim.probe()
      const topics = await start(Topics, { name: Topics, arg: { listeners: [probe.ref] } })
      const a = await member()
      Registry.register(Topics, a, 'news', 1)
      Registry.register(Topics, a, 'news', 2)
      Registry.register(Topics, a, 'sport', 1)
      await sim.settle()
      await probe.received()
      Registry.unregisterMatch(Topics, a, 'news', 1)
      Registry.unregisterMatch(Topics, a, 'news', 3)
      Registry.unregisterMatch(Topics, a, 'absent', 1)
      await sim.settle()
      expect(await probe.received()).toEqual([])
      Registry.unregisterMatch(Topics, a, 'news', 2)
      Registry.unregister(Topics, a, 'absent')
      await sim.settle()
      expect(await probe.received()).toEqual([
        new Unregistered(topics, 'news', a),
        new Unregistered(topics, 'absent', a),
      ])
    }))

  it('S102 may be names, which are passed over while nobody bears them', () =>
    simulate().run(async () => {
      class Log extends GenServer {
        readonly #heard: unknown[] = []
        override handleInfo(message: unknown) {
          if (message instanceof Registered || message instanceof Unregistered)
            this.#heard.push([message.type, message.key])
        }
        heard() {
          return this.#heard
        }
      }
      class Heard extends Registry<string> {
        constructor() {
          super({ keys: 'unique', listeners: [name(Log, 'first')] })
        }
      }
      await start(Heard, { name: Heard })
      const a = await member()
      Registry.register(Heard, a, 'early')
      const log = await start(Log, { name: name(Log, 'first') })
      Registry.register(Heard, a, 'late')
      Registry.unregister(Heard, a, 'early')
      expect(await log.call.heard()).toEqual([
        ['register', 'late'],
        ['unregister', 'early'],
      ])
    }))
})
