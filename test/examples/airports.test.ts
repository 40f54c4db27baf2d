/** The airports example never loses an airport and never counts one twice, whoever is killed whenever. */

import fc from 'fast-check'
import { child, name, type Ref, Supervisor, start, supervise, whereis } from 'sluice'
import { type Simulation, simulate } from 'sluice/testing'
import { describe, expect, it } from 'vitest'
import type { Batch } from '../../examples/airports/live/batch.ts'
import { Chaos } from '../../examples/airports/live/chaos.ts'
import { Counter, countByCountry } from '../../examples/airports/live/counter.ts'
import { Filter } from '../../examples/airports/live/filter.ts'
import { type CountOptions, countAirports } from '../../examples/airports/live/pipeline.ts'
import { Reader } from '../../examples/airports/live/reader.ts'
import { Tally } from '../../examples/airports/live/tally.ts'
import { randomFrom } from '../../examples/random.ts'
import { Adversary } from '../support/adversary.ts'
import { csvOf, expectedOf, type Row, textSource } from '../support/airports.ts'
import { settlement } from '../support/settlement.ts'

const numRuns = process.env['CI'] ? 1000 : 100

const aRow = fc.tuple(fc.constantFrom('closed', 'heliport', 'large_airport'), fc.constantFrom('US', 'BR', 'CA', 'FR'))
const aRun = fc.record({
  seed: fc.nat(),
  rows: fc.array(aRow, { maxLength: 60 }),
  counters: fc.integer({ min: 1, max: 4 }),
  batchSize: fc.integer({ min: 1, max: 7 }),
  delay: fc.constantFrom(0, 0, 3),
})

const rows: readonly Row[] = Array.from({ length: 40 }, (_, index) => [
  index % 5 === 0 ? 'closed' : 'heliport',
  ['US', 'BR', 'CA'][index % 3] ?? '',
])

const options: CountOptions = { source: textSource(csvOf(rows)), counters: 3, batchSize: 4, delay: 0 }

/** Lets virtual time pass while something is awaited; fails when it takes more than it ever can. */
async function passing<T>(sim: Simulation, work: Promise<T>): Promise<T> {
  const outcome = settlement(work)
  let over = false
  void outcome.then(() => {
    over = true
  })
  for (await sim.settle(); !over; await sim.settle()) {
    if (sim.now > 5_000) throw new Error('the run stalls')
    await sim.advance(1, { foreign: true })
  }
  return work
}

