import {
  child,
  GenServer,
  StartError,
  Supervisor,
  SupervisorError,
  type SupervisorOptions,
  supervise,
  whereis,
} from 'sluice'
import { type Simulation, simulate } from 'sluice/testing'
import { describe, expect, it } from 'vitest'
import { refusal, running, shown, Worker, worker } from '../../support/workers.ts'

const run = (test: (sim: Simulation) => Promise<void>) => simulate().run(test)
const one = (...children: NonNullable<SupervisorOptions['children']>) =>
  supervise({ strategy: 'one_for_one', children })

describe('startChild', () => {
  it('S62 appends: under rest_for_one the new child falls with those before it', () =>
    run(async (sim) => {
      const journal: string[] = []
      const supervisor = await supervise({ strategy: 'rest_for_one', children: [worker('a'), worker('b')] })
      const c = await supervisor.call.startChild(worker('c', (line) => void journal.push(line)))
      expect(c).toBe(await running(supervisor, 'c'))
      ;(await running(supervisor, 'b')).kill()
      await sim.settle()
      expect(journal).toEqual(['start c', 'stop c: shutdown', 'start c'])
      expect(await shown(supervisor)).toEqual(['a: runs', 'b: runs', 'c: runs'])
    }))

  it('S63 refuses the id of a child that runs', () =>
    run(async () => {
      const supervisor = await one(worker('a'))
      const error = await refusal(supervisor.call.startChild(worker('a')))
      expect(error).toBeInstanceOf(SupervisorError)
      expect(error).toMatchObject({ code: 'already_started', ref: await running(supervisor, 'a') })
    }))

  it('S63 refuses the id of a child that is known and does not run', () =>
    run(async () => {
      const supervisor = await one(worker('a'))
      await supervisor.call.terminateChild('a')
      const error = await refusal(supervisor.call.startChild(worker('a')))
      expect(error).toBeInstanceOf(SupervisorError)
      expect(error).toMatchObject({
        code: 'already_present',
        message: expect.stringMatching(/restartChild.*deleteChild/),
      })
    }))

  it('S63 refuses what was not made by child', () =>
    run(async () => {
      const supervisor = await one()
      // @ts-expect-error a class is no specification
      const error = await refusal(supervisor.call.startChild(Worker))
      expect(error).toBeInstanceOf(StartError)
      expect(error).toMatchObject({ code: 'bad_child', message: expect.stringContaining('child(Class, options)') })
      expect(await shown(supervisor)).toEqual([])
    }))

  it('S63 forgets a child that fails to start', () =>
    run(async (sim) => {
      const supervisor = await one()
      const failure = new Error('no database')
      const init = () => {
        throw failure
      }
      const error = await refusal(supervisor.call.startChild(worker('a', undefined, { init })))
      expect(error).toBeInstanceOf(StartError)
      expect(error).toMatchObject({ code: 'start_failed', cause: failure, reason: failure })
      expect(await shown(supervisor)).toEqual([])
      expect(sim.processes).toEqual([supervisor])
      expect(await supervisor.call.startChild(worker('a'))).toMatchObject({ alive: true })
    }))

  it('refuses a child whose name is taken, and forgets it', () =>
    run(async () => {
      const named = (id: string) => child(Worker, { id, name: Worker, arg: { id } })
      const supervisor = await one(named('a'))
      const error = await refusal(supervisor.call.startChild(named('b')))
      expect(error).toMatchObject({ code: 'already_started', ref: whereis(Worker) })
      expect(await shown(supervisor)).toEqual(['a: runs'])
    }))

  it('starts supervisors too', () =>
    run(async () => {
      const supervisor = await one()
      await supervisor.call.startChild(child(Supervisor, { arg: { strategy: 'one_for_one', children: [worker('a')] } }))
      expect(await supervisor.call.countChildren()).toEqual({ specs: 1, active: 1, supervisors: 1, workers: 0 })
    }))

  it('waits as long as the start of the child takes', () =>
    run(async (sim) => {
      const supervisor = await one()
      const init = (self: Worker) => self.sleep(60_000)
      const started = supervisor.call.startChild(worker('a', undefined, { init }))
      await sim.advance(60_000)
      expect(await started).toMatchObject({ alive: true })
    }))
})

