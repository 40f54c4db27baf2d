/** What users hold of windows in the time of the events, which can wait for events that are late. */

import { flowOptions } from '../option-reader.ts'
import type { AlignedWindow } from './aligned-window.ts'
import {
  AnyWindow,
  type Decide,
  decidedBy,
  every,
  given,
  type OneTrigger,
  periodically,
  secondTrigger,
  type WindowParts,
} from './any-window.ts'
import { milliseconds, type TimeUnit } from './time-unit.ts'

/** How late events are let in. */
export interface LatenessOptions {
  /**
   * Late events also open windows that no event has opened yet; otherwise they must find theirs open. Default false, as in Elixir.
   * Sliding windows do this by themselves, as long as time has not passed them.
   */
  readonly openLate?: boolean | undefined
}

/** A fixed or sliding window. */
export class TimeWindow<T = unknown> extends AnyWindow<T, AlignedWindow<T>> {
  /**
   * Lets late events in for so long, by the clock of the machine: when all producers have passed a window it fires with the trigger
   * `watermark`, keeps what `onTrigger` makes of its accumulator, and closes with `done` that much later, or at the end of the input.
   *
   * @throws `FlowError` `bad_options`. Elixir: `Flow.Window.allowed_lateness`.
   */
  allowedLateness(amount: number, unit: TimeUnit, options: LatenessOptions = {}): TimeWindow<T> {
    return new TimeWindow(late(this.parts, amount, unit, options))
  }

  /** As of every window. */
  triggerPeriodically(amount: number, unit: TimeUnit): TimeWindow<T> {
    return new TimeWindow(periodically(this.parts, amount, unit))
  }

  /** As of every window. */
  triggerEvery(count: number): TriggeredTimeWindow<T> {
    return new TriggeredTimeWindow(every(this.parts, count))
  }

  /** As of every window: `decide` gets events in a row that are of one window. */
  trigger<State>(initial: () => State, decide: Decide<T, State>): TriggeredTimeWindow<T> {
    return new TriggeredTimeWindow(decidedBy(this.parts, initial, decide))
  }
}

/** A fixed or sliding window that has a trigger which looks at events. */
export class TriggeredTimeWindow<T = unknown> extends AnyWindow<T, AlignedWindow<T>> {
  /** As without the trigger. */
  allowedLateness(amount: number, unit: TimeUnit, options: LatenessOptions = {}): TriggeredTimeWindow<T> {
    return new TriggeredTimeWindow(late(this.parts, amount, unit, options))
  }

  /** As of every window. */
  triggerPeriodically(amount: number, unit: TimeUnit): TriggeredTimeWindow<T> {
    return new TriggeredTimeWindow(periodically(this.parts, amount, unit))
  }

  triggerEvery(..._mistake: [OneTrigger, ...unknown[]]): never {
    throw secondTrigger()
  }
  trigger(..._mistake: [OneTrigger, ...unknown[]]): never {
    throw secondTrigger()
  }
}

function late<T>(
  parts: WindowParts<T, AlignedWindow<T>>,
  amount: number,
  unit: TimeUnit,
  options: LatenessOptions,
): WindowParts<T, AlignedWindow<T>> {
  const ms = milliseconds('allowedLateness', amount, unit)
  const openLate = flowOptions('allowedLateness', options, ['openLate']).boolean('openLate') ?? false
  return { ...parts, kind: parts.kind.withLateness(ms, openLate), ...given(parts, ms, openLate) }
}
