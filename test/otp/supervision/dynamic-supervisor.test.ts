import { setImmediate as nextTurn } from 'node:timers/promises'
import {
  CallError,
  child,
  DynamicSupervisor,
  type DynamicSupervisorOptions,
  type ExitReason,
  GenServer,
  ignore,
  name,
  type Ref,
  StartError,
  SupervisorError,
  start,
  startLink,
} from 'sluice'
import { type Simulation, simulate } from 'sluice/testing'
import { describe, expect, it } from 'vitest'
import { processOf } from '../../../src/process/ref.ts'
import { refusal, SlowWorker, Worker, type WorkerOptions } from '../../support/workers.ts'

const run = (test: (sim: Simulation) => Promise<void>) => simulate().run(test)
const dynamic = (arg: DynamicSupervisorOptions = {}) => startLink(DynamicSupervisor, { arg })

type Restart = 'permanent' | 'transient' | 'temporary'

const spec = (init?: WorkerOptions['init'], restart: Restart = 'permanent') =>
  child(Worker, { arg: { id: 'worker', ...(init && { init }) }, restart })

/** Starts a child that is known to start. */
async function added(supervisor: Ref<DynamicSupervisor>, what = spec()): Promise<Ref<Worker>> {
  const ref = await DynamicSupervisor.startChild(supervisor, what)
  if (ref === undefined) throw new Error('the child declined to start')
  return ref
}

const refs = async (supervisor: Ref<DynamicSupervisor>) => (await supervisor.call.whichChildren()).map(({ ref }) => ref)

/** The only child, which must run. */
async function only(supervisor: Ref<DynamicSupervisor>): Promise<Ref> {
  const [ref, ...others] = await refs(supervisor)
  if (typeof ref !== 'object' || others.length > 0) throw new Error(`expected one child that runs, got ${String(ref)}`)
  return ref
}

/** Runs at its first start; then does what the steps say, one at each start. */
function scripted(steps: readonly (() => void)[], restart: Restart = 'permanent') {
  let starts = 0
  return spec(() => steps[starts++ - 1]?.(), restart)
}