describe('terminateChild, restartChild and deleteChild', () => {
  it('S64 stop a child, start it again, and forget it', () =>
    run(async (sim) => {
      const journal: string[] = []
      const supervisor = await one(worker('a', (line) => void journal.push(line)))
      expect(await supervisor.call.terminateChild('a')).toBeUndefined()
      await sim.settle()
      expect(journal).toEqual(['start a', 'stop a: shutdown'])
      expect(await shown(supervisor)).toEqual(['a: undefined'])
      // Not running is no mistake.
      await supervisor.call.terminateChild('a')
      expect(await supervisor.call.restartChild('a')).toBe(await running(supervisor, 'a'))
      await supervisor.call.terminateChild('a')
      expect(await supervisor.call.deleteChild('a')).toBeUndefined()
      expect(await shown(supervisor)).toEqual([])
    }))

  it('S64 forget a temporary child as soon as it is stopped', () =>
    run(async () => {
      const supervisor = await one(worker('a', undefined, { restart: 'temporary' }))
      await supervisor.call.terminateChild('a')
      expect(await shown(supervisor)).toEqual([])
    }))

  it('S64 know a child without an id by its class', () =>
    run(async () => {
      const supervisor = await one(child(Worker, { arg: { id: 'a' } }))
      await supervisor.call.terminateChild(Worker)
      expect(await shown(supervisor)).toEqual(['Worker: undefined'])
    }))

  it('S65 refuse a child that runs', () =>
    run(async () => {
      const supervisor = await one(worker('a'))
      const ref = await running(supervisor, 'a')
      for (const call of [supervisor.call.deleteChild('a'), supervisor.call.restartChild('a')]) {
        expect(await refusal(call)).toMatchObject({ name: 'SupervisorError', code: 'running', ref })
      }
      expect(ref.alive).toBe(true)
    }))

  it('S65 refuse an id that nobody has, and name those that are known', () =>
    run(async () => {
      const supervisor = await one(worker('a'), worker('b'))
      const { call } = supervisor
      for (const refused of [call.deleteChild('x'), call.restartChild('x'), call.terminateChild('x')]) {
        const error = await refusal(refused)
        expect(error).toMatchObject({
          name: 'SupervisorError',
          code: 'not_found',
          message: expect.stringContaining('a, b'),
        })
      }
    }))

  it('S65 refuse a child that is being started again', () =>
    run(async (sim) => {
      let starts = 0
      const init = async (self: Worker) => {
        if (++starts !== 2) return
        await self.sleep(10)
        throw new Error('stumbled')
      }
      const supervisor = await one(worker('a', undefined, { init }))
      ;(await running(supervisor, 'a')).kill()
      await sim.settle()
      // They wait while the supervisor waits for the start that fails, and are served before the next attempt.
      const refusals = Promise.all([supervisor.call.deleteChild('a'), supervisor.call.restartChild('a')].map(refusal))
      await sim.advance(10)
      expect(await refusals).toMatchObject([{ code: 'restarting' }, { code: 'restarting' }])
      expect(await shown(supervisor)).toEqual(['a: runs'])
    }))

  it('fail with the error of the child when it does not start again, and keep it', () =>
    run(async () => {
      let broken = false
      const init = () => {
        if (broken) throw new Error('no database')
      }
      const supervisor = await one(worker('a', undefined, { init }))
      await supervisor.call.terminateChild('a')
      broken = true
      expect(await refusal(supervisor.call.restartChild('a'))).toMatchObject({
        name: 'StartError',
        code: 'start_failed',
      })
      expect(await shown(supervisor)).toEqual(['a: undefined'])
    }))
})

