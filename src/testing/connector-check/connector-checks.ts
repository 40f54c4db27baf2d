/** Holds a connector to what every connector promises, whatever its broker is. */

import { defaultSeed } from '../random.ts'
import { drains, reconnects, recoversFromKill, recoversLost, recoversSource } from './ending-checks.ts'
import { acknowledges, delivers, demand, isolates, order, redelivers } from './handling-checks.ts'
import type { ConnectorHarness } from './harness.ts'
import { publishes, publishesAgain, refuses } from './interface-checks.ts'
import type { ConnectorRule } from './rules.ts'
import { runTrial, type Trial } from './trial.ts'

/** One check, for whatever runs your tests. */
export interface ConnectorCheck {
  readonly rule: ConnectorRule
  /** A sentence that goes on after the name of the connector. */
  readonly title: string
  /** @throws `ConnectorCheckError` when the connector breaks the rule; and what the harness throws. */
  readonly run: () => Promise<void>
}

export interface ConnectorCheckOptions {
  /** What chance decides. Default another one each time, or as `SLUICE_SEED` says; told when a rule is broken. */
  readonly seed?: number | undefined
}

/** A check as it is written here: whatever a site of the harness is. */
interface Entry {
  readonly rule: ConnectorRule
  readonly title: string
  readonly check: <Site>(trial: Trial<Site>) => Promise<void>
  readonly applies: (
    harness: Pick<ConnectorHarness<never>, 'order' | 'redeliversLost' | 'disrupt' | 'publisher'>,
  ) => boolean
}

const always = (): boolean => true

const ENTRIES: readonly Entry[] = [
  { rule: 'delivers', title: 'delivers everything, as it was published', check: delivers, applies: always },
  { rule: 'acknowledges', title: 'acknowledges what was handled', check: acknowledges, applies: always },
  { rule: 'redelivers', title: 'delivers again what failed, if it promises to', check: redelivers, applies: always },
  { rule: 'isolates', title: 'goes on when a message cannot be handled', check: isolates, applies: always },
  { rule: 'demand', title: 'hands out no more than was asked for', check: demand, applies: always },
  { rule: 'order', title: 'keeps the order', check: order, applies: ({ order }) => order !== 'none' },
  { rule: 'recovers', title: 'delivers again what a killed pipeline had', check: recoversFromKill, applies: always },
  { rule: 'recovers', title: 'goes on when its source is killed', check: recoversSource, applies: always },
  {
    rule: 'recovers',
    title: 'delivers again what a killed processor had',
    check: recoversLost,
    applies: ({ redeliversLost = false }) => redeliversLost,
  },
  {
    rule: 'reconnects',
    title: 'comes back when connections are lost',
    check: reconnects,
    applies: ({ disrupt }) => disrupt !== undefined,
  },
  { rule: 'drains', title: 'finishes what it has when it is stopped', check: drains, applies: always },
  { rule: 'refuses', title: 'refuses options that make no sense', check: refuses, applies: always },
  {
    rule: 'publishes',
    title: 'publishes what it says it has published',
    check: publishes,
    applies: ({ publisher }) => publisher !== undefined,
  },
  {
    rule: 'publishes',
    title: 'publishes also when connections are lost',
    check: publishesAgain,
    applies: ({ publisher, disrupt }) => publisher !== undefined && disrupt !== undefined,
  },
]

/**
 * The checks that every connector has to pass, over real servers: that messages are delivered, acknowledged and delivered again,
 * that demand, order, lost connections, kills and stops are what they should be. Each is independent of the others, and has a
 * queue of its own. They wait for facts, with one deadline; no time is asserted, and they know nothing of any test runner.
 *
 * What the harness has no function for, such as to cut connections, is not in the list.
 *
 * @example
 * ```ts
 * import { type Ref, start } from 'sluice'
 * import { Queue, QueueSource } from 'sluice/queue'
 * import { type ConnectorHarness, connectorChecks } from 'sluice/testing'
 *
 * const harness: ConnectorHarness<Ref<Queue<string>>> = {
 *   name: 'QueueSource',
 *   open: () => start(Queue<string>, { arg: { maxAttempts: Infinity } }),
 *   close: (queue) => queue.stop(),
 *   producer: (queue, options) => ({ module: QueueSource<string>, arg: { queue, retryDelay: 0, ...options } }),
 *   publish: async (queue, payloads) => void (await queue.call.enqueueMany(payloads.map(({ text }) => ({ data: text })))),
 *   order: 'queue',
 *   redelivers: true,
 *   mostHeld: (demand) => demand,
 *   soon: { visibilityTimeout: 500 },
 *   badOptions: [[{ retryDelay: -1 }, 'retryDelay']],
 * }
 * for (const { title, run } of connectorChecks(harness)) {
 *   await run()
 *   console.log(title)
 * }
 * ```
 * With vitest, and the like: `for (const { title, run } of connectorChecks(harness)) it(title, run)`.
 */
export function connectorChecks<Site>(
  harness: ConnectorHarness<Site>,
  options: ConnectorCheckOptions = {},
): readonly ConnectorCheck[] {
  const { seed = defaultSeed() } = options
  return ENTRIES.filter(({ applies }) => applies(harness)).map(({ rule, title, check }) => ({
    rule,
    title,
    run: () => runTrial(harness, rule, seed, (trial) => check(trial)),
  }))
}
