import {
  type Application,
  child,
  GenServer,
  name,
  ProcessError,
  Producer,
  type RunOptions,
  run,
  StartError,
  Supervisor,
  whereis,
} from 'sluice'
import { type Simulation, simulate } from 'sluice/testing'
import { describe, expect, it } from 'vitest'
import { failure } from '../../support/owner.ts'
import { runProgram } from '../../support/program.ts'
import { RawProcess } from '../../support/raw-process.ts'
import { running, SlowWorker, Worker, worker } from '../../support/workers.ts'

const simulated = (test: (sim: Simulation) => Promise<void>) => simulate().run(test)

/** Nothing is left: no process, no timer, no listener. */
function expectNothingLeft(sim: Simulation) {
  const { processes, clock, program } = sim
  const left = { processes: processes.map(String), timers: clock.pending, signals: program.listening }
  expect(left).toEqual({ processes: [], timers: 0, signals: [] })
}

/** A worker that takes `ms` milliseconds for a message, and notes it down. */
class Busy extends GenServer {
  readonly #journal: ((line: string) => void) | undefined

  constructor(journal?: (line: string) => void) {
    super()
    this.#journal = journal
  }
  async work(ms: number) {
    await this.sleep(ms)
    this.#journal?.(`worked ${ms}`)
  }
}

const messages = (sim: Simulation, level: string) =>
  sim.logs.filter((line) => line.level === level).map(({ message }) => message)