describe('countChildren', () => {
  it('S67 counts specifications and those that run', () =>
    run(async () => {
      const supervisor = await one(worker('a'), worker('b'))
      await supervisor.call.terminateChild('b')
      expect(await supervisor.call.countChildren()).toEqual({ specs: 2, active: 1, supervisors: 0, workers: 2 })
    }))
})

describe('significant children', () => {
  const tree = (autoShutdown: 'any_significant' | 'all_significant', journal?: string[]) =>
    supervise({
      strategy: 'one_for_one',
      autoShutdown,
      children: [
        worker('plain', (line) => void journal?.push(line)),
        worker('a', undefined, { restart: 'transient', significant: true }),
        worker('b', undefined, { restart: 'temporary', significant: true }),
      ],
    })

  it('S68 any of them that ends in order takes the supervisor along', () =>
    run(async (sim) => {
      const journal: string[] = []
      const supervisor = await tree('any_significant', journal)
      ;(await running(supervisor, 'a')).cast.leave('normal')
      expect(await supervisor.done).toBe('shutdown')
      expect(journal).toEqual(['start plain', 'stop plain: shutdown'])
      expect(sim.processes).toEqual([])
    }))

  it('S68 a transient one that fails is started again instead', () =>
    run(async (sim) => {
      const supervisor = await tree('any_significant')
      ;(await running(supervisor, 'a')).cast.leave('boom')
      await sim.settle()
      expect(await shown(supervisor)).toEqual(['plain: runs', 'a: runs', 'b: runs'])
    }))

  it('S68 a temporary one takes the supervisor along however it ends', () =>
    run(async () => {
      const supervisor = await tree('any_significant')
      ;(await running(supervisor, 'b')).kill()
      expect(await supervisor.done).toBe('shutdown')
    }))

  it('S68 neither terminateChild nor the end of others counts', () =>
    run(async (sim) => {
      const supervisor = await tree('any_significant')
      await supervisor.call.terminateChild('a')
      await supervisor.call.startChild(worker('c', undefined, { restart: 'transient' }))
      ;(await running(supervisor, 'c')).cast.leave('normal')
      await sim.settle()
      expect(await shown(supervisor)).toEqual(['plain: runs', 'a: undefined', 'b: runs', 'c: undefined'])
    }))

  it('S69 the last of them takes the supervisor along', () =>
    run(async (sim) => {
      const supervisor = await tree('all_significant')
      ;(await running(supervisor, 'a')).cast.leave('normal')
      await sim.settle()
      expect(await shown(supervisor)).toEqual(['plain: runs', 'a: undefined', 'b: runs'])
      ;(await running(supervisor, 'b')).cast.leave('normal')
      expect(await supervisor.done).toBe('shutdown')
    }))

  it('S70 need an autoShutdown', () =>
    run(async (sim) => {
      const children = [worker('a', undefined, { restart: 'transient', significant: true })]
      const error = await supervise({ strategy: 'one_for_one', children }).catch((e) => e)
      expect(error).toMatchObject({
        name: 'StartError',
        code: 'bad_child',
        message: expect.stringContaining('autoShutdown'),
      })
      expect(sim.processes).toEqual([])
    }))

  it('S70 cannot be permanent', () =>
    run(async () => {
      const autoShutdown = 'any_significant'
      const children = [worker('a', undefined, { significant: true })]
      const error = await supervise({ strategy: 'one_for_one', autoShutdown, children }).catch((e) => e)
      expect(error).toMatchObject({ code: 'bad_child', message: expect.stringContaining('permanent') })
      const supervisor = await supervise({ strategy: 'one_for_one', autoShutdown })
      expect(await refusal(supervisor.call.startChild(worker('a', undefined, { significant: true })))).toMatchObject({
        code: 'bad_child',
      })
    }))
})

