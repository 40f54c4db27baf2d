/** Triggers that look at events: they cut what a window gets into pieces, and have it fire between them. */

import { show } from '../../stage/show.ts'
import { FlowError } from '../errors.ts'
import { checkTriggerName } from './trigger-name.ts'
import type { OpenWindow, Pane, Piece, TriggerName, WindowHost, WindowStep } from './window.ts'

/**
 * What a trigger of your own makes of events: takes them all, or others instead (`events`), or has the window fire: `pre` is
 * accumulated, the window fires with the name `trigger`, and the trigger is asked again with `post`. `state` is what it is given
 * next time.
 */
export type TriggerDecision<T, State> =
  | { readonly state: State; readonly events?: readonly T[] | undefined; readonly trigger?: undefined }
  | {
      readonly trigger: TriggerName
      readonly pre: readonly T[]
      readonly post: readonly T[]
      readonly state: State
    }

/** A trigger of a window; its state belongs to one pane. */
export interface Trigger {
  initial(): unknown
  /** Cuts a piece, and gives the new state. */
  cut<P extends Pane>(piece: Piece<P>, state: unknown): Generator<WindowStep<P>, unknown>
}

/** Fires whenever the window got so many events. */
export class EveryTrigger implements Trigger {
  readonly #count: number
  readonly #name: TriggerName

  constructor(count: number) {
    this.#count = count
    this.#name = { every: count }
  }

  /** How many events are missing. */
  initial(): number {
    return this.#count
  }

  *cut<P extends Pane>({ pane, events }: Piece<P>, state: unknown): Generator<WindowStep<P>, number> {
    let missing = Number(state)
    let from = 0
    while (events.length - from >= missing) {
      yield { pane, events: events.slice(from, from + missing) }
      yield { pane, trigger: this.#name, closes: false }
      from += missing
      missing = this.#count
    }
    if (from < events.length) yield { pane, events: from === 0 ? events : events.slice(from) }
    return missing - (events.length - from)
  }
}

/** How often in a row a trigger may fire without using up events; more is taken for a loop that never ends. */
const PATIENCE = 1000

/** A trigger of the user. The functions are methods here, because only the user knows their types. */
export class CustomTrigger implements Trigger {
  readonly #functions: { initial(): unknown; decide(events: readonly unknown[], state: unknown): unknown }

  constructor(functions: { initial(): unknown; decide(events: readonly unknown[], state: unknown): unknown }) {
    this.#functions = functions
  }

  initial(): unknown {
    return this.#functions.initial()
  }

  *cut<P extends Pane>({ pane, events }: Piece<P>, state: unknown): Generator<WindowStep<P>, unknown> {
    let rest = events
    let own = state
    for (let idle = 0; idle < PATIENCE; ) {
      const decision = decisionOf(this.#functions.decide(rest, own))
      own = decision.state
      if (decision.trigger === undefined) {
        yield { pane, events: decision.events ?? rest }
        return own
      }
      yield { pane, events: decision.pre }
      yield { pane, trigger: decision.trigger, closes: false }
      idle = decision.post.length < rest.length ? 0 : idle + 1
      rest = decision.post
    }
    throw new FlowError(
      'bad_return',
      `a trigger fired ${PATIENCE} times and used up none of its events: it is asked again with post after it fired, and must return { state } in the end`,
    )
  }
}

function decisionOf(decision: unknown): TriggerDecision<unknown, unknown> {
  if (isObject(decision) && 'state' in decision) {
    const { state, trigger, events, pre, post } = decision
    if (trigger === undefined) {
      if (events === undefined || Array.isArray(events)) return { state, events }
    } else if (Array.isArray(pre) && Array.isArray(post)) {
      return { state, trigger: checkTriggerName('a trigger', trigger), pre, post }
    }
  }
  const shown = isObject(decision) && !Array.isArray(decision) ? described(decision) : show(decision)
  throw new FlowError(
    'bad_return',
    `a trigger returned ${shown}, expected { state }, { events, state } or { trigger, pre, post, state }, where events, pre and post are arrays; it is not async`,
  )
}

function isObject(value: unknown): value is { readonly [key: string]: unknown } {
  return typeof value === 'object' && value !== null
}

function described(decision: { readonly [key: string]: unknown }): string {
  if (Object.getPrototypeOf(decision) !== Object.prototype) return show(decision)
  const entries = Object.entries(decision).map(([name, value]) => `${name}: ${show(value)}`)
  return entries.length === 0 ? '{}' : `{ ${entries.join(', ')} }`
}

/** Pieces that were cut are from whom the whole was, where the window says that. */
function* sentBy<P extends Pane>(
  from: object | undefined,
  steps: Generator<WindowStep<P>, unknown>,
): Generator<WindowStep<P>, unknown> {
  if (from === undefined) return yield* steps
  for (;;) {
    const step = steps.next()
    if (step.done) return step.value
    yield 'events' in step.value ? { ...step.value, from } : step.value
  }
}

/** Opens a window with a trigger: the steps of the window, with its pieces cut. */
export function openWithTrigger<P extends Pane>(
  trigger: Trigger,
  host: WindowHost<P>,
  open: (host: WindowHost<P>) => OpenWindow<P>,
): OpenWindow<P> {
  const states = new WeakMap<P, unknown>()
  function* cut(steps: Iterable<WindowStep<P>>): Generator<WindowStep<P>> {
    for (const step of steps) {
      if (!('events' in step)) {
        yield step
      } else if (step.events.length > 0) {
        const { pane } = step
        const state: unknown = states.has(pane) ? states.get(pane) : trigger.initial()
        states.set(pane, yield* sentBy(step.from, trigger.cut(step, state)))
      }
    }
  }
  const inner = open({
    ...host,
    after: (ms, steps) => host.after(ms, () => cut(steps())),
  })
  return {
    batch: (events, from) => cut(inner.batch(events, from)),
    end: () => cut(inner.end()),
    joined: (from) => inner.joined?.(from),
    left: (from) => cut(inner.left?.(from) ?? []),
  }
}