const kindOf = (ref: Ref) => String(ref).replace(/#\d+$/, '')

const processesOf = (sim: Simulation, ...kinds: readonly string[]) =>
  sim.processes.filter((ref) => kinds.includes(kindOf(ref)))

describe('the airports example', () => {
  it('counts the open airports by country', async () => {
    await simulate().run(async () => {
      const { totals, complete, kills } = await countAirports(options)
      expect(totals).toEqual({ ...expectedOf(rows), batches: 10, repeated: 0 })
      expect({ complete, kills }).toEqual({ complete: true, kills: 0 })
    })
  })

  it('leaves no process behind', async () => {
    await simulate().run(async (sim) => {
      const before = sim.processes.length
      await countAirports({ ...options, chaos: { seed: 1, every: 2 } })
      expect(sim.processes.length).toBe(before)
    })
  })

  it('has the same totals when chaos kills counters', async () => {
    const seen = { kills: 0, repeated: 0 }
    await fc.assert(
      fc.asyncProperty(aRun, async ({ seed, rows, ...run }) => {
        await simulate({ seed }).run(async (sim) => {
          const chaos = { seed, every: 2 }
          const work = countAirports({ ...run, source: textSource(csvOf(rows)), chaos })
          const { totals, kills } = await passing(sim, work)
          expect(totals).toMatchObject(expectedOf(rows))
          expect(totals.batches).toBe(Math.ceil(rows.length / run.batchSize))
          expect(sim.logs.filter(({ level }) => level === 'error')).toEqual([])
          seen.kills += kills
          seen.repeated += totals.repeated
        })
      }),
      { numRuns },
    )
    expect(seen.kills).toBeGreaterThan(numRuns / 4)
    expect(seen.repeated).toBeGreaterThan(numRuns / 10)
  })

  it('has the same totals when anything but the tally is killed at any moment', async () => {
    const struck = new Map<string, number>()
    await fc.assert(
      fc.asyncProperty(aRun, async ({ seed, rows, ...run }) => {
        await simulate({ seed }).run(async (sim) => {
          const random = randomFrom(seed)
          const victim = () => {
            // Before the tree is up a kill is a start that failed.
            if (whereis(Chaos) === undefined || random() > 0.1) return undefined
            const large = random() < 0.2
            const found = large ? processesOf(sim, 'Reader', 'Filter', 'Counters') : processesOf(sim, 'Counter')
            const chosen = found[Math.floor(random() * found.length)]
            if (chosen === undefined) return undefined
            struck.set(kindOf(chosen), (struck.get(kindOf(chosen)) ?? 0) + 1)
            return chosen
          }
          await start(Adversary, { arg: { victim, chances: 500 } })
          // Chaos that never strikes: with it anybody may be restarted as often as it takes.
          const chaos = { seed, every: 1_000_000 }
          const { totals } = await passing(sim, countAirports({ ...run, source: textSource(csvOf(rows)), chaos }))
          expect(totals).toMatchObject(expectedOf(rows))
        })
      }),
      { numRuns },
    )
    for (const kind of ['Counter', 'Counters', 'Filter', 'Reader']) expect(struck.get(kind)).toBeGreaterThan(10)
  })

  const moments = ['before the tally has it', 'while the tally gets it', 'before it is confirmed', 'after all'] as const

  it.each(moments)('counts a batch once when its counter is killed %s', async (moment) => {
    let deaths = 0

    class Doomed extends Counter {
      override async handleEvents(batches: readonly Batch[]) {
        if (deaths === 5) return super.handleEvents(batches)
        deaths++
        const [{ id, rows, airports }] = batches as readonly [Batch]
        const counts = countByCountry(airports)
        if (moment === 'while the tally gets it')
          name(Tally)
            .call.add(id, rows, counts)
            .catch(() => {})
        if (moment === 'before it is confirmed') await name(Tally).call.add(id, rows, counts)
        if (moment === 'after all') await super.handleEvents(batches)
        this.self.kill()
      }
    }

    await simulate().run(async () => {
      const doomed = child(Doomed, { arg: { delay: 0 } })
      await supervise({
        strategy: 'rest_for_one',
        children: [
          child(Tally, { name: Tally }),
          child(Reader, { name: Reader, arg: { source: options.source, batchSize: 4 } }),
          child(Filter, { name: Filter }),
          child(Supervisor, { arg: { strategy: 'one_for_one', maxRestarts: 5, children: [doomed] } }),
        ],
      })
      expect(await name(Tally).with({ timeout: Infinity }).call.result()).toMatchObject({ totals: expectedOf(rows) })
      expect(deaths).toBe(5)
    })
  })

  it('fails when the tally is lost, and leaves nothing behind', async () => {
    await simulate().run(async (sim) => {
      const before = sim.processes.length
      const work = settlement(countAirports({ ...options, delay: 10 }))
      await sim.settle()
      whereis(Tally)?.kill()
      expect((await work).error).toMatchObject({ name: 'CallError', reason: 'killed' })
      await sim.settle()
      expect(sim.processes.length).toBe(before)
    })
  })

  it('ends early when asked to, with what it has', async () => {
    await simulate().run(async (sim) => {
      const before = sim.processes.length
      const work = countAirports({ ...options, delay: 10 })
      await sim.settle()
      sim.program.signal('SIGINT')
      const { totals, complete } = await work
      expect(sim.program.exitCode).toBe(130)
      expect(complete).toBe(false)
      expect(totals.batches).toBe(options.counters)
      expect(sim.processes.length).toBe(before)
    })
  })

  it('ends early at whatever moment it is asked to', async () => {
    for (let moment = 0; moment < 60; moment++) {
      await simulate({ seed: moment }).run(async (sim) => {
        const work = countAirports({ ...options, chaos: { seed: moment, every: 3 } })
        for (let passed = 0; passed < moment; passed++) await Promise.resolve()
        sim.program.signal('SIGINT')
        const { totals, complete } = await work
        expect(complete).toBe(totals.rows === rows.length)
        expect(sim.processes).toEqual([])
        expect(sim.logs.filter(({ level }) => level === 'error')).toEqual([])
      })
    }
  })

  it('reads no more than the counters can take', async () => {
    await simulate().run(async (sim) => {
      const many = Array.from({ length: 50 }, () => rows).flat()
      const source = textSource(csvOf(many))
      const work = countAirports({ ...options, source, delay: 10 })
      await sim.settle()
      const { unconfirmed } = await name(Reader).call.state()
      // Two for each counter, eight for the filter, and not the two thousand rows that there are.
      expect(unconfirmed).toBeGreaterThan(0)
      expect(unconfirmed).toBeLessThanOrEqual(2 * options.counters + 8)
      sim.program.signal('SIGINT')
      await work
    })
  })
})
