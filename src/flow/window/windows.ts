/** The kinds of windows, and their triggers. */

import { FlowError } from '../errors.ts'
import { AlignedWindow } from './aligned-window.ts'
import {
  AnyWindow,
  type Decide,
  decidedBy,
  every,
  type NoLateness,
  noLateness,
  periodically,
  TriggeredWindow,
} from './any-window.ts'
import { CountWindow } from './count-window.ts'
import { eventTime, reader, type TimeOf } from './event-time.ts'
import { GlobalWindow } from './global-window.ts'
import { PeriodicWindow } from './periodic-window.ts'
import { SessionWindow } from './session-window.ts'
import { SlidingCountWindow } from './sliding-count-window.ts'
import { checkCount, milliseconds, type TimeUnit } from './time-unit.ts'
import { TimeWindow } from './time-windows.ts'
import type { WindowDefinition } from './window.ts'

/** How often a sliding window begins. */
export interface Every {
  readonly every: number
  readonly unit: TimeUnit
}

/** What has a property. */
export type Having<Name extends string, Value> = { readonly [_ in Name]: Value }

export interface SessionOptions<T> {
  /** What belongs together: a function of an event, or the name of a property. Default: all events of a stage do. */
  readonly key?: ((event: T) => unknown) | (keyof T & string) | undefined
}

/**
 * Which events of a stage are accumulated together, for the option `window` of a step; `T` is the type of the events that it looks
 * at. Every stage has windows of its own. A window fires when it closes, and whenever one of its triggers says so.
 *
 * @example
 * ```ts run
 * import { Flow, Window } from 'sluice/flow'
 *
 * const window = Window.count(2).triggerEvery(1)
 * const sums = Flow.from([1, 2, 3], { window })
 *   .reduce(() => 0, (n, sum) => sum + n)
 *   .onTrigger((sum, _, { id, trigger }) => [[{ id, trigger, sum }], sum])
 * console.log(await sums.first()) // { id: 0, trigger: { every: 1 }, sum: 1 }
 * ```
 * Elixir: `Flow.Window`.
 */
export class Window<T = unknown> extends AnyWindow<T> {
  /** One window from the start to the end; the default. Elixir: `Flow.Window.global`. */
  static global<T>(): Window<T> {
    return new Window({ kind: new GlobalWindow(), given: [] })
  }

  /**
   * Windows of so many events. The last one closes when the input ends, even if it is empty.
   *
   * @throws `FlowError` `bad_options`. Elixir: `Flow.Window.count`.
   */
  static count<T>(count: number): Window<T> {
    checkCount('count', count)
    return new Window({ kind: new CountWindow(count), given: [count] })
  }

  /**
   * Windows of what arrives in an interval of time, by the clock of the machine; they close without events too. For checkpoints: a
   * busy stage closes them late. Where the time of the events counts, use `fixed`.
   *
   * @throws `FlowError` `bad_options`. Elixir: `Flow.Window.periodic`.
   */
  static periodic<T>(amount: number, unit: TimeUnit): Window<T> {
    return new Window({ kind: new PeriodicWindow(milliseconds('periodic', amount, unit)), given: [amount, unit] })
  }

  /**
   * Windows of so much time, side by side, in the time of the events: `by` is the name of the property that has it, or a function, in
   * milliseconds or as a `Date`. The id of a window is its start. A window closes when all producers of the stage have passed it,
   * between two batches; those without events in between close too. What comes late is dropped, logged, and told to the telemetry
   * channel `sluice:flow:late`, unless its window is still open: see `allowedLateness`. Without any event nothing fires.
   *
   * @throws `FlowError` `bad_options`. Elixir: `Flow.Window.fixed`.
   */
  static fixed<K extends string>(amount: number, unit: TimeUnit, by: K): TimeWindow<Having<K, number | Date>>
  static fixed<T>(amount: number, unit: TimeUnit, by: TimeOf<T>): TimeWindow<T>
  static fixed<T>(amount: number, unit: TimeUnit, by: string | TimeOf<T>): TimeWindow<T> {
    const size = milliseconds('fixed', amount, unit)
    const times = eventTime('fixed', by)
    const alignment = { type: 'fixed', size, every: size, times, lateness: 0, openLate: false } as const
    return new TimeWindow({ kind: new AlignedWindow(alignment), given: [size, by] })
  }

