/** The worker pool example: its tree in a simulation, and the real program. Needs a build. */

import { name, type Overflow, supervise, whereis } from 'sluice'
import { type Simulation, simulate } from 'sluice/testing'
import { describe, expect, it } from 'vitest'
import { Jobs } from '../../examples/worker-pool/jobs.ts'
import { Pool } from '../../examples/worker-pool/pool.ts'
import { program } from '../../examples/worker-pool/program.ts'
import { tree } from '../../examples/worker-pool/tree.ts'
import { runExample } from '../support/example-program.ts'
import { range } from '../support/stages.ts'

const known = 'known are --workers, --capacity, --jobs, --work, --overflow, --help'

/** Thirty jobs of 100 ms for three workers; the first twenty come at once. */
async function pool(overflow: Overflow) {
  const state = new Pool(3)
  const lines: string[] = []
  const jobs = range(1, 30).map((id) => ({ id, ms: 100 }))
  const draw = (line: string) => lines.push(line)
  const children = tree({ capacity: 5, overflow, jobs, pool: state, pause: 1000, every: 50, draw })
  const top = await supervise({ strategy: 'rest_for_one', autoShutdown: 'any_significant', children })
  return { state, lines, top }
}

/** What is seen every 10 ms. */
async function watch(sim: Simulation, ms: number, look: () => Promise<void>): Promise<void> {
  for (let passed = 0; passed < ms; passed += 10) {
    await look()
    await sim.advance(10)
  }
}

describe('the worker pool', () => {
  it.each(range(1, 5))('does all jobs, and never lets more wait than fit: seed %i', async (seed) => {
    await simulate({ seed }).run(async (sim) => {
      const { state, top, lines } = await pool('wait')
      let waited = 0
      await watch(sim, 500, async () => {
        const { queued, waiting } = await name(Jobs).call.queueInfo()
        expect(queued).toBeLessThanOrEqual(5)
        waited += waiting
        if (queued > 0 && sim.now > 0)
          expect(state.workers.filter((job) => job !== undefined).length).toBeGreaterThan(0)
      })
      // The client waited for room.
      expect(waited).toBeGreaterThan(20)
      await sim.advance(5000)
      expect(await top.done).toBe('shutdown')
      expect(state).toMatchObject({ done: 30, refused: 0, dropped: 0, client: 'has finished' })
      expect(lines.some((line) => line.includes('█████ ') && line.includes('waits for room'))).toBe(true)
      expect(lines.some((line) => line.includes('· · ·') && line.includes('has a break'))).toBe(true)
      expect(whereis(Jobs)).toBeUndefined()
      expect(sim.logs.filter(({ level }) => level !== 'debug')).toEqual([])
    })
  })

  it.each(['reject', 'drop_newest', 'drop_oldest'] as const)('with %s it says what that cost', async (overflow) => {
    await simulate().run(async (sim) => {
      const { state, top } = await pool(overflow)
      await sim.advance(10_000)
      expect(await top.done).toBe('shutdown')
      const { done, refused, dropped } = state
      expect(done + refused + dropped).toBe(30)
      expect(overflow === 'reject' ? refused : dropped).toBeGreaterThan(5)
      expect(overflow === 'reject' ? dropped : refused).toBe(0)
    })
  })
})

describe('the worker pool program', () => {
  it('draws how it goes, and does all jobs', async () => {
    // So many that the client waits for room in some of the lines, whenever they are drawn.
    const { code, stdout, stderr } = await runExample('worker-pool', ['--jobs', '200', '--work', '40'])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toMatch(
      /^200 jobs, 4 workers; when the queue is full: wait\n\n {3}time {2}queue of 10 +workers +done {2}the client\n/,
    )
    expect(stdout).toMatch(/^ +\d+\.\d s {2}█{20} 10 {2}.* {2}puts in #\d+ and waits for room$/m)
    expect(stdout).toMatch(/\n200 jobs done in \d+\.\d s\n$/)
  })

  it('Ctrl-C lets what is in the queue be done', async () => {
    let sent = false
    const { code, stdout } = await runExample('worker-pool', ['--jobs', '100000', '--work', '40'], {
      onOutput: (output, child) => {
        if (sent || !output.includes('waits for room')) return
        sent = true
        child.kill('SIGINT')
      },
    })
    expect(code).toBe(130)
    const [, done] = /\n(\d+) jobs done in [\d.]+ s, \d+ not done\n$/.exec(stdout) ?? []
    expect(Number(done)).toBeGreaterThanOrEqual(12)
  })

  it('--help says what can be said', async () => {
    const out: string[] = []
    expect(await program(['--help'], { write: (text) => out.push(text) }, process.stderr)).toBe(0)
    expect(out.join('')).toContain(
      '--overflow <what>  when the queue is full: wait, reject, drop_newest or drop_oldest',
    )
  })

  it.each([
    [['--workers', '0'], "--workers: expected a whole number from 1 to 32, got '0'"],
    [['--capacity', '1e3'], "--capacity: expected a whole number from 1 to 1000000, got '1e3'"],
    [['--overflow', 'explode'], "--overflow: expected one of wait, reject, drop_newest, drop_oldest, got 'explode'"],
    [['--worker', '2'], `unknown option '--worker'; ${known}`],
  ])('%j is a mistake', async (args, said) => {
    const errors: string[] = []
    expect(await program(args, { write: () => {} }, { write: (text) => errors.push(text) })).toBe(1)
    expect(errors).toEqual([`worker-pool: ${said}\n`])
  })
})
