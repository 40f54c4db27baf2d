/** Runs the checks of connectors in a simulation: nothing depends on how fast the machine is. */

import { type ConnectorHarness, connectorChecks, simulate } from 'sluice/testing'
import { settlement } from './settlement.ts'

/** Virtual milliseconds until a check is over, whatever it waits for. */
const LONG = 70_000

/** What the first check that fails throws. */
export async function breachOf<Site>(harness: ConnectorHarness<Site>, seed: number): Promise<unknown> {
  for (const { run } of connectorChecks(harness, { seed })) {
    const { error } = await simulate({ seed }).run(async (sim) => {
      const ended = settlement(run())
      await sim.advance(LONG, { foreign: true })
      const { error } = await ended
      const left = [...sim.processes, ...Array.from({ length: sim.clock.pending }, () => 'a timer')]
      return { error: error ?? (left.length === 0 ? undefined : new Error(`it left behind ${left.join(', ')}`)) }
    })
    if (error !== undefined) return error
  }
  return undefined
}