describe('startChild', () => {
  it('S73 takes children of one class and one id, and tells them without ids', () =>
    run(async (sim) => {
      const supervisor = await dynamic()
      const a = await added(supervisor)
      const b = await added(supervisor)
      expect(await supervisor.call.whichChildren()).toEqual([
        { id: undefined, ref: a, type: 'worker' },
        { id: undefined, ref: b, type: 'worker' },
      ])
      expect(await supervisor.call.countChildren()).toEqual({ specs: 2, active: 2, supervisors: 0, workers: 2 })
      await supervisor.call.startChild(child(DynamicSupervisor))
      expect(await supervisor.call.countChildren()).toEqual({ specs: 3, active: 3, supervisors: 1, workers: 2 })
      await supervisor.stop()
      expect(sim.processes).toEqual([])
    }))

  it('S74 puts extraArguments under the argument of each child, at its start and at its restart', () =>
    run(async (sim) => {
      const seen: object[] = []
      class Job extends GenServer {
        constructor(arg: { readonly id?: string; readonly limit?: number; readonly journal?: string }) {
          super()
          seen.push({ ...arg })
        }
      }
      const supervisor = await dynamic({ extraArguments: { journal: 'x', limit: 1 } })
      await supervisor.call.startChild(child(Job, { arg: { id: 'a', limit: 2 } }))
      ;(await only(supervisor)).kill()
      await sim.settle()
      expect(seen).toEqual([
        { id: 'a', limit: 2, journal: 'x' },
        { id: 'a', limit: 2, journal: 'x' },
      ])
      class Bare extends GenServer {
        readonly #arg: object | undefined
        constructor(arg?: object) {
          super()
          this.#arg = arg
        }
        given(): object | undefined {
          return this.#arg
        }
      }
      const bare = await DynamicSupervisor.startChild(supervisor, child(Bare))
      expect(await bare?.call.given()).toEqual({ journal: 'x', limit: 1 })
    }))

  it('S74 refuses extraArguments for a child whose argument is no object', () =>
    run(async () => {
      class Text extends GenServer {
        readonly length: number
        constructor(text: string) {
          super()
          this.length = text.length
        }
      }
      const supervisor = await dynamic({ extraArguments: { limit: 1 } })
      const error = await refusal(supervisor.call.startChild(child(Text, { arg: 'a' })))
      expect(error).toMatchObject({
        code: 'bad_child',
        message: expect.stringMatching(/extraArguments .*object.*got a/),
      })
      await expect(dynamic({ extraArguments: ['x'] })).rejects.toMatchObject({ code: 'bad_options' })
    }))

  it('S75 refuses a child more than maxChildren while one runs', () =>
    run(async () => {
      const supervisor = await dynamic({ maxChildren: 1 })
      const first = await added(supervisor)
      const error = await refusal(supervisor.call.startChild(spec()))
      expect(error).toBeInstanceOf(SupervisorError)
      expect(error).toMatchObject({
        code: 'max_children',
        message: expect.stringMatching(/has 1 child.*maxChildren is 1/),
      })
      await supervisor.call.terminateChild(first)
      expect(await added(supervisor)).toMatchObject({ alive: true })
    }))

  it('S75 refuses a child more than maxChildren while one is being restarted', () =>
    run(async (sim) => {
      const supervisor = await dynamic({ maxChildren: 1, maxRestarts: 100 })
      let failing = false
      const stumbling = spec(async (self) => {
        await self.sleep(failing ? 10 : 0)
        if (failing) throw new Error('not yet')
      })
      const started = DynamicSupervisor.startChild(supervisor, stumbling)
      await sim.advance(1)
      failing = true
      ;(await started)?.kill()
      await sim.settle()
      const refused = refusal(supervisor.call.startChild(spec()))
      await sim.advance(10)
      expect(await refused).toMatchObject({ code: 'max_children' })
    }))

  it('S75 of 0 refuses all', () =>
    run(async () => {
      const supervisor = await dynamic({ maxChildren: 0 })
      expect(await refusal(supervisor.call.startChild(spec()))).toMatchObject({ code: 'max_children' })
    }))

  it('S76 replies undefined for a child that declines, and keeps nothing', () =>
    run(async (sim) => {
      class Declining extends GenServer {
        override init(): void {
          throw ignore
        }
      }
      const supervisor = await dynamic()
      expect(await supervisor.call.startChild(child(Declining))).toBeUndefined()
      expect(await refs(supervisor)).toEqual([])
      expect(sim.processes).toEqual([supervisor])
    }))

  it.each<[string, unknown, object]>([
    ['an error', new Error('no database'), { cause: { message: 'no database' }, reason: { message: 'no database' } }],
    ['a word', 'busy', { cause: 'busy', reason: 'busy' }],
    ['something else', 42, { cause: 42, reason: { message: '42' } }],
  ])('S76 fails with what the start threw, and keeps nothing: %s', (_, thrown, expected) =>
    run(async (sim) => {
      const supervisor = await dynamic()
      const late = async (self: Worker) => {
        await self.sleep(5)
        throw thrown
      }
      const now = () => {
        throw thrown
      }
      for (const init of [now, late]) {
        const refused = refusal(supervisor.call.startChild(spec(init)))
        await sim.advance(5)
        const error = await refused
        expect(error).toBeInstanceOf(StartError)
        expect(error).toMatchObject({ code: 'start_failed', ...expected })
      }
      expect(await refs(supervisor)).toEqual([])
      expect(sim.processes).toEqual([supervisor])
    }),
  )

  it('S76 fails when the process ends while it starts', () =>
    run(async (sim) => {
      const supervisor = await dynamic()
      const refused = refusal(supervisor.call.startChild(spec((self) => self.sleep(1000))))
      await sim.settle()
      sim.processes.at(-1)?.kill()
      expect(await refused).toMatchObject({ code: 'start_failed', reason: 'killed' })
      expect(await refs(supervisor)).toEqual([])
    }))

  it('S76 fails when the name of the child is taken', () =>
    run(async () => {
      const supervisor = await dynamic()
      const named = () => child(Worker, { name: Worker, arg: { id: 'a' } })
      const ref = await supervisor.call.startChild(named())
      expect(await refusal(supervisor.call.startChild(named()))).toMatchObject({ code: 'already_started', ref })
      expect(await refs(supervisor)).toEqual([ref])
    }))

  it('S81 is not reached by a bad specification', () =>
    run(async () => {
      const supervisor = await dynamic()
      // @ts-expect-error no such restart
      expect(() => supervisor.call.startChild(child(Worker, { arg: { id: 'a' }, restart: 'sometimes' }))).toThrow(
        expect.objectContaining({ code: 'bad_child', message: expect.stringMatching(/restart.*sometimes/) }),
      )
      // @ts-expect-error a class is no specification
      expect(await refusal(supervisor.call.startChild(Worker))).toMatchObject({ code: 'bad_child' })
      const significant = child(Worker, { arg: { id: 'a' }, restart: 'transient', significant: true })
      expect(await refusal(supervisor.call.startChild(significant))).toMatchObject({
        code: 'bad_child',
        message: expect.stringContaining('is significant'),
      })
      expect(await refs(supervisor)).toEqual([])
    }))

  it('S81 is refused by the caller, while the supervisor is busy', () =>
    run(async (sim) => {
      const supervisor = await dynamic()
      const starting = supervisor.call.startChild(spec((self) => self.sleep(1000)))
      await sim.settle()
      // @ts-expect-error a class is no specification
      await expect(DynamicSupervisor.startChild(supervisor, Worker)).rejects.toMatchObject({ code: 'bad_child' })
      const significant = child(Worker, { arg: { id: 'a' }, restart: 'transient', significant: true })
      await expect(DynamicSupervisor.startChild(supervisor, significant)).rejects.toMatchObject({ code: 'bad_child' })
      expect(sim.now).toBe(0)
      await sim.advance(1000)
      expect(await refs(supervisor)).toEqual([await starting])
    }))

  it('finds the supervisor by its name', () =>
    run(async () => {
      const workers = name(DynamicSupervisor, 'workers')
      class Jobs extends DynamicSupervisor {
        constructor() {
          super({ maxChildren: 1 })
        }
      }
      const first = await startLink(DynamicSupervisor, { name: workers })
      const second = await startLink(Jobs, { name: Jobs })
      const a = await DynamicSupervisor.startChild(workers, spec())
      const b = await DynamicSupervisor.startChild(Jobs, spec())
      expect([await refs(first), await refs(second)]).toEqual([[a], [b]])
    }))
})