  /**
   * Windows of so much time that overlap, in the time of the events: one begins every `every` units, so that an event is in several,
   * and goes through the operations of the step once for each. Otherwise as `fixed`.
   *
   * @throws `FlowError` `bad_options`.
   */
  static sliding<K extends string>(
    amount: number,
    unit: TimeUnit,
    every: Every,
    by: K,
  ): TimeWindow<Having<K, number | Date>>
  static sliding<T>(amount: number, unit: TimeUnit, every: Every, by: TimeOf<T>): TimeWindow<T>
  static sliding<T>(amount: number, unit: TimeUnit, every: Every, by: string | TimeOf<T>): TimeWindow<T> {
    const size = milliseconds('sliding', amount, unit)
    const step = milliseconds('every of sliding', Object(every).every, Object(every).unit)
    checkOverlap('sliding', size, step)
    const times = eventTime('sliding', by)
    const alignment = { type: 'sliding', size, every: step, times, lateness: 0, openLate: false } as const
    return new TimeWindow({ kind: new AlignedWindow(alignment), given: [size, step, by] })
  }

  /**
   * Windows of so many events that overlap: one begins with every `every`-th event, by default with each. Those that are not full at
   * the end close with what they have. The ids count from 0.
   *
   * @throws `FlowError` `bad_options`.
   */
  static slidingCount<T>(count: number, options: { readonly every?: number | undefined } = {}): Window<T> {
    const { every = 1 } = options
    checkCount('slidingCount', count)
    checkCount('every of slidingCount', every)
    checkOverlap('slidingCount', count, every)
    return new Window({ kind: new SlidingCountWindow(count, every), given: [count, every] })
  }

  /**
   * Windows of events that follow each other within less than a pause, in the time of the events (`by`, as for `fixed`), with
   * `key` for each key: partition by it. They take events in the order of time: one waits until all producers of the stage have come
   * as far. A session closes when time has gone on for the length of the pause. Its id is its start; `onTrigger` is also told `key`,
   * `start` and `end`.
   *
   * @throws `FlowError` `bad_options`.
   */
  static session<K extends string, Key extends string = never>(
    amount: number,
    unit: TimeUnit,
    by: K,
    options?: { readonly key?: Key | undefined },
  ): Window<Having<K, number | Date> & Having<Key, unknown>>
  static session<T>(amount: number, unit: TimeUnit, by: TimeOf<T>, options?: SessionOptions<T>): Window<T>
  static session<T>(
    amount: number,
    unit: TimeUnit,
    by: string | TimeOf<T>,
    { key }: { readonly key?: string | ((event: T) => unknown) | undefined } = {},
  ): Window<T> {
    const gap = milliseconds('session', amount, unit)
    const times = eventTime('session', by)
    const keyOf = key === undefined ? undefined : reader('session', 'key', key)
    return new Window({ kind: new SessionWindow({ gap, times, keyOf }), given: [gap, by, key] })
  }

  /** Gives triggers to a kind of window of your own. */
  static of<T>(kind: WindowDefinition<T>): Window<T> {
    return new Window({ kind, given: [kind] })
  }

  /**
   * Fires all open windows of a stage whenever so much time has passed, whether they changed or not; `onTrigger` is told
   * `{ periodically, unit }`. May be given more than once. The timers run from the start of the stage, and a busy stage is late.
   *
   * @throws `FlowError` `bad_options`. Elixir: `Flow.Window.trigger_periodically`.
   */
  triggerPeriodically(amount: number, unit: TimeUnit): Window<T> {
    return new Window(periodically(this.parts, amount, unit))
  }

  /**
   * Fires a window whenever it got so many events of the step, counted before they go through its operations; `onTrigger` is told
   * `{ every }`. Begins anew with each window.
   *
   * @throws `FlowError` `bad_options`. Elixir: `Flow.Window.trigger_every`.
   */
  triggerEvery(count: number): TriggeredWindow<T> {
    return new TriggeredWindow(every(this.parts, count))
  }

  /**
   * Fires a window when a function of its events says so. `initial` makes the state of the trigger, for each window; `decide` gets
   * events of one window as they arrive, before they go through the operations of the step, and says what becomes of them
   * (`TriggerDecision`). It is not async.
   *
   * Elixir: `Flow.Window.trigger`.
   */
  trigger<State>(initial: () => State, decide: Decide<T, State>): TriggeredWindow<T> {
    return new TriggeredWindow(decidedBy(this.parts, initial, decide))
  }

  allowedLateness(..._mistake: [NoLateness, ...unknown[]]): never {
    throw noLateness(this.type)
  }
}

/** More windows than this at a time are taken for a mistake. */
const WIDEST_OVERLAP = 10_000

function checkOverlap(what: string, size: number, every: number): void {
  if (every <= size && size / every <= WIDEST_OVERLAP) return
  throw new FlowError(
    'bad_options',
    `${what}: a window of ${size} that begins every ${every} would put each event into ${size / every} windows, expected 1 to ${WIDEST_OVERLAP}`,
  )
}
