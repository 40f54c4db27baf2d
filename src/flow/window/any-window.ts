/** What users hold of a window: its kind, and its triggers. Values: each method returns a new one. */

import { show } from '../../stage/show.ts'
import { FlowError } from '../errors.ts'
import { checkAccumulator } from '../operation.ts'
import { PeriodicTrigger } from './periodic-trigger.ts'
import { checkCount, type TimeUnit } from './time-unit.ts'
import { CustomTrigger, EveryTrigger, openWithTrigger, type Trigger, type TriggerDecision } from './trigger.ts'
import type { OpenWindow, Pane, WindowDefinition, WindowHost } from './window.ts'

/** What a window is made of. */
export interface WindowParts<T, Kind extends WindowDefinition<T> = WindowDefinition<T>> {
  readonly kind: Kind
  readonly trigger?: Trigger | undefined
  readonly periodic?: readonly PeriodicTrigger[] | undefined
  /** What its user made it with, so that two threads can compare theirs. */
  readonly given: readonly unknown[]
}

/** A window of any kind, with or without triggers. */
export abstract class AnyWindow<in T, Kind extends WindowDefinition<T> = WindowDefinition<T>>
  implements WindowDefinition<T>
{
  declare readonly $event?: ((event: T) => void) | undefined
  readonly type: string
  readonly alone: boolean
  /** @internal */
  readonly parts: WindowParts<T, Kind>

  /** @internal */
  constructor(parts: WindowParts<T, Kind>) {
    this.type = parts.kind.type
    this.alone = parts.kind.alone === true
    this.parts = parts
  }

  open<P extends Pane>(host: WindowHost<P>): OpenWindow<P> {
    const { kind, trigger, periodic = [] } = this.parts
    const opened =
      trigger === undefined ? kind.open(host) : openWithTrigger(trigger, host, (cutting) => kind.open(cutting))
    for (const each of periodic) each.start(host)
    return opened
  }
}

/** What the compiler answers to a second trigger. */
export type OneTrigger =
  'a window has one trigger that looks at events, and this one has it: write one that decides both'

/** What the compiler answers to lateness where there is none. */
export type NoLateness = 'only fixed and sliding windows close late: the others have no watermark'

/** A window that has a trigger which looks at events. */
export class TriggeredWindow<in T = unknown> extends AnyWindow<T> {
  /** As without the other trigger. */
  triggerPeriodically(amount: number, unit: TimeUnit): TriggeredWindow<T> {
    return new TriggeredWindow(periodically(this.parts, amount, unit))
  }

  triggerEvery(..._mistake: [OneTrigger, ...unknown[]]): never {
    throw secondTrigger()
  }
  trigger(..._mistake: [OneTrigger, ...unknown[]]): never {
    throw secondTrigger()
  }
  allowedLateness(..._mistake: [NoLateness, ...unknown[]]): never {
    throw noLateness(this.type)
  }
}

/** A function that decides when a window fires. */
export type Decide<T, State> = (events: readonly T[], state: State) => TriggerDecision<T, State>

/** @throws `FlowError` `bad_options`. */
export function periodically<T, Kind extends WindowDefinition<T>>(
  parts: WindowParts<T, Kind>,
  amount: number,
  unit: TimeUnit,
): WindowParts<T, Kind> {
  return {
    ...parts,
    periodic: [...(parts.periodic ?? []), new PeriodicTrigger(amount, unit)],
    ...given(parts, amount, unit),
  }
}

/** @throws `FlowError` `bad_options`. */
export function every<T, Kind extends WindowDefinition<T>>(
  parts: WindowParts<T, Kind>,
  count: number,
): WindowParts<T, Kind> {
  checkCount('triggerEvery', count)
  return { ...parts, trigger: new EveryTrigger(count), ...given(parts, count) }
}

/** @throws `FlowError` `bad_options`. */
export function decidedBy<T, State, Kind extends WindowDefinition<T>>(
  parts: WindowParts<T, Kind>,
  initial: () => State,
  decide: Decide<T, State>,
): WindowParts<T, Kind> {
  checkAccumulator('trigger', initial)
  if (typeof decide !== 'function') {
    throw new FlowError('bad_options', `trigger: expected a function of events and a state, got ${show(decide)}`)
  }
  return { ...parts, trigger: new CustomTrigger({ initial, decide }), ...given(parts, initial, decide) }
}

/** What a window was made with, and what was given to it since. */
export function given(
  parts: { readonly given: readonly unknown[] },
  ...more: readonly unknown[]
): { readonly given: readonly unknown[] } {
  return { given: [...parts.given, ...more] }
}

export function secondTrigger(): FlowError {
  return new FlowError(
    'bad_options',
    'a trigger that looks at events can be given only once per window, and this one has it: write one that decides both',
  )
}

export function noLateness(type: string): FlowError {
  return new FlowError(
    'bad_options',
    `allowedLateness is not supported for a ${type} window: only fixed and sliding windows wait for late events`,
  )
}