describe('options that a supervisor cannot use', () => {
  /** Options as JavaScript may give them. */
  const superviseLoosely = (options: object) => supervise({ strategy: 'one_for_one', ...options }).catch((e) => e)

  it('S71 two children with one id', () =>
    run(async (sim) => {
      const twice = await superviseLoosely({ children: [worker('a'), worker('a')] })
      expect(twice).toMatchObject({ code: 'bad_child', message: expect.stringContaining('two children have the id a') })
      const classes = [child(Worker, { arg: { id: 'a' } }), child(Worker, { arg: { id: 'b' } })]
      const error = await superviseLoosely({ children: classes })
      expect(error).toMatchObject({
        code: 'bad_child',
        message: expect.stringContaining("child(Worker, { id: '...' })"),
      })
      expect(sim.processes).toEqual([])
    }))

  it.each([
    [{ strategy: undefined }, /strategy.*one_for_one, rest_for_one, one_for_all.*undefined/],
    [{ strategy: 'one_for_none' }, /strategy.*one_for_none/],
    [{ maxRestarts: -1 }, /maxRestarts.*integer >= 0.*-1/],
    [{ maxRestarts: 0.5 }, /maxRestarts.*0\.5/],
    [{ maxSeconds: 0 }, /maxSeconds.*> 0.*0/],
    [{ autoShutdown: 'always' }, /autoShutdown.*never.*always/],
    [{ maxRestart: 3 }, /maxRestart: did you mean maxRestarts/],
  ])('S71 %o', (options, message) =>
    run(async (sim) => {
      expect(await superviseLoosely(options)).toMatchObject({
        name: 'StartError',
        code: 'bad_options',
        message: expect.stringMatching(message),
      })
      expect(sim.processes).toEqual([])
    }),
  )

  it('a subclass with bad options does not start either', () =>
    run(async () => {
      class Bad extends Supervisor {
        constructor() {
          super({ strategy: 'one_for_one', maxRestarts: -1 })
        }
      }
      const error = await one(child(Bad)).catch((e) => e)
      expect(error).toMatchObject({ code: 'start_failed', cause: { code: 'bad_options' } })
    }))
})

describe('child', () => {
  class Plain extends GenServer {}
  /** Options as JavaScript may give them. */
  const loosely = (options: object) => () => child(Plain, options)

  it('has the defaults of a worker and of a supervisor', () => {
    expect(child(Plain)).toMatchObject({
      id: Plain,
      restart: 'permanent',
      shutdown: 5000,
      significant: false,
      type: 'worker',
    })
    const arg = { strategy: 'one_for_one' } as const
    expect(child(Supervisor, { arg })).toMatchObject({ id: Supervisor, shutdown: Infinity, type: 'supervisor' })
  })

  it.each([
    ['bad_child', { restart: 'always' }, /restart of child Plain.*permanent, transient, temporary.*always/],
    ['bad_child', { shutdown: -1 }, /shutdown of child Plain.*-1/],
    ['bad_child', { shutdown: 'kill' }, /shutdown of child Plain.*brutal_kill.*kill/],
    ['bad_child', { id: 7 }, /id of child Plain.*string or a class.*7/],
    ['bad_child', { significant: 'yes' }, /significant of child Plain.*yes/],
    ['bad_options', { restrat: 'permanent' }, /restrat: did you mean restart/],
    ['bad_options', { timeout: -1 }, /timeout of Plain.*-1/],
  ])('refuses with %s: %o', (code, options, message) => {
    expect(loosely(options)).toThrow(
      expect.objectContaining({ name: 'StartError', code, message: expect.stringMatching(message) }),
    )
  })

  it('refuses a class that is no process', () => {
    // @ts-expect-error Map is no class of processes
    expect(() => child(Map)).toThrow(expect.objectContaining({ code: 'bad_class' }))
  })
})
