/** The jobber example: what becomes of jobs, whoever crashes whenever. */

import fc from 'fast-check'
import { name, type Ref, start, whereis } from 'sluice'
import { type Simulation, simulate } from 'sluice/testing'
import { describe, expect, it } from 'vitest'
import { Board } from '../../examples/jobber/board.ts'
import { runningImports, runningJobs } from '../../examples/jobber/job-registry.ts'
import { JobRunner } from '../../examples/jobber/job-runner.ts'
import { startJob } from '../../examples/jobber/jobber.ts'
import { delayBefore } from '../../examples/jobber/retry.ts'
import { randomFrom } from '../../examples/random.ts'
import { Adversary } from '../support/adversary.ts'
import { email, order, orders, scripted, startJobs, story, TAKES } from '../support/jobber.ts'
import { settlement } from '../support/settlement.ts'

const numRuns = process.env['CI'] ? 1000 : 100

const simulated = (test: (sim: Simulation) => Promise<void>) => simulate().run(test)

const kindOf = (ref: Ref) => String(ref).replace(/[#(].*$/, '')
const ofKind = (sim: Simulation, kind: string) => sim.processes.filter((ref) => kindOf(ref) === kind)

/** More than any run of this file takes. */
const ENOUGH = 60_000

describe('a job', () => {
  it('is done at the first attempt when nothing is wrong', () =>
    simulated(async (sim) => {
      const jobs = await startJobs(sim, [order('a', 'done')])
      await sim.advance(TAKES)
      expect(jobs.records).toEqual([
        {
          id: 'a',
          type: 'import',
          subject: 'a: done',
          status: 'done',
          attempts: 1,
          crashes: 0,
          progress: 1,
          remark: 'all of it',
        },
      ])
      expect(jobs.root.alive).toBe(false)
      expect(sim.processes).toEqual([])
      expect(sim.clock.pending).toBe(0)
    }))

  it('is repeated when an attempt failed, after a rest that doubles', () =>
    simulated(async (sim) => {
      const jobs = await startJobs(sim, [order('a', 'errored', 'errored', 'errored', 'done')])
      await sim.advance(ENOUGH)
      expect(story(jobs, 'a')).toEqual(['0 started', '10 errored', '120 errored', '330 errored', '740 done'])
      expect(jobs.told[1]?.remark).toBe('no answer; retry 1 of 3 in 100 ms')
      expect(jobs.records).toMatchObject([{ status: 'done', attempts: 4, crashes: 0 }])
    }))

  it('is repeated after a constant rest, if so wanted', () =>
    simulated(async (sim) => {
      const retry = { maxRetries: 2, delay: 100, backoff: 'constant' } as const
      const jobs = await startJobs(sim, [order('a', 'errored')], { retry })
      await sim.advance(ENOUGH)
      expect(story(jobs, 'a')).toEqual(['0 started', '10 errored', '120 errored', '230 failed'])
    }))

  it('has failed when all its retries are used up, which is no crash', () =>
    simulated(async (sim) => {
      const jobs = await startJobs(sim, [order('a', 'errored')])
      await sim.advance(ENOUGH)
      expect(jobs.records).toMatchObject([{ status: 'failed', attempts: 4, crashes: 0, remark: 'no answer' }])
      expect(sim.logs.filter(({ level }) => level === 'error')).toEqual([])
    }))

  it('that crashes is started again, with all its retries', () =>
    simulated(async (sim) => {
      const jobs = await startJobs(sim, [order('a', 'errored', 'crash', 'errored', 'errored', 'errored', 'done')])
      await sim.advance(ENOUGH)
      const [record] = jobs.records
      expect(record).toMatchObject({ status: 'done', attempts: 6, crashes: 1 })
      expect(jobs.told.map(({ event }) => event)).toEqual([
        'started',
        'errored',
        'crashed',
        'errored',
        'errored',
        'errored',
        'done',
      ])
    }))

  it('that always crashes is given up, and nobody else notices', () =>
    simulated(async (sim) => {
      const jobs = await startJobs(sim, [order('good', 'errored', 'errored', 'done'), order('bad', 'crash')])
      await sim.settle()
      const before = ['JobRegistry', 'Board', 'JobRunner', 'Jobber', 'Submitter'].flatMap((kind) => ofKind(sim, kind))
      const [good] = runningImports()
      await sim.advance(4 * TAKES)
      expect(story(jobs, 'bad')).toEqual([
        '0 started',
        '10 crashed',
        '20 crashed',
        '30 crashed',
        '40 crashed',
        '40 gave up',
      ])
      expect(runningImports()).toEqual([good])
      expect(before.every(({ alive }) => alive)).toBe(true)
      await sim.advance(ENOUGH)
      expect(jobs.records).toMatchObject([
        { id: 'good', status: 'done', attempts: 3, crashes: 0 },
        { id: 'bad', status: 'crashed', attempts: 4, crashes: 4, remark: 'TypeError: nobody foresaw this' },
      ])
      const reports = sim.logs.filter(({ level }) => level === 'error').map(({ message }) => message)
      expect(reports.at(-1)).toMatch(/^JobSupervisor\(JobRegistry\/bad\)#\d+ gave up: more than 3 restarts within 30 s/)
    }))

  it('tells how far it is', () =>
    simulated(async (sim) => {
      await startJobs(sim, [order('a', 'done')])
      await sim.advance(TAKES / 2)
      expect(await name(Board).call.jobs()).toMatchObject([{ status: 'running', progress: 0.5 }])
    }))

  it('waits so long before a retry', () => {
    const retry = { maxRetries: 3, delay: 200 }
    const delays = (backoff: 'constant' | 'exponential') => [1, 2, 3].map((n) => delayBefore(n, { ...retry, backoff }))
    expect(delays('constant')).toEqual([200, 200, 200])
    expect(delays('exponential')).toEqual([200, 400, 800])
  })
})

describe('the front door', () => {
  it('refuses the sixth import while five run, says why, and takes it when one has ended', () =>
    simulated(async (sim) => {
      await startJobs(sim, [order('quick', 'done'), ...orders(4, 'stuck')])
      await sim.settle()
      const running = ['quick', 'import-1', 'import-2', 'import-3', 'import-4']
      expect(runningImports().map(({ id }) => id)).toEqual(running)
      const { error } = await settlement(startJob(order('sixth', 'stuck')))
      expect(error).toMatchObject({
        name: 'JobRefused',
        code: 'quota_reached',
        passes: true,
        message: 'the quota of 5 jobs of type import is reached; try again when one has ended',
      })
      await startJob(email('mail', 'stuck'))
      expect(runningJobs()).toHaveLength(6)
      expect(runningImports()).toHaveLength(5)
      await sim.advance(TAKES)
      await startJob(order('sixth', 'stuck'))
      expect(runningImports().map(({ id }) => id)).toEqual([...running.slice(1), 'sixth'])
    }))

  it('takes all orders, each as soon as there is a place for it', () =>
    simulated(async (sim) => {
      const jobs = await startJobs(sim, orders(7, 'done'))
      await sim.advance(ENOUGH)
      expect(story(jobs, 'import-5')).toEqual(['0 started', '10 done'])
      expect(story(jobs, 'import-6')).toEqual(['0 refused', '10 started', '20 done'])
      expect(story(jobs, 'import-7')).toEqual(['10 refused', '10 started', '20 done'])
    }))

  it('gives the last place to one of two who ask at the same time', () =>
    simulated(async (sim) => {
      await startJobs(sim, orders(4, 'stuck'))
      await sim.settle()
      const asked = await Promise.all(['a', 'b'].map((id) => settlement(startJob(order(id, 'stuck')))))
      expect(asked.filter(({ error }) => error === undefined)).toHaveLength(1)
      expect(runningImports()).toHaveLength(5)
    }))

  it('keeps the place of a job that has crashed until it is started again', async () => {
    for (let seed = 0; seed < 50; seed++) {
      await simulate({ seed }).run(async (sim) => {
        await startJobs(sim, [order('first', 'stuck')], { quotas: { import: 1 } })
        await sim.settle()
        const [job] = ofKind(sim, 'Job')
        job?.kill()
        const { error } = await settlement(startJob(order('second', 'done')))
        expect(error).toMatchObject({ code: 'quota_reached' })
        await sim.settle()
        expect(ofKind(sim, 'Job')).toHaveLength(1)
        expect(job?.alive).toBe(false)
      })
    }
  })

  it('refuses a type that it has no work for', () =>
    simulated(async (sim) => {
      await startJobs(sim, [order('a', 'stuck')])
      const refusal = { code: 'unknown_type', passes: false }
      const { error } = await settlement(startJob({ id: 'b', type: 'export', subject: 'x' }))
      expect(error).toMatchObject(refusal)
      expect(String(error)).toBe("JobRefused: unknown job type 'export', known are import, send_email")
      const inherited = await settlement(startJob({ id: 'c', type: 'toString', subject: 'x' }))
      expect(inherited.error).toMatchObject(refusal)
    }))

  it('refuses an id that runs', () =>
    simulated(async (sim) => {
      await startJobs(sim, [order('a', 'stuck')])
      await sim.settle()
      const { error } = await settlement(startJob(order('a', 'done')))
      expect(error).toMatchObject({ code: 'id_taken', message: 'a job with the id a runs, give each its own' })
    }))

  it('refuses what the runner has no place for', () =>
    simulated(async (sim) => {
      await startJobs(sim, [email('a', 'stuck')], { maxJobs: 1 })
      await sim.settle()
      const { error } = await settlement(startJob(email('b', 'done')))
      expect(error).toMatchObject({ code: 'runner_full', passes: true })
      expect(String(error)).toMatch(/^JobRefused: JobRunner#\d+ has 1 children, and maxChildren is 1; try again/)
    }))

  it('goes on after each refusal', () =>
    simulated(async (sim) => {
      const impossible = { id: 'b', type: 'export', subject: 'x' }
      const jobs = await startJobs(sim, [order('a', 'done'), impossible, email('c', 'done'), email('d', 'done')], {
        maxJobs: 1,
      })
      await sim.advance(ENOUGH)
      expect(jobs.records.map(({ id, status }) => `${id} ${status}`)).toEqual([
        'a done',
        'b refused',
        'c done',
        'd done',
      ])
      expect(sim.logs).toEqual([])
    }))

  it('ends with what it could not start when nothing can be started at all', () =>
    simulated(async (sim) => {
      const jobs = await startJobs(sim, orders(2, 'done'), { quotas: { import: 0 } })
      await sim.advance(ENOUGH)
      expect(jobs.records.map(({ status, remark }) => [status, remark])).toEqual([
        ['dropped', 'not started'],
        ['dropped', 'not started'],
      ])
    }))

  it('does not start with two orders of one id', () =>
    simulated(async (sim) => {
      const { error } = await settlement(startJobs(sim, [order('a', 'done'), email('a', 'done')]))
      expect(String(error)).toContain('two orders have the id a, expected one each')
      expect(sim.processes).toEqual([])
    }))
})

describe('the tree', () => {
  it('has a supervisor for each job, and the counts show it', () =>
    simulated(async (sim) => {
      await startJobs(sim, [...orders(5, 'stuck'), email('mail', 'stuck')])
      await sim.settle()
      const runner = name(JobRunner)
      expect(await runner.call.countChildren()).toEqual({ specs: 6, active: 6, supervisors: 6, workers: 0 })
      const children = await runner.call.whichChildren()
      expect(children.map(({ ref }) => ref)).toEqual(runningJobs().map(({ ref }) => ref))
      const [first] = children
      if (typeof first?.ref !== 'object') throw new Error('the first job does not run')
      expect(ofKind(sim, 'Job')).toHaveLength(6)
    }))

  it('is empty again when all jobs have ended, however they did', () =>
    simulated(async (sim) => {
      await startJobs(sim, [order('a', 'done'), order('b', 'errored'), order('c', 'crash'), order('d', 'stuck')])
      await sim.advance(ENOUGH)
      expect(await name(JobRunner).call.countChildren()).toMatchObject({ specs: 1, active: 1 })
      expect(runningJobs().map(({ id }) => id)).toEqual(['d'])
    }))
})

describe.each([{ drain: false }, { drain: true }])('the stop with %j', ({ drain }) => {
  it('waits for what runs, and repeats at once what had errored', () =>
    simulated(async (sim) => {
      const jobs = await startJobs(sim, [
        order('runs', 'done'),
        order('rests', 'errored', 'done'),
        order('rests longer', 'errored', 'errored', 'done'),
        order('fails', 'errored'),
      ])
      await sim.advance(TAKES - 1)
      const late = await settlement(startJob(order('late', 'done')))
      expect(late.error).toBeUndefined()
      await sim.advance(6)
      const stopped = jobs.root.stop({ reason: 'shutdown', drain })
      await sim.advance(ENOUGH)
      await stopped
      expect(story(jobs, 'runs')).toEqual(['0 started', '10 done'])
      expect(story(jobs, 'late')).toEqual(['9 started', '19 done'])
      expect(story(jobs, 'rests')).toEqual(['0 started', '10 errored', '25 done'])
      expect(story(jobs, 'rests longer')).toEqual(['0 started', '10 errored', '25 errored', '235 done'])
      expect(story(jobs, 'fails')).toEqual(['0 started', '10 errored', '25 errored', '235 errored', '645 failed'])
      expect(sim.processes).toEqual([])
    }))

  it('kills at the deadline what goes on, and tells what was dropped', () =>
    simulated(async (sim) => {
      const jobs = await startJobs(sim, [
        order('stuck', 'stuck'),
        order('retries', 'errored', 'errored', 'stuck'),
        ...orders(4, 'done'),
      ])
      await sim.settle()
      const stopped = jobs.root.stop({ reason: 'shutdown', drain })
      await sim.advance(999)
      expect(jobs.root.alive).toBe(true)
      await sim.advance(1)
      await stopped
      expect(story(jobs, 'stuck')).toEqual(['0 started', '1000 dropped'])
      expect(story(jobs, 'retries')).toEqual(['0 started', '10 errored', '20 errored', '1000 dropped'])
      expect(story(jobs, 'import-4')).toEqual(['0 refused', '1000 dropped'])
      const dropped = jobs.records.filter(({ status }) => status === 'dropped')
      expect(dropped.map(({ id, remark }) => `${id}: ${remark}`)).toEqual([
        'stuck: was stopped before it was done',
        'retries: was stopped before it was done',
        'import-4: not started',
      ])
      expect(sim.processes).toEqual([])
      expect(sim.clock.pending).toBe(0)
    }))

  it('takes what a killed job still says for nothing', () =>
    simulated(async (sim) => {
      const heeding = async (_subject: string, { signal }: { readonly signal: AbortSignal }) => {
        await new Promise((resolve) => signal.addEventListener('abort', resolve))
        return { errored: 'the request was given up' }
      }
      const jobs = await startJobs(sim, [order('a')], { works: { import: heeding } })
      await sim.settle()
      const stopped = jobs.root.stop({ reason: 'shutdown', drain })
      await sim.advance(1000, { foreign: true })
      await stopped
      await sim.settle()
      expect(story(jobs, 'a')).toEqual(['0 started', '1000 dropped'])
    }))

  it('hands in no more orders, even in the middle of it', () =>
    simulated(async (sim) => {
      let stopped: Promise<void> | undefined
      const jobs = await startJobs(sim, orders(50, 'done'), {
        quotas: {},
        works: {
          import: scripted(() => {
            stopped ??= jobs.root.stop({ reason: 'shutdown', drain })
          }),
        },
      })
      await sim.advance(ENOUGH)
      await stopped
      const counts = (status: string) => jobs.records.filter((record) => record.status === status).length
      expect(counts('done')).toBeGreaterThan(0)
      expect(counts('dropped')).toBeGreaterThan(0)
      expect(counts('done') + counts('dropped')).toBe(50)
    }))

  it('takes no more orders', () =>
    simulated(async (sim) => {
      const jobs = await startJobs(sim, [order('a', 'done')])
      await sim.settle()
      const stopped = jobs.root.stop({ reason: 'shutdown', drain })
      await sim.settle()
      const { error } = await settlement(startJob(order('b', 'done')))
      expect(error).toMatchObject({ name: 'CallError', code: 'noproc' })
      await sim.advance(TAKES)
      await stopped
    }))
})

describe('whoever falls', () => {
  const anOrder = fc.constantFrom('done', 'errored done', 'crash done', 'crash errored crash done', 'crash', 'errored')
  const aRun = fc.record({
    seed: fc.nat(),
    scripts: fc.array(anOrder, { maxLength: 12 }),
    quota: fc.integer({ min: 1, max: 3 }),
  })
  /** The submitter saw nothing wait and nothing run: a job began between the two looks. */
  const ENDED_TOO_EARLY = { seed: 548_115_970, scripts: ['done', 'crash done'], quota: 2 }
  const ordersOf = (scripts: readonly string[]) =>
    scripts.map((script, index) => ({ id: `job-${index}`, type: 'import', subject: `job-${index}: ${script}` }))

  const endOf = (subject: string) =>
    subject.endsWith('done') ? 'done' : subject.endsWith('crash') ? 'crashed' : 'failed'

  it('the quota holds, also while a job that crashed is being started again', async () => {
    await fc.assert(
      fc.asyncProperty(aRun, async ({ seed, scripts, quota }) => {
        await simulate({ seed }).run(async (sim) => {
          let most = 0
          const count = () => {
            most = Math.max(most, ofKind(sim, 'Job').length, runningImports().length)
          }
          const jobs = await startJobs(sim, ordersOf(scripts), {
            works: { import: scripted(count) },
            quotas: { import: quota },
          })
          await sim.advance(ENOUGH)
          expect(jobs.root.alive).toBe(false)
          expect(most).toBe(Math.min(quota, scripts.length))
          for (const { subject, status } of jobs.records) expect(status).toBe(endOf(subject))
        })
      }),
      { numRuns },
    )
  })

  /** Runs jobs while processes of these kinds are killed at random moments. */
  async function underAttack(kinds: readonly string[], check: (subject: string, status: string) => void) {
    const struck = new Map<string, number>()
    await fc.assert(
      fc.asyncProperty(aRun, async ({ seed, scripts, quota }) => {
        await simulate({ seed }).run(async (sim) => {
          const random = randomFrom(seed)
          const one = <T>(among: readonly T[]) => among[Math.floor(random() * among.length)]
          const jobs = await startJobs(sim, ordersOf(scripts), { quotas: { import: quota }, maxRestarts: 100_000 })
          const victim = () => {
            const chosen = random() < 0.1 ? one(ofKind(sim, one(kinds) ?? '')) : undefined
            if (chosen !== undefined) struck.set(kindOf(chosen), (struck.get(kindOf(chosen)) ?? 0) + 1)
            return chosen
          }
          for (let phase = 0; phase < 5; phase++) {
            await start(Adversary, { arg: { victim, chances: 20 } })
            await sim.advance(Math.floor(random() * 2 * TAKES))
          }
          await sim.advance(ENOUGH)
          expect(jobs.root.alive).toBe(false)
          expect(sim.processes.map(kindOf).filter((kind) => kind !== 'Adversary')).toEqual([])
          expect(jobs.records.map(({ id }) => id)).toEqual(scripts.map((_, index) => `job-${index}`))
          for (const { subject, status } of jobs.records) check(subject, status)
        })
      }),
      { numRuns, examples: [[ENDED_TOO_EARLY]] },
    )
    for (const kind of kinds) expect(struck.get(kind)).toBeGreaterThan(5)
  }

  it(
    'the run ends, and every order has an end',
    () =>
      underAttack(['Job', 'JobSupervisor', 'JobRunner', 'Jobber', 'Submitter'], (_subject, status) =>
        expect(['done', 'failed', 'crashed', 'dropped']).toContain(status),
      ),
    120_000,
  )

  it(
    'jobs do not mind who hands in the orders, and who takes them',
    () => underAttack(['Jobber', 'Submitter'], (subject, status) => expect(status).toBe(endOf(subject))),
    120_000,
  )

  it('the run ends with the board, since nobody else remembers', () =>
    simulated(async (sim) => {
      const jobs = await startJobs(sim, orders(7, 'stuck'))
      await sim.settle()
      whereis(Board)?.kill()
      await sim.advance(ENOUGH)
      expect(jobs.root.alive).toBe(false)
      expect(sim.processes).toEqual([])
    }))
})
