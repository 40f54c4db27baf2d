import fc from 'fast-check'
import { asyncInfo, estimateBufferedCount, Producer, start } from 'sluice'
import { type Simulation, simulate } from 'sluice/testing'
import { describe, expect, it } from 'vitest'
import { currentRuntime } from '../../src/process/runtime.ts'
import { Buffer } from '../../src/stage/buffer.ts'
import { RawProcess } from '../support/raw-process.ts'
import { remains } from '../support/remains.ts'
import { range } from '../support/stages.ts'
import { build, expected, limits, type Pipeline, type Plan, plan, sorted, TestEnd } from '../support/topology.ts'

/** Milliseconds for all runs of a property, on a slow machine. */
const TIMEOUT = 60_000
const numRuns = process.env['CI'] ? 1000 : 100
/** Longer than any pipeline of a plan takes. */
const LONG = 10_000

/** Runs a plan in the order of its seed. */
async function run(plan: Plan, test: (sim: Simulation, pipeline: Pipeline) => Promise<void>): Promise<void> {
  await simulate({ seed: plan.seed }).run(async (sim) => test(sim, await build(plan)))
}

describe('any pipeline', () => {
  it(
    'delivers each event once, in order, as it was asked for, and does not stall',
    async () => {
      await fc.assert(
        fc.asyncProperty(plan, (plan) =>
          run(plan, async (sim, { ledger, stages }) => {
            await sim.advance(LONG)
            expect(ledger.violations).toEqual([])
            expect(ledger.emitted).toHaveLength(plan.sources.reduce((sum, { count }) => sum + count, 0))
            expect(sorted(ledger.arrived)).toEqual(expected(plan, ledger.emitted))
            expect(ledger.inFlight).toBe(0)

            for (const stage of [...stages].reverse()) {
              await stage.stop()
              await sim.settle()
              expect(remains(stages)).toEqual([])
            }
            expect(sim.processes).toEqual([])
            expect(sim.clock.pending).toBe(0)
            expect(currentRuntime().names.size).toBe(0)
            expect(sim.logs.filter(({ level }) => level === 'error')).toEqual([])
          }),
        ),
        { numRuns },
      )
    },
    TIMEOUT,
  )

  it(
    'loses nothing to consumers that come and go',
    async () => {
      const moves = fc.array(fc.record({ who: fc.nat(2), after: fc.nat(4), limits }), { maxLength: 8 })
      await fc.assert(
        fc.asyncProperty(plan, moves, (plan, moves) =>
          run(plan, async (sim, { ledger, ends }) => {
            for (const { who, after, limits } of moves) {
              await sim.advance(after)
              ends[who % ends.length]?.cast.rejoin(limits)
            }
            await sim.advance(LONG)
            expect(ledger.violations).toEqual([])
            expect(sorted(ledger.arrived)).toEqual(expected(plan, ledger.emitted))
          }),
        ),
        { numRuns },
      )
    },
    TIMEOUT,
  )

  it(
    'loses nothing of what was read to a drain, whenever it comes',
    async () => {
      await fc.assert(
        fc.asyncProperty(plan, fc.nat(12), (plan, after) =>
          run(plan, async (sim, { ledger, stages }) => {
            await sim.advance(after)
            for (const stage of stages) {
              const draining = stage.stop({ drain: true, timeout: LONG })
              await sim.advance(LONG - 1)
              expect(stage.alive).toBe(false)
              await draining
            }
            expect(ledger.violations).toEqual([])
            expect(sorted(ledger.arrived)).toEqual(expected(plan, ledger.emitted))
            expect(sim.clock.pending).toBe(0)
          }),
        ),
        { numRuns },
      )
    },
    TIMEOUT,
  )

  it(
    'loses to a killed consumer no more than was on its way to it, and goes on',
    async () => {
      await fc.assert(
        fc.asyncProperty(plan, fc.nat(12), limits, (plan, after, limits) =>
          run(plan, async (sim, { ledger, outlets, ends }) => {
            await sim.advance(after)
            ends[0]?.kill()
            const heir = await start(TestEnd, { arg: { ledger: () => ledger, pace: 'async' } })
            for (const outlet of outlets) heir.cast.join(outlet, limits)
            await sim.advance(LONG)
            expect(ledger.violations).toEqual([])
            expect(new Set(ledger.arrived).size).toBe(ledger.arrived.length)
            // Of all others everything was handled.
            expect(expected(plan, ledger.emitted).length - ledger.arrived.length).toBe(ledger.inFlight)
          }),
        ),
        { numRuns },
      )
    },
    TIMEOUT,
  )
})

