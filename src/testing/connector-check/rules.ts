/** What a connector has to keep, and the error that says which of it one broke. */

/**
 * - `delivers`: every message that is published reaches the pipeline, as it was published.
 * - `acknowledges`: what was handled never comes again, and the server has nothing left of it.
 * - `redelivers`: a message that failed comes again, or does not, as the harness says.
 * - `isolates`: a message that cannot be handled does not stop the others.
 * - `demand`: the pipeline never has more messages than it asked for, or than the options of the source say.
 * - `order`: messages come in the order in which they were published, all or those of one key, as the harness says.
 * - `recovers`: what a pipeline had when it was killed, or its source, is delivered again.
 * - `reconnects`: a connection that is lost comes back by itself, and loses no message.
 * - `drains`: a pipeline that is stopped finishes what it has, and leaves the rest to the next one, and no connection behind.
 * - `refuses`: a bad option is refused before the pipeline starts, by its name.
 * - `publishes`: what the connector's publisher has promised is at the server.
 */
export type ConnectorRule =
  | 'delivers'
  | 'acknowledges'
  | 'redelivers'
  | 'isolates'
  | 'demand'
  | 'order'
  | 'recovers'
  | 'reconnects'
  | 'drains'
  | 'refuses'
  | 'publishes'

/** A rule that was broken, in words. */
export interface ConnectorBreach {
  readonly rule: ConnectorRule
  /** What should have come about. */
  readonly expected: string
  /** What came about. */
  readonly seen: string
}

/** A connector broke a rule. The message has all of it, and what was done until then. */
export class ConnectorCheckError extends Error {
  readonly rule: ConnectorRule
  readonly expected: string
  readonly seen: string
  /** `connectorChecks(harness, { seed })` makes the same random choices. */
  readonly seed: number
  /** What was done, a line each. */
  readonly steps: readonly string[]

  constructor(connector: string, breach: ConnectorBreach, seed: number, steps: readonly string[], cause?: unknown) {
    const { rule, expected, seen } = breach
    const lines = steps.map((step, index) => `  ${index + 1}. ${step}`)
    super(
      [`${connector} breaks the rule '${rule}': expected ${expected}, got ${seen}. With seed ${seed}:`, ...lines].join(
        '\n',
      ),
      cause === undefined ? {} : { cause },
    )
    this.name = 'ConnectorCheckError'
    this.rule = rule
    this.expected = expected
    this.seen = seen
    this.seed = seed
    this.steps = steps
  }
}
