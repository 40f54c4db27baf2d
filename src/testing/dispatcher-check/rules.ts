/** What a dispatcher has to keep, and the error that says which of it one broke. */

/**
 * - `contract`: the producer found a breach of the contract at once: a number that is none, a leftover that is not the end of
 *   what was given, a `ready` that does not hold, an exception.
 * - `shared`: `make` gave the same dispatcher twice.
 * - `unasked`: a consumer was sent more than it had asked for.
 * - `stranger`: somebody was sent events who is no consumer: not yet, no more, or refused.
 * - `empty`: a consumer was sent a message without events.
 * - `unwanted`: a consumer was sent an event that its options exclude.
 * - `invented`: a consumer was sent something that was not there to be sent.
 * - `twice`: an event was sent again, or sent and given back as well.
 * - `lost`: an event was neither sent nor given back, nor is it kept.
 * - `order`: a consumer was sent an event ahead of one that was emitted before it.
 * - `leftover`: what was given back is not what nobody got, in the order in which it came.
 * - `ready`: `ready` is not what consumers have asked for: events wait though somebody wants them, or go where nobody does.
 * - `stalled`: consumers want more than the producer was asked for.
 * - `asked_again`: the producer was asked for more than consumers want.
 * - `info_early`, `info_forgotten`, `info_twice`: an info was passed on before the events in front of it, not at all, or again.
 */
export type DispatcherRule =
  | 'contract'
  | 'shared'
  | 'unasked'
  | 'stranger'
  | 'empty'
  | 'unwanted'
  | 'invented'
  | 'twice'
  | 'lost'
  | 'order'
  | 'leftover'
  | 'ready'
  | 'stalled'
  | 'asked_again'
  | 'info_early'
  | 'info_forgotten'
  | 'info_twice'

/** A rule that was broken, in words that go on after the dispatcher's name. */
export interface Breach {
  readonly rule: DispatcherRule
  readonly text: string
}

/** Where a dispatcher was tried: by itself, or in a real producer with real consumers. */
export type Setting = 'by itself' | 'in real stages'

/** A dispatcher broke a rule; the message has the shortest way there that was found. */
export class DispatcherCheckError extends Error {
  readonly rule: DispatcherRule
  /** `checkDispatcher(make, { seed })` finds the same first. */
  readonly seed: number
  readonly setting: Setting
  /** What was done, and what the dispatcher did, a line each. */
  readonly steps: readonly string[]

  constructor(dispatcher: string, breach: Breach, seed: number, setting: Setting, steps: readonly string[]) {
    const lines = steps.map((step, index) => `  ${index + 1}. ${step}`)
    super(
      [
        `${dispatcher} breaks the rule '${breach.rule}': ${breach.text}. This happened ${setting}, with seed ${seed}:`,
        ...lines,
      ].join('\n'),
    )
    this.name = 'DispatcherCheckError'
    this.rule = breach.rule
    this.seed = seed
    this.setting = setting
    this.steps = steps
  }
}
