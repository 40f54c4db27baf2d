import {
  ConsumerSupervisor,
  type ConsumerSupervisorOptions,
  child,
  type ExitReason,
  GenServer,
  type Ref,
  Supervisor,
  start,
  whereis,
} from 'sluice'
import { type Simulation, simulate } from 'sluice/testing'
import { describe, expect, it } from 'vitest'
import { alive, Children, kinds } from '../../support/event-children.ts'
import { RawProcess } from '../../support/raw-process.ts'

const run = (test: (sim: Simulation) => Promise<void>) => simulate().run(test)
const errors = (sim: Simulation) => sim.logs.filter(({ level }) => level === 'error').map(({ message }) => message)

describe('stopping a ConsumerSupervisor', () => {
  it('by a kill of its parent stops it, and its children', () =>
    run(async (sim) => {
      const children = new Children()
      const spec = child(ConsumerSupervisor<string>, { name: ConsumerSupervisor, arg: children.options('bare') })
      const tree = await start(Supervisor, { arg: { strategy: 'one_for_one', children: [spec] } })
      const supervisor = whereis(ConsumerSupervisor<string>) as Ref<ConsumerSupervisor<string>>
      new RawProcess().acceptFrom(supervisor).deliver(['a'])
      await sim.settle()
      const [ref] = await alive(supervisor)
      tree.kill()
      expect(await supervisor.done).toBe('killed')
      expect(await ref?.done).toBe('shutdown')
    }))

  it('in the middle of a message starts nothing more', () =>
    run(async (sim) => {
      const seen: string[] = []
      const supervisor: Ref<ConsumerSupervisor<string>> = await start(ConsumerSupervisor<string>, {
        arg: {
          run: (event) => {
            seen.push(event)
            supervisor.kill()
          },
        },
      })
      const raw = new RawProcess()
      raw.acceptFrom(supervisor, { cancel: 'temporary' }).deliver(['a', 'b'])
      await sim.settle()
      expect(seen).toEqual(['a'])
      expect(raw.of('ask')).toEqual([1000])
    }))

  it('S263 asks all children at once, each within its own time', () =>
    run(async (sim) => {
      class Patient extends GenServer {
        readonly #ms: number
        constructor({ ms }: { readonly ms: number }) {
          super()
          this.#ms = ms
        }
        override async terminate(): Promise<void> {
          await this.sleep(this.#ms)
        }
      }
      const events = [
        { ms: 1e9, shutdown: 'brutal_kill' },
        { ms: 900, shutdown: Infinity },
        { ms: 600, shutdown: 1000 },
        { ms: 1e9, shutdown: 1 },
      ] as const
      const supervisor = await start(ConsumerSupervisor<(typeof events)[number]>, {
        arg: {
          child: (event) => child(Patient, { arg: event, shutdown: event.shutdown, restart: 'transient' }),
        },
      })
      new RawProcess().acceptFrom(supervisor).deliver(events)
      await sim.settle()
      const ends: [number, ExitReason][] = []
      for (const { ref } of await supervisor.call.whichChildren()) {
        if (typeof ref === 'object') void ref.done.then((reason) => ends.push([sim.now, reason]))
      }
      const stopped = supervisor.stop()
      await sim.advance(1000)
      await stopped
      expect(ends).toEqual([
        [0, 'killed'],
        [1, 'killed'],
        [600, 'shutdown'],
        [900, 'shutdown'],
      ])
      expect(sim.processes.filter(({ alive }) => alive)).toHaveLength(1)
      expect(sim.clock.pending).toBe(0)
    }))

  it.each(kinds)('S263 ends %s children with shutdown, and their signals fire', (kind) =>
    run(async (sim) => {
      const fired: string[] = []
      const children = new Children()
      const options = children.options(kind)
      const watched: ConsumerSupervisorOptions<string> =
        kind === 'task'
          ? {
              run: async (event, { signal }) => {
                signal.addEventListener('abort', () => fired.push(event))
                await new Promise(() => {})
              },
            }
          : options
      const supervisor = await start(ConsumerSupervisor<string>, { arg: watched })
      const raw = new RawProcess()
      raw.acceptFrom(supervisor).deliver(['a', 'b'])
      await sim.settle()
      const ends = (await alive(supervisor)).map((ref) => ref.done)
      await supervisor.stop()
      expect(await Promise.all(ends)).toEqual(['shutdown', 'shutdown'])
      expect(fired).toEqual(kind === 'task' ? ['a', 'b'] : [])
      expect(raw.of('ask')).toEqual([1000])
    }),
  )

  it.each(kinds)('ends %s children that were never listed too', (kind) =>
    run(async (sim) => {
      const children = new Children()
      const supervisor = await children.start(kind)
      const raw = new RawProcess()
      raw.acceptFrom(supervisor, { maxDemand: 2, minDemand: 0 }).deliver(['a', 'b'])
      await sim.settle()
      await supervisor.stop()
      if (kind === 'task' || kind === 'bare') {
        children.finish('a')
        children.fail('b')
      }
      await sim.settle()
      expect(raw.of('ask')).toEqual([2])
      expect(errors(sim)).toEqual([])
      expect(sim.processes).toHaveLength(1)
    }),
  )

  it.each(kinds)('a kill ends %s children as well', (kind) =>
    run(async (sim) => {
      const children = new Children()
      const supervisor = await children.start(kind, { timeout: 1000 })
      new RawProcess().acceptFrom(supervisor).deliver(['a', 'b'])
      await sim.settle()
      const [first] = kind === 'bare' ? [] : await alive(supervisor)
      supervisor.kill()
      await sim.settle()
      if (first !== undefined) expect(await first.done).toBe('killed')
      expect(sim.processes).toHaveLength(1)
      expect(sim.clock.pending).toBe(0)
    }),
  )
})