type Step = { readonly do: 'give' | 'ask'; readonly count: number } | { readonly do: 'info' }

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ do: fc.constantFrom('give' as const, 'ask' as const), count: fc.integer({ min: 1, max: 8 }) }),
  fc.constant({ do: 'info' as const }),
)

describe('any buffer', () => {
  it(
    'delivers what it does not report as discarded, and releases each info right behind its events',
    async () => {
      class Giving extends Producer<number> {
        readonly #note: (what: 'discarded' | 'info', value: unknown) => void
        constructor(arg: {
          bufferSize: number
          bufferKeep: 'first' | 'last'
          note: (what: string, value: unknown) => void
        }) {
          super({ bufferSize: arg.bufferSize, bufferKeep: arg.bufferKeep })
          this.#note = arg.note
        }
        override handleDemand(): void {}
        override handleInfo(info: unknown): void {
          this.#note('info', info)
        }
        override formatDiscarded(count: number): boolean {
          this.#note('discarded', count)
          return false
        }
        give(events: readonly number[]): void {
          this.emit(events)
        }
      }
      const size = fc.oneof(fc.integer({ min: 1, max: 10 }), fc.constant(Infinity))
      const keep = fc.constantFrom('first' as const, 'last' as const)
      await fc.assert(
        fc.asyncProperty(
          fc.nat(),
          size,
          keep,
          fc.array(step, { maxLength: 30 }),
          (seed, bufferSize, bufferKeep, steps) =>
            simulate({ seed }).run(async (sim) => {
              const notes = { discarded: [] as unknown[], info: [] as unknown[] }
              const note = (what: string, value: unknown) => notes[what as 'info'].push(value)
              const giving = await start(Giving, { arg: { bufferSize, bufferKeep, note } })
              const raw = new RawProcess()
              const subscription = raw.subscribeTo(giving)
              // The same, written down simply.
              let held: number[] = []
              let waiting: { readonly info: number; readonly behind: number }[] = []
              const delivered: number[] = []
              const infos: number[] = []
              let [next, wanted, discarded] = [0, 0, 0]
              const move = (): void => {
                while (wanted > 0 && held.length > 0) {
                  delivered.push(...held.splice(0, 1))
                  wanted--
                }
                const released = waiting.filter(({ behind }) => !held.includes(behind))
                infos.push(...released.map(({ info }) => info))
                waiting = waiting.filter((entry) => !released.includes(entry))
              }
              for (const [index, step] of steps.entries()) {
                if (step.do === 'give') {
                  const events = range(next, next + step.count - 1)
                  next += step.count
                  await giving.call.give(events)
                  const straight = events.slice(0, wanted)
                  wanted -= straight.length
                  delivered.push(...straight)
                  held.push(...events.slice(straight.length))
                  const excess = Math.max(0, held.length - bufferSize)
                  discarded += excess
                  held = bufferKeep === 'first' ? held.slice(0, held.length - excess) : held.slice(excess)
                } else if (step.do === 'ask') {
                  subscription.ask(step.count)
                  wanted += step.count
                } else {
                  asyncInfo(giving, index)
                  const behind = held.at(-1)
                  if (behind === undefined) infos.push(index)
                  else waiting.push({ info: index, behind })
                }
                move()
                await sim.settle()
                expect(raw.of('events').flat()).toEqual(delivered)
                expect(notes.info).toEqual(infos)
                expect(notes.discarded.reduce<number>((sum, count) => sum + Number(count), 0)).toBe(discarded)
                expect(await estimateBufferedCount(giving)).toBe(held.length)
              }
            }),
        ),
        { numRuns },
      )
    },
    TIMEOUT,
  )

  it(
    'gives what it was given, in order',
    () => {
      const action = fc.oneof(
        fc.record({ do: fc.constant('store' as const), count: fc.nat(6) }),
        fc.record({ do: fc.constant('take' as const), count: fc.nat(9) }),
      )
      void fc.assert(
        fc.property(fc.array(action, { maxLength: 60 }), (actions) => {
          const buffer = new Buffer<number>(Infinity, 'last')
          const model: number[] = []
          let next = 0
          for (const action of actions) {
            if (action.do === 'store') {
              const events = range(next, next + action.count - 1)
              next += action.count
              expect(buffer.store(events)).toBe(0)
              model.push(...events)
            } else {
              expect(buffer.take(action.count)).toEqual(model.splice(0, action.count))
            }
            expect(buffer.size).toBe(model.length)
          }
        }),
        { numRuns },
      )
    },
    TIMEOUT,
  )
})
