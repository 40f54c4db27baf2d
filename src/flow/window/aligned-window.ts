/**
 * Windows that lie at fixed places in the time of the events: fixed ones side by side, sliding ones over each other. A window closes
 * when all producers have passed it, between two batches. With lateness it fires `watermark` then, and closes later.
 */

import { FlowError } from '../errors.ts'
import { type EventTime, Watermarks } from './event-time.ts'
import type { OpenWindow, Pane, WindowDefinition, WindowHost, WindowStep } from './window.ts'

/** Where the windows lie, and when they close. Times are in milliseconds. */
interface Alignment {
  readonly type: 'fixed' | 'sliding'
  readonly size: number
  /** From the start of a window to that of the next. */
  readonly every: number
  readonly times: EventTime
  /** How long a window that was passed waits for late events, by the clock of the machine. */
  readonly lateness: number
  /** Late events also open windows that nobody has seen yet. */
  readonly openLate: boolean
}

/** So many windows in a row that are passed at once are taken for a mistake in the times. */
const WIDEST_GAP = 1_000_000

export class AlignedWindow<in T> implements WindowDefinition<T> {
  declare readonly $event?: ((event: T) => void) | undefined
  readonly type: string
  readonly #alignment: Alignment

  constructor(alignment: Alignment) {
    this.type = alignment.type
    this.#alignment = alignment
  }

  withLateness(lateness: number, openLate: boolean): AlignedWindow<T> {
    return new AlignedWindow({ ...this.#alignment, lateness, openLate })
  }

  open<P extends Pane>(host: WindowHost<P>): OpenWindow<P> {
    return new OpenAligned(this.#alignment, host)
  }
}

/** Windows go by their number: `n` begins at `n * every`. */
class OpenAligned<P extends Pane> implements OpenWindow<P> {
  readonly #alignment: Alignment
  readonly #host: WindowHost<P>
  readonly #times: EventTime
  readonly #watermarks = new Watermarks()
  readonly #open = new Map<number, P>()
  /** The first window that has not been passed; never goes back. */
  #next: number | undefined = undefined
  /** The window that was passed first: those before it were never seen. */
  #first = 0
  /** Windows before the first one may still be opened. */
  #beforeFirst = false
  /** Windows before the first one, opened by the batch in hand. */
  #late: P[] = []

  constructor(alignment: Alignment, host: WindowHost<P>) {
    this.#alignment = alignment
    this.#host = host
    this.#times = alignment.times
  }

  joined(from: object): void {
    this.#watermarks.joined(from)
  }

  left(from: object): Iterable<WindowStep<P>> {
    this.#watermarks.left(from)
    return this.#pass()
  }

  *batch(events: readonly unknown[], from: object): Generator<WindowStep<P>> {
    if (events.length === 0) return
    const times = this.#times
    const { every, size } = this.#alignment
    let time = times.of(events[0])
    for (let start = 0, end = 0; start < events.length; start = end) {
      const last = this.#lastOf(time)
      const first = this.#firstOf(time)
      let latest = time
      // A run of events that belong to the same windows: none begins or ends between them.
      const since = Math.max(last * every, (first - 1) * every + size)
      const until = Math.min((last + 1) * every, first * every + size)
      for (end = start + 1; end < events.length; end++) {
        time = times.of(events[end])
        if (time < since || time >= until) break
        if (time > latest) latest = time
      }
      const run = end - start === events.length ? events : events.slice(start, end)
      let taken = false
      for (let number = first; number <= last; number++) {
        const pane = this.#open.get(number) ?? this.#opened(number, last, from)
        if (pane === undefined) continue
        taken = true
        yield { pane, events: run }
      }
      if (taken) this.#watermarks.reached(from, latest)
      else this.#host.late(run.length)
    }
    for (const pane of this.#late.splice(0)) yield { pane, trigger: 'watermark', closes: false }
    yield* this.#pass()
  }

  *end(): Generator<WindowStep<P>> {
    const numbers = [...this.#open.keys()].sort((a, b) => a - b)
    const lowest = numbers[0]
    const highest = numbers.at(-1)
    if (lowest === undefined || highest === undefined) return
    const next = this.#next ?? lowest
    for (const number of numbers) if (number < next) yield this.#close(number)
    this.#checkGap(next, highest)
    for (let number = next; number <= highest; number++) yield this.#close(number)
  }

  /** The last window that a time lies in. */
  #lastOf(time: number): number {
    return Math.floor(time / this.#alignment.every)
  }

  #firstOf(time: number): number {
    const { size, every } = this.#alignment
    return Math.floor((time - size) / every) + 1
  }

  /** Opens a window for events from a producer, when they are in time for it; `newest` is the last window that they lie in. */
  #opened(number: number, newest: number, from: object): P | undefined {
    const { type, openLate } = this.#alignment
    if (this.#next !== undefined && number < this.#next) {
      if (!this.#beforeFirst || number >= this.#first) return undefined
      const pane = this.#pane(number)
      this.#late.push(pane)
      return pane
    }
    const latest = this.#watermarks.of(from)
    // Late is what comes behind its own producer, also when the window has not been passed. Overlapping windows would tear it.
    if (type === 'fixed' && !openLate && latest !== undefined && newest < this.#lastOf(latest)) return undefined
    return this.#pane(number)
  }

  #pane(number: number): P {
    // The sum makes 0 of -0.
    const pane = this.#host.pane(number * this.#alignment.every + 0)
    this.#open.set(number, pane)
    return pane
  }

  #close(number: number): WindowStep<P> {
    const pane = this.#open.get(number) ?? this.#pane(number)
    this.#open.delete(number)
    return { pane, trigger: 'done', closes: true }
  }

  /** Windows that all producers have passed: they close, or fire and wait for late events. Those without events too. */
  *#pass(): Generator<WindowStep<P>> {
    const { lateness } = this.#alignment
    const { watermark } = this.#watermarks
    if (watermark === undefined) return
    const start = this.#next ?? this.#begin()
    if (start === undefined) return
    const end = this.#firstOf(watermark)
    if (end <= start) {
      this.#next = start
      return
    }
    this.#checkGap(start, end)
    this.#next = end
    for (let number = start; number < end; number++) {
      if (lateness === 0) yield this.#close(number)
      else yield { pane: this.#open.get(number) ?? this.#pane(number), trigger: 'watermark', closes: false }
    }
    if (lateness > 0) this.#host.after(lateness, () => this.#expire(start, end))
  }

  /** Where passing begins: at the first window that there is. */
  #begin(): number | undefined {
    if (this.#open.size === 0) return undefined
    const { lateness, openLate } = this.#alignment
    let first = Infinity
    for (const number of this.#open.keys()) if (number < first) first = number
    this.#first = first
    if (lateness > 0 && openLate) {
      this.#beforeFirst = true
      this.#host.after(lateness, () => {
        this.#beforeFirst = false
        return this.#expire(-Infinity, first)
      })
    }
    return first
  }

  /** Their time for late events is over. */
  *#expire(start: number, end: number): Generator<WindowStep<P>> {
    const over = [...this.#open.keys()].filter((number) => number >= start && number < end)
    for (const number of over.sort((a, b) => a - b)) yield this.#close(number)
  }

  #checkGap(start: number, end: number): void {
    if (end - start <= WIDEST_GAP) return
    const { type, every } = this.#alignment
    throw new FlowError(
      'bad_return',
      `the time of events went from ${start * every} to ${end * every}, over ${end - start} ${type} windows of which each would close: expected by to return milliseconds, the same clock for all events`,
    )
  }
}