describe('a child that ends', () => {
  const endings: readonly [Restart, ExitReason, 'restarted' | 'forgotten'][] = [
    ['permanent', 'normal', 'restarted'],
    ['permanent', 'shutdown', 'restarted'],
    ['permanent', 'boom', 'restarted'],
    ['transient', 'normal', 'forgotten'],
    ['transient', 'shutdown', 'forgotten'],
    ['transient', 'boom', 'restarted'],
    ['temporary', 'normal', 'forgotten'],
    ['temporary', 'shutdown', 'forgotten'],
    ['temporary', 'boom', 'forgotten'],
  ]
  it.each(endings)('S77 %s with %s is %s', (restart, reason, expected) =>
    run(async (sim) => {
      const supervisor = await dynamic()
      const ref = await added(supervisor, spec(undefined, restart))
      ref.cast.leave(reason)
      await sim.settle()
      const children = await refs(supervisor)
      expect(children.includes(ref)).toBe(false)
      expect(await supervisor.call.countChildren()).toMatchObject(
        expected === 'restarted' ? { specs: 1, active: 1 } : { specs: 0, active: 0 },
      )
    }),
  )

  it('S78 is tried again when its restart fails', () =>
    run(async (sim) => {
      const supervisor = await dynamic()
      const stumble = () => {
        throw new Error('stumbled')
      }
      const ref = await added(supervisor, scripted([stumble]))
      ref.kill()
      await sim.settle()
      expect((await only(supervisor)).alive).toBe(true)
      expect(sim.logs.filter(({ level }) => level === 'error').map(({ message }) => message)).toEqual([
        expect.stringMatching(/could not restart Worker and will try again: .*stumbled/),
      ])
    }))

  it('S78 is told as restarting between the attempts', () =>
    run(async (sim) => {
      const supervisor = await dynamic()
      let starts = 0
      const slow = spec(async (self) => {
        starts++
        await self.sleep(10)
        if (starts === 2) throw new Error('stumbled')
      })
      const started = DynamicSupervisor.startChild(supervisor, slow)
      await sim.advance(10)
      ;(await started)?.kill()
      await sim.settle()
      // Answered after the attempt that runs now has failed, before the next.
      const answered = supervisor.call.whichChildren()
      const counted = supervisor.call.countChildren()
      await sim.advance(10)
      expect(await answered).toEqual([{ id: undefined, ref: 'restarting', type: 'worker' }])
      expect(await counted).toEqual({ specs: 1, active: 0, supervisors: 0, workers: 1 })
      await sim.advance(10)
      expect((await only(supervisor)).alive).toBe(true)
    }))

  it('S78 is removed when it declines to be restarted', () =>
    run(async (sim) => {
      const supervisor = await dynamic()
      const decline = () => {
        throw ignore
      }
      ;(await added(supervisor, scripted([decline]))).kill()
      await sim.settle()
      expect(await supervisor.call.countChildren()).toMatchObject({ specs: 0 })
    }))

  it('more often than maxRestarts within maxSeconds stops the supervisor and all other children', () =>
    run(async (sim) => {
      const supervisor = await dynamic({ maxRestarts: 1, maxSeconds: 2 })
      await added(supervisor, spec(undefined, 'temporary'))
      const ref = await added(supervisor)
      ref.kill()
      await sim.settle()
      const again = (await refs(supervisor)).at(-1)
      if (typeof again === 'object') again.kill()
      expect(await supervisor.done).toBe('shutdown')
      expect(sim.processes).toEqual([])
      expect(sim.logs.filter(({ level }) => level === 'error').map(({ message }) => message)).toEqual([
        expect.stringMatching(/DynamicSupervisor#\d+ gave up: more than 1 restarts within 2 s, the last of Worker/),
      ])
    }))
})

describe('terminateChild', () => {
  it('S79 stops a child and forgets it, permanent or not', () =>
    run(async () => {
      const supervisor = await dynamic()
      const ref = await added(supervisor)
      expect(await supervisor.call.terminateChild(ref)).toBeUndefined()
      expect(ref.alive).toBe(false)
      expect(await ref.done).toBe('shutdown')
      const error = await refusal(supervisor.call.terminateChild(ref))
      expect(error).toBeInstanceOf(SupervisorError)
      expect(error).toMatchObject({ code: 'not_found', message: expect.stringContaining(`${ref}`) })
      expect(await refs(supervisor)).toEqual([])
    }))

  it('S79 ends the attempts to restart one, which it finds by the old ref', () =>
    run(async (sim) => {
      const supervisor = await dynamic({ maxRestarts: 100 })
      let starts = 0
      const failing = spec(async (self) => {
        starts++
        await self.sleep(10)
        if (starts > 1) throw new Error('stumbled')
      })
      const started = added(supervisor, failing)
      await sim.advance(10)
      const ref = await started
      ref.kill()
      await sim.settle()
      const terminated = supervisor.call.terminateChild(ref)
      await sim.advance(10)
      expect(await terminated).toBeUndefined()
      await sim.advance(1000)
      expect(starts).toBe(2)
      expect(await refs(supervisor)).toEqual([])
      expect(await refusal(supervisor.call.terminateChild(ref))).toMatchObject({ code: 'not_found' })
    }))

  it('is done when everybody knows of the end of the child, also in the middle of the end of another process', async () => {
    // Outside of a simulation, where an idle supervisor handles a request before the call returns.
    class Plain extends GenServer {}
    const supervisor = await dynamic()
    const ref = (await supervisor.call.startChild(child(Plain))) as Ref
    const other = await start(Plain)
    const order: string[] = []
    void ref.done.then(() => order.push('it has ended'))
    const asked = new Promise<void>((resolve) => {
      processOf(other).signalOfEnd.addEventListener('abort', () => {
        resolve(supervisor.call.terminateChild(ref).then(() => void order.push('it was terminated')))
      })
    })
    // In a turn that has time left.
    await nextTurn()
    other.kill()
    await asked
    expect(order).toEqual(['it has ended', 'it was terminated'])
    await supervisor.stop()
  })

  it('waits for a child that takes its time, and kills one that takes longer than its shutdown', () =>
    run(async (sim) => {
      const supervisor = await dynamic()
      const slow = (ms: number) => child(SlowWorker, { arg: { id: 'slow', ms }, shutdown: 100 })
      const ends: ExitReason[] = []
      for (const ms of [50, 500]) {
        const ref = await added(supervisor, slow(ms))
        const terminated = supervisor.call.terminateChild(ref)
        await sim.advance(100)
        await terminated
        ends.push(await ref.done)
      }
      expect(ends).toEqual(['shutdown', 'killed'])
      expect(sim.clock.pending).toBe(0)
    }))
})

describe('stopping a dynamic supervisor', () => {
  it('S80 asks all children at once, each within its own time', () =>
    run(async (sim) => {
      class Hanging extends GenServer {
        override async terminate(): Promise<void> {
          await this.sleep(600)
        }
      }
      class Stuck extends GenServer {
        override async terminate(): Promise<void> {
          await this.sleep(1e9)
        }
      }
      const supervisor = await dynamic()
      const children = await Promise.all(
        [
          child(Stuck, { shutdown: 1 }),
          child(Hanging, { shutdown: 1000 }),
          child(Stuck, { shutdown: 'brutal_kill' }),
        ].map((each) => supervisor.call.startChild(each)),
      )
      const ends: [number, ExitReason][] = []
      for (const ref of children) void ref?.done.then((reason) => ends.push([sim.now, reason]))
      const stopped = supervisor.stop()
      await sim.advance(600)
      await stopped
      expect(ends).toEqual([
        [0, 'killed'],
        [1, 'killed'],
        [600, 'shutdown'],
      ])
      expect(sim.processes).toEqual([])
      expect(sim.clock.pending).toBe(0)
    }))

  it('with drain lets all finish at once what they hold', () =>
    run(async (sim) => {
      class Batch extends GenServer {
        override async handleDrain(): Promise<void> {
          await this.sleep(300)
        }
      }
      const supervisor = await dynamic()
      const children = await Promise.all([1, 2, 3].map(() => supervisor.call.startChild(child(Batch))))
      const stopped = supervisor.stop({ drain: true })
      await sim.advance(299)
      expect(children.map((ref) => ref?.alive)).toEqual([true, true, true])
      await sim.advance(1)
      await stopped
      expect(sim.processes).toEqual([])
      expect(sim.clock.pending).toBe(0)
    }))
})

describe('the options of a dynamic supervisor', () => {
  it.each<[object, RegExp]>([
    [{ maxChildren: -1 }, /maxChildren of DynamicSupervisor: expected an integer >= 0 or Infinity, got -1/],
    [{ maxChildren: 1.5 }, /maxChildren.*got 1.5/],
    [{ maxRestarts: -1 }, /maxRestarts of DynamicSupervisor.*got -1/],
    [{ maxSeconds: 0 }, /maxSeconds of DynamicSupervisor.*got 0/],
    [{ maxChilden: 1 }, /DynamicSupervisor has no option maxChilden: did you mean maxChildren\?/],
    [{ extraArguments: 'x' }, /extraArguments of DynamicSupervisor: expected an object, got x/],
  ])('%j are refused', (options, message) =>
    run(async () => {
      const error = await dynamic(options).catch((thrown: unknown) => thrown)
      expect(error).toBeInstanceOf(StartError)
      expect(error).toMatchObject({ code: 'bad_options', message: expect.stringMatching(message) })
    }),
  )

  it('are those of a call without timeout', () =>
    run(async (sim) => {
      const supervisor = await dynamic()
      const started = supervisor.call.startChild(spec((self) => self.sleep(60_000)))
      await sim.advance(60_000)
      expect(await started).toMatchObject({ alive: true })
      expect(await supervisor.with({ timeout: 1 }).call.countChildren()).toMatchObject({ active: 1 })
      await supervisor.stop()
      await expect(supervisor.call.countChildren()).rejects.toBeInstanceOf(CallError)
    }))
})