describe('an application', () => {
  it('starts its children in order and stops them in reverse', () =>
    simulated(async (sim) => {
      const journal: string[] = []
      const write = (line: string) => void journal.push(line)
      const app = await run([worker('a', write), worker('b', write)], { drain: false })
      expect(journal).toEqual(['start a', 'start b'])
      expect(await app.stop()).toEqual({
        by: 'stop',
        signal: undefined,
        reason: 'shutdown',
        exitCode: 0,
        ms: 0,
        dropped: [],
      })
      expect(journal).toEqual(['start a', 'start b', 'stop b: shutdown', 'stop a: shutdown'])
      expect(sim.program.exitCode).toBeUndefined()
      expectNothingLeft(sim)
    }))

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('stops in order at %s, with the exit code %d', (signal, exitCode) =>
    simulated(async (sim) => {
      const app = await run([worker('a')])
      sim.program.signal(signal)
      expect(await app.done).toMatchObject({ by: 'signal', signal, exitCode, dropped: [] })
      expect(sim.program).toMatchObject({ exitCode, exited: false })
      expectNothingLeft(sim)
    }),
  )

  it.each(['SIGINT', 'SIGTERM'] as const)('ends with 0 at %s when that is wanted and nothing was dropped', (signal) =>
    simulated(async (sim) => {
      const app = await run([child(Busy, { name: Busy })], { exitCode: 'zero_when_drained' })
      name(Busy).cast.work(1000)
      await sim.settle()
      sim.program.signal(signal)
      await sim.advance(1000)
      expect(await app.done).toMatchObject({ by: 'signal', signal, exitCode: 0, dropped: [] })
      expect(sim.program).toMatchObject({ exitCode: 0, exited: false })
    }),
  )

  it('ends with the code of the signal when something was dropped, whatever is wanted', () =>
    simulated(async (sim) => {
      const app = await run([child(Busy, { name: Busy })], { exitCode: 'zero_when_drained', shutdown: 100 })
      name(Busy).cast.work(1000)
      await sim.settle()
      sim.program.signal('SIGTERM')
      await sim.advance(100)
      expect(await app.done).toMatchObject({ exitCode: 143, dropped: [{ killed: true, waitedFor: 'work()' }] })
      expect(sim.program.exitCode).toBe(143)
    }))

  it('finishes what is in hand and in the mailbox', () =>
    simulated(async (sim) => {
      const journal: string[] = []
      const app = await run([child(Busy, { name: Busy, arg: (line: string) => void journal.push(line) })])
      name(Busy).cast.work(1000)
      name(Busy).cast.work(1500)
      await sim.settle()
      sim.program.signal('SIGTERM')
      await sim.advance(2500)
      expect(await app.done).toMatchObject({ ms: 2500, dropped: [] })
      expect(journal).toEqual(['worked 1000', 'worked 1500'])
    }))

  it('drops it without drain, and says so', () =>
    simulated(async (sim) => {
      const journal: string[] = []
      const app = await run([child(Busy, { name: Busy, arg: (line: string) => void journal.push(line) })], {
        drain: false,
      })
      name(Busy).cast.work(1000)
      await sim.settle()
      sim.program.signal('SIGTERM')
      expect(await app.done).toMatchObject({ ms: 0, dropped: [{ killed: false, waitedFor: 'work()', messages: 0 }] })
      expect(journal).toEqual([])
      expect(messages(sim, 'warn')).toEqual([])
    }))

  it('kills what is left at the deadline, and tells what it was', () =>
    simulated(async (sim) => {
      const nested = [child(Busy, { name: Busy, shutdown: 100_000 })]
      const app = await run(
        [
          child(SlowWorker, { arg: { id: 'slow', ms: 1_000_000 }, shutdown: 100_000 }),
          child(Supervisor, { arg: { strategy: 'one_for_one', children: nested } }),
        ],
        { shutdown: 7000 },
      )
      name(Busy).cast.work(1_000_000)
      name(Busy).cast.work(1)
      await sim.settle()
      sim.program.signal('SIGTERM')
      await sim.advance(3500)
      expect(messages(sim, 'warn')).toEqual([
        'the application is still stopping, what is left after 7000 ms will be killed',
      ])
      await sim.advance(3499)
      expect(app.supervisor.alive).toBe(true)
      await sim.advance(1)
      const { dropped, ms, exitCode } = await app.done
      expect({ ms, exitCode }).toEqual({ ms: 7000, exitCode: 143 })
      expect(dropped).toMatchObject([
        { process: expect.stringMatching(/^SlowWorker#/), killed: true, waitedFor: undefined, messages: 0, ms: 7000 },
        { process: expect.stringMatching(/^Supervisor#/), killed: true, waitedFor: 'handleDrain', messages: 0 },
        { process: expect.stringMatching(/^Busy#/), killed: true, waitedFor: 'work()', messages: 1, ms: 7000 },
      ])
      const [report] = sim.logs.filter(({ level }) => level === 'error')
      expect(report?.message).toBe('the application was not stopped within 7000 ms: what is left is killed')
      expect(report?.fields).toMatchObject({
        left: expect.stringMatching(/^ {3}└─ Busy#\d+ +stopping for 7000 ms, waits for work\(\) +1 message$/m),
      })
      expect(sim.program.exited).toBe(false)
      expectNothingLeft(sim)
    }))

  it('tells what a process did not finish within its own time', () =>
    simulated(async (sim) => {
      const app = await run([
        child(Busy, { name: Busy, shutdown: 1000 }),
        child(SlowWorker, { arg: { id: 'slow', ms: 1_000_000 }, shutdown: 2000 }),
      ])
      name(Busy).cast.work(1_000_000)
      name(Busy).cast.work(1)
      await sim.settle()
      const stopped = app.stop()
      await sim.advance(9000)
      const { dropped } = await stopped
      expect(dropped).toMatchObject([
        { process: expect.stringMatching(/^SlowWorker#/), killed: true, waitedFor: 'terminate' },
        { process: expect.stringMatching(/^Busy#/), killed: false, waitedFor: 'work()', messages: 1 },
      ])
      expect(messages(sim, 'warn')).toEqual([
        expect.stringMatching(
          /^SlowWorker#\d+ was not stopped within 2000 ms and was killed: it waits for terminate, 0 messages in its mailbox$/,
        ),
        '2 processes had not finished when the application ended',
      ])
      expect(sim.logs.at(-1)?.fields).toEqual({
        dropped: expect.stringMatching(
          /^SlowWorker#\d+ was killed after \d+ ms, it waited for terminate\nBusy#\d+ ended after \d+ ms, it waited for work\(\), 1 message is lost$/,
        ),
      })
      expectNothingLeft(sim)
    }))

  it('does not miss what comes after it was asked to stop, whether the process still lives or not', () =>
    simulated(async (sim) => {
      const app = await run([child(Busy, { name: Busy })], { exitCode: 'zero_when_drained' })
      name(Busy).cast.work(1000)
      sim.program.signal('SIGTERM')
      await sim.settle()
      name(Busy).cast.work(1)
      await sim.advance(1000)
      name(Busy).cast.work(1)
      expect(await app.done).toMatchObject({ exitCode: 0, ms: 1000, dropped: [] })
    }))

  it('misses what came before, when a process ends on its own', () =>
    simulated(async (sim) => {
      class Moody extends Busy {
        override async work(ms: number) {
          await super.work(ms)
          this.stop()
        }
      }
      const app = await run([child(Moody, { name: Moody, restart: 'temporary' })])
      name(Moody).cast.work(1000)
      name(Moody).cast.work(1)
      const stopped = app.stop()
      await sim.advance(1000)
      expect((await stopped).dropped).toMatchObject([{ killed: false, waitedFor: undefined, messages: 1 }])
    }))

  it('does not miss demand that was left', () =>
    simulated(async (sim) => {
      class Brief extends Producer<number> {
        override handleDemand() {
          return []
        }
        async finish(ms: number) {
          await this.sleep(ms)
          this.stop()
        }
      }
      const app = await run([child(Brief, { name: Brief, restart: 'temporary' })])
      const brief = whereis(Brief)
      if (brief === undefined) throw new Error('it runs')
      const subscription = new RawProcess().subscribeTo(brief)
      name(Brief).cast.finish(1000)
      await sim.settle()
      subscription.ask(10)
      const stopped = app.stop()
      await sim.advance(1000)
      expect((await stopped).dropped).toEqual([])
    }))

  it('loses nothing of a supervisor, which only hears of its children', () =>
    simulated(async (sim) => {
      const arg = { strategy: 'one_for_one', children: [child(Busy, { name: Busy })] } as const
      const app = await run([child(Supervisor, { name: Supervisor, arg })])
      name(Busy).cast.work(1000)
      const stopped = app.stop()
      await sim.settle()
      name(Supervisor).send('while it waits for its child')
      await sim.advance(1000)
      expect((await stopped).dropped).toEqual([])
    }))

  it('is killed at once by a second signal', () =>
    simulated(async (sim) => {
      const app = await run([child(SlowWorker, { arg: { id: 'slow', ms: 1_000_000 } })])
      sim.program.signal('SIGINT')
      await sim.advance(600)
      sim.program.signal('SIGINT')
      expect(sim.program).toMatchObject({ exitCode: 130, exited: true })
      expect(await app.done).toMatchObject({ by: 'signal', exitCode: 130, dropped: [{ killed: true, ms: 600 }] })
      expectNothingLeft(sim)
    }))

  it('takes signals that come together for one', () =>
    simulated(async (sim) => {
      const app = await run([child(SlowWorker, { arg: { id: 'slow', ms: 1000 } })])
      sim.program.signal('SIGINT')
      sim.program.signal('SIGINT')
      sim.program.signal('SIGTERM')
      await sim.advance(1000)
      expect(await app.done).toMatchObject({ signal: 'SIGINT', dropped: [] })
      expect(sim.program.exited).toBe(false)
    }))

  it('stops when its AbortSignal fires', () =>
    simulated(async (sim) => {
      const controller = new AbortController()
      const app = await run([worker('a')], { signal: controller.signal })
      controller.abort()
      expect(await app.done).toMatchObject({ by: 'stop', exitCode: 0 })
      expect(sim.program.exitCode).toBeUndefined()
      expectNothingLeft(sim)
    }))

  it('does not start when its AbortSignal has fired', () =>
    simulated(async (sim) => {
      const reason = new Error('too late')
      expect(await failure(run([worker('a')], { signal: AbortSignal.abort(reason) }))).toBe(reason)
      expectNothingLeft(sim)
    }))

  it('stops when the block is left', () =>
    simulated(async (sim) => {
      let inside: Application | undefined
      {
        await using app = await run([worker('a')])
        inside = app
        expect(app.supervisor.alive).toBe(true)
      }
      expect(inside?.supervisor.alive).toBe(false)
      expectNothingLeft(sim)
    }))

  it('fails with 1 when the root supervisor gives up', () =>
    simulated(async (sim) => {
      const app = await run([worker('a')], { maxRestarts: 0 })
      ;(await running(app.supervisor, 'a')).cast.crash()
      expect(await app.done).toMatchObject({ by: 'failed', reason: 'shutdown', exitCode: 1 })
      expect(sim.program).toMatchObject({ exitCode: 1, exited: false })
      expect(messages(sim, 'error')).toEqual([
        expect.stringMatching(/^Worker#\d+ crashed: Error: boom$/),
        expect.stringMatching(/^Supervisor#\d+ gave up: more than 0 restarts within 5 s, the last of a$/),
      ])
      expectNothingLeft(sim)
    }))

  it('fails with 1 when the root supervisor is killed', () =>
    simulated(async (sim) => {
      const app = await run([worker('a')])
      app.supervisor.kill()
      expect(await app.done).toMatchObject({ by: 'failed', reason: 'killed', exitCode: 1 })
      expect(messages(sim, 'error')).toEqual(['the application ended: killed'])
      await sim.settle()
      expectNothingLeft(sim)
    }))

  it.each([
    ['finishes with 0 when its significant child has done its work', 'normal', 'finished', undefined],
    ['fails with 1 when its significant child fails', 'lost', 'failed', 1],
  ] as const)('%s', (_title, reason, by, exitCode) =>
    simulated(async (sim) => {
      const job = worker('job', undefined, { restart: 'temporary', significant: true })
      const app = await run([job, worker('helper')], { autoShutdown: 'any_significant' })
      ;(await running(app.supervisor, 'job')).cast.leave(reason)
      expect(await app.done).toMatchObject({ by })
      expect(sim.program.exitCode).toBe(exitCode)
      expectNothingLeft(sim)
    }),
  )

  it('fails with 1 when a significant supervisor gives up', () =>
    simulated(async (sim) => {
      const arg = { strategy: 'one_for_one', maxRestarts: 0, children: [worker('a')] } as const
      const job = child(Supervisor, { name: Supervisor, arg, restart: 'temporary', significant: true })
      const app = await run([job], { autoShutdown: 'any_significant' })
      const nested = whereis(Supervisor)
      if (nested === undefined) throw new Error('it does not run')
      ;(await running(nested, 'a')).kill()
      expect(await app.done).toMatchObject({ by: 'failed', exitCode: 1 })
      expectNothingLeft(sim)
    }))

  it('can follow another, not run beside it', () =>
    simulated(async (sim) => {
      const first = await run([worker('a')])
      const error = await failure(run([worker('b')]))
      expect(error).toMatchObject({ code: 'already_started', ref: first.supervisor })
      expect(String(error)).toMatch(/an application runs already, Supervisor#\d+: put the children under one run/)
      const { dropped } = await first.stop()
      const second = await run([child(Busy, { name: Busy })])
      name(Busy).cast.work(1)
      whereis(Busy)?.kill()
      expect(dropped).toEqual([])
      await second.stop()
      expectNothingLeft(sim)
    }))

  it('is not for the inside of a process', () =>
    simulated(async () => {
      class Nested extends GenServer {
        override async init() {
          await run([])
        }
      }
      const error = await failure(run([child(Nested)]))
      expect(error).toMatchObject({ code: 'start_failed', cause: expect.any(ProcessError) })
      expect(String(error)).toMatch(/run was called inside Nested#\d+; use this.startLink\(Supervisor/)
    }))

  it('passes its name and the options of the supervisor on', () =>
    simulated(async () => {
      const root = name(Supervisor, 'root')
      const app = await run([], { name: root, strategy: 'one_for_all' })
      expect(whereis(root)).toBe(app.supervisor)
      await app.stop()
    }))

  it('logs where it is told', () =>
    simulated(async (sim) => {
      const lines: string[] = []
      const log = (_fields: object, message: string) => void lines.push(message)
      const app = await run([worker('a')], { logger: { debug: () => {}, info: log, warn: log, error: log } })
      sim.program.signal('SIGTERM')
      await app.done
      expect(lines).toEqual(['SIGTERM: the application stops, within 9000 ms', 'the application has ended'])
    }))
})

describe('the start of an application', () => {
  it('fails with one error when a child does not start, and leaves nothing', () =>
    simulated(async (sim) => {
      const journal: string[] = []
      const broken = () => {
        throw new RangeError('the port is taken')
      }
      const inner = child(Supervisor, {
        id: 'web',
        arg: { strategy: 'one_for_one', children: [worker('port', undefined, { init: broken })] },
      })
      const error = await failure(run([worker('a', (line) => void journal.push(line)), inner]))
      expect(error).toBeInstanceOf(StartError)
      expect(error).toMatchObject({
        code: 'start_failed',
        message: 'the application did not start: Worker did not start: RangeError: the port is taken (web > port)',
        cause: expect.any(RangeError),
        reason: undefined,
      })
      expect(journal).toEqual(['start a', 'stop a: shutdown'])
      expect(sim.logs.filter(({ level }) => level !== 'debug')).toEqual([])
      expectNothingLeft(sim)
    }))

  it('is waited for when a signal comes meanwhile', () =>
    simulated(async (sim) => {
      const starting = run([worker('slow', undefined, { init: (self) => self.sleep(3000) })])
      await sim.settle()
      sim.program.signal('SIGTERM')
      await sim.advance(3000)
      const app = await starting
      expect(await app.done).toMatchObject({ by: 'signal', exitCode: 143, dropped: [] })
      expectNothingLeft(sim)
    }))

  it('is given up at the deadline after a signal, and the program with it', () =>
    simulated(async (sim) => {
      const failed = failure(run([worker('slow', undefined, { init: (self) => self.sleep(1_000_000) })]))
      await sim.settle()
      sim.program.signal('SIGTERM')
      await sim.advance(9000)
      expect(sim.program).toMatchObject({ exitCode: 143, exited: true })
      expect(await failed).toMatchObject({ code: 'start_failed' })
      expectNothingLeft(sim)
    }))

  it.each<readonly [what: string, options: unknown, message: string]>([
    ['an unknown option', { shutdwon: 1 }, 'run has no option shutdwon: did you mean shutdown?'],
    ['a bad deadline', { shutdown: -1 }, 'shutdown of run: expected milliseconds >= 0, got -1'],
    ['a deadline that is a word', { shutdown: '9s' }, 'shutdown of run: expected milliseconds >= 0, got 9s'],
    ['a bad exit code', { exitCode: 0 }, 'exitCode of run: expected signal or zero_when_drained, got 0'],
    ['a bad drain', { drain: 'yes' }, 'drain of run: expected true or false, got yes'],
    ['signals that are no array', { signals: 'SIGINT' }, 'signals of run: expected an array of signals, got SIGINT'],
    [
      'a signal that nobody can catch',
      { signals: ['SIGKILL'] },
      'signals of run: expected SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGBREAK, SIGUSR2, got SIGKILL',
    ],
    ['a signal of the wrong kind', { signal: 'SIGINT' }, 'signal of run: expected an AbortSignal, got SIGINT'],
    ['a bad strategy', { strategy: 'all' }, 'strategy of Supervisor: expected one_for_one, rest_for_one, one_for_all'],
  ])('refuses %s', (_what, options, message) =>
    simulated(async (sim) => {
      const error = await failure(run([worker('a')], options as RunOptions))
      expect(error).toMatchObject({ code: 'bad_options', message: expect.stringContaining(message) })
      expectNothingLeft(sim)
    }),
  )

  it('refuses children that are none', () =>
    simulated(async (sim) => {
      const notAnArray = await failure(run(worker('a') as never))
      expect(notAnArray).toMatchObject({ code: 'bad_child', message: expect.stringContaining('run([child(Worker)]') })
      const notAChild = await failure(run([Worker as never]))
      expect(notAChild).toMatchObject({ code: 'bad_child' })
      expectNothingLeft(sim)
    }))
})

describe('a program', () => {
  it('ends with 143 at SIGTERM, after what it had in hand', async () => {
    const { code, stdout, stderr } = await runProgram('application', '--work=50', '--kill=SIGTERM')
    expect({ code, stderr }).toEqual({ code: 143, stderr: '' })
    expect(stdout).toBe('worked\nworker stopped\ndatabase closed\nended by signal, 143\n')
  })

  it('ends with 130 at Ctrl-C, when something else would keep it alive', async () => {
    const { code, stdout, stderr } = await runProgram('application', '--linger', '--kill=SIGINT', '--shutdown=50')
    expect(code).toBe(130)
    expect(stdout).toContain('ended by signal, 130')
    expect(stderr).toMatch(/something else keeps the program alive, it is ended now: .*Timeout/)
  })

  it('kills what is left at the deadline, and says what it was', async () => {
    const { code, stderr } = await runProgram('application', '--stop=1000000', '--kill=SIGTERM', '--shutdown=50')
    expect(code).toBe(143)
    expect(stderr).toMatch(
      /error: the application was not stopped within 50 ms: what is left is killed\n {2}left: Supervisor.*\n.*Database.*\n.*Worker#\d+ +stopping/,
    )
  })

  it('is ended at once by a second signal', async () => {
    const { code, stdout } = await runProgram('application', '--stop=1000000', '--kill=SIGINT', '--again=600')
    expect(code).toBe(130)
    expect(stdout).not.toContain('ended by')
  })

  it('ends with 1 when its root supervisor gives up', async () => {
    const { code, stdout, stderr } = await runProgram('application', '--crash')
    expect(code).toBe(1)
    expect(stdout).toContain('ended by failed, 1')
    expect(stderr).toMatch(/gave up: more than 3 restarts within 5 s, the last of Worker/)
  })

  it('ends with 1 and one error when a child does not start', async () => {
    const { code, stdout, stderr } = await runProgram('application', '--fail')
    expect({ code, stdout }).toEqual({ code: 1, stdout: 'database closed\n' })
    expect(stderr).toContain(
      'StartError: the application did not start: Worker did not start: RangeError: the port is taken',
    )
    expect(stderr.match(/RangeError/g)).toHaveLength(2)
  })
})
