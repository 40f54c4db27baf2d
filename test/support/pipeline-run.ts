/** Runs random pipelines by seed, and judges them by the laws of stages. */

import fc from 'fast-check'
import type { Dispatcher, Name, Ref } from 'sluice'
import { type Simulation, simulate } from 'sluice/testing'
import { currentRuntime } from '../../src/process/runtime.ts'
import { build, type Pipeline, type Plan, plan } from './pipeline.ts'
import type { TestEnd, TestMiddle, TestSource } from './pipeline-stages.ts'
import { remains } from './remains.ts'

/** Longer than any pipeline of a plan takes, in milliseconds. */
const LONG = 10_000

/**
 * Makes a pipeline of a seed and runs it; gives how many events were handled.
 *
 * @throws an error with the seed, and the smallest pipeline that was found to fail in the same way.
 */
export async function runSeed(seed: number, planted?: () => Dispatcher): Promise<number> {
  let handled = 0
  const property = fc.asyncProperty(plan, async (plan) => {
    handled = await runPlan(plan, planted)
  })
  const { failed, counterexample, errorInstance } = await fc.check(property, { seed, numRuns: 1 })
  if (!failed) return handled
  const why = errorInstance instanceof Error ? errorInstance.message : String(errorInstance)
  const [smallest] = counterexample ?? []
  throw new Error(
    `pipeline ${seed} breaks a law: ${why}\nSEED=${seed} npx vitest run test/stage/topologies.test.ts runs it again. The smallest that was found: ${JSON.stringify(smallest)}`,
  )
}

/** Runs a pipeline to its end, in the order of its seed. */
function runPlan(plan: Plan, planted?: () => Dispatcher): Promise<number> {
  return simulate({ seed: plan.seed }).run(async (sim) => {
    const pipeline = await build(plan, planted)
    const { ledger, supervisor } = pipeline
    await makeMoves(sim, plan, pipeline)
    if (plan.drainAfter === undefined) {
      await sim.advance(LONG)
      none('broke', ledger.violations)
      none('was owed', ledger.owed())
      none('was left behind', remains(sim.processes))
      for (const source of pipeline.sources) none('was not asked for', await source.call.left())
      await supervisor.stop()
    } else {
      await sim.advance(plan.drainAfter)
      const draining = supervisor.stop({ drain: true, timeout: Infinity }).catch((error: unknown) => error)
      await sim.advance(LONG)
      if (nobodyEnds(plan)) none('did not end', supervisor.alive ? sim.processes.map(String) : [])
      // Who has lost its consumers is stopped by its own deadline.
      await sim.advance(10 * LONG)
      none(
        'failed',
        [await draining].flatMap((error) => (error === undefined ? [] : [String(error)])),
      )
    }
    await sim.settle()
    none('broke', ledger.violations)
    if (nobodyEnds(plan)) none('was lost', ledger.lost())
    none('is alive', sim.processes.map(String))
    none('timers', sim.clock.pending)
    none('names', currentRuntime().names.size)
    if (!plan.crashes)
      none(
        'was reported',
        sim.logs.filter(({ level }) => level === 'error').map(({ message }) => message),
      )
    return ledger.handled
  })
}

/** There is nothing of what should not be. */
function none(what: string, found: number | readonly string[]): void {
  if (found === 0 || (typeof found !== 'number' && found.length === 0)) return
  throw new Error(`${what}: ${typeof found === 'number' ? found : found.join('; ')}`)
}

/** No stage ends before all are stopped: whoever leaves comes back by itself, not as another life. */
function nobodyEnds({ moves, crashes, strategy, ends }: Plan): boolean {
  if (moves.length === 0) return true
  return !crashes && strategy === 'rest_for_one' && ends.every(({ links }) => links.cancel !== 'permanent')
}

async function makeMoves(sim: Simulation, plan: Plan, { sources, middles, ends }: Pipeline): Promise<void> {
  const all: readonly Name<TestSource | TestMiddle | TestEnd>[] = [...sources, ...middles, ...ends]
  for (const { after, who, what, limits } of plan.moves) {
    await sim.advance(after)
    if (!plan.crashes || what === 'rejoin') ends[who % ends.length]?.cast.rejoin(limits)
    else if (what === 'fail') all[who % all.length]?.cast.fail()
    else processIn(all[who % all.length])?.kill()
  }
}

function processIn(name: Name | undefined): Ref | undefined {
  return name?.holder()?.ref
}
