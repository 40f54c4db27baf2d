/**
 * Session windows: events that follow each other without a long pause, for each key. They take events in the order of their time, so
 * that who sends them first does not matter: an event waits until all producers of the stage have come as far. A session closes when
 * time has gone on for the length of the pause.
 */

import { canonicalKey } from '../../otp/canonical-key.ts'
import { type EventTime, Watermarks } from './event-time.ts'
import { type Timed, TimeQueue } from './time-queue.ts'
import type { OpenWindow, Pane, WindowDefinition, WindowHost, WindowStep } from './window.ts'

interface SessionParts {
  /** Events so many milliseconds apart are of two sessions. */
  readonly gap: number
  readonly times: EventTime
  readonly keyOf: ((event: unknown) => unknown) | undefined
}

export class SessionWindow<in T> implements WindowDefinition<T> {
  declare readonly $event?: ((event: T) => void) | undefined
  readonly type = 'session'
  readonly alone = true
  readonly #parts: SessionParts

  constructor(parts: SessionParts) {
    this.#parts = parts
  }

  open<P extends Pane>(host: WindowHost<P>): OpenWindow<P> {
    return new OpenSessions(this.#parts, host)
  }
}

interface Session<P> {
  readonly pane: P
  readonly place: string | undefined
  /** Times of the first and the last event. */
  start: number
  end: number
}

/** An event that not all producers of the stage have come to. */
interface Waiting extends Timed {
  readonly event: unknown
  readonly from: object
}

/** When a session is over, unless it went on meanwhile. */
interface Ending<P> extends Timed {
  readonly session: Session<P>
}

class OpenSessions<P extends Pane> implements OpenWindow<P> {
  readonly #gap: number
  readonly #keyOf: ((event: unknown) => unknown) | undefined
  readonly #host: WindowHost<P>
  readonly #times: EventTime
  readonly #watermarks = new Watermarks()
  readonly #waiting = new TimeQueue<Waiting>()
  /** By key; there is one for each at most. */
  readonly #sessions = new Map<string | undefined, Session<P>>()
  readonly #endings = new TimeQueue<Ending<P>>()
  /** The latest time that was taken in. */
  #now = -Infinity

  constructor({ gap, times, keyOf }: SessionParts, host: WindowHost<P>) {
    this.#gap = gap
    this.#host = host
    this.#times = times
    this.#keyOf = keyOf
  }

  joined(from: object): void {
    this.#watermarks.joined(from)
  }

  left(from: object): Iterable<WindowStep<P>> {
    this.#watermarks.left(from)
    return this.#release(this.#watermarks.watermark)
  }

  *batch(events: readonly unknown[], from: object): Generator<WindowStep<P>> {
    const arrived: Waiting[] = []
    let latest = -Infinity
    let inOrder = true
    for (const event of events) {
      const time = this.#times.of(event)
      if (time < latest) inOrder = false
      else latest = time
      arrived.push({ time, order: this.#waiting.nextOrder, event, from })
    }
    if (arrived.length === 0) return
    this.#watermarks.reached(from, latest)
    const { watermark } = this.#watermarks
    if (this.#waiting.first === undefined && watermark !== undefined && latest <= watermark) {
      // Nobody has to be waited for, as it is with one producer.
      yield* this.#pass(inOrder ? arrived : arrived.sort((a, b) => a.time - b.time), watermark)
      return
    }
    for (const each of arrived) this.#waiting.add(each)
    yield* this.#release(watermark)
  }

  end(): Iterable<WindowStep<P>> {
    return this.#release(Infinity)
  }

  *#release(watermark: number | undefined): Generator<WindowStep<P>> {
    if (watermark !== undefined) yield* this.#pass(this.#waiting.upTo(watermark), watermark)
  }

  /** Takes in the events up to a time, in the order of time, and closes the sessions that are over then. */
  *#pass(waiting: Iterable<Waiting>, watermark: number): Generator<WindowStep<P>> {
    let run: { pane: P; from: object; events: unknown[] } | undefined
    for (const { time, event, from } of waiting) {
      this.#now = Math.max(this.#now, time)
      if ((this.#endings.first?.time ?? Infinity) <= this.#now) {
        if (run !== undefined) yield run
        run = undefined
        yield* this.#close()
      }
      const pane = this.#paneOf(event, time)
      if (pane === undefined) {
        this.#host.late(1)
      } else if (run?.pane === pane && run.from === from) {
        run.events.push(event)
      } else {
        if (run !== undefined) yield run
        run = { pane, from, events: [event] }
      }
    }
    if (run !== undefined) yield run
    this.#now = Math.max(this.#now, watermark)
    yield* this.#close()
  }

  /** The session of an event; `undefined` when that is over. */
  #paneOf(event: unknown, time: number): P | undefined {
    const key = this.#keyOf?.(event)
    const place = this.#keyOf === undefined ? undefined : canonicalKey(key)
    const known = this.#sessions.get(place)
    if (known !== undefined && time > known.start - this.#gap) {
      // It has not ended by now, so the event is not too late for it.
      known.start = Math.min(known.start, time)
      known.end = Math.max(known.end, time)
      return known.pane
    }
    const end = time + this.#gap
    if (end <= this.#now) return undefined
    const session: Session<P> = { pane: this.#host.pane(time, () => told()), place, start: time, end: time }
    const told = (): object => {
      const { start, end } = session
      return this.#keyOf === undefined ? { start, end } : { key, start, end }
    }
    this.#sessions.set(place, session)
    this.#endings.add({ time: end, order: this.#endings.nextOrder, session })
    return session.pane
  }

  /** Closes the sessions that are over by now. */
  *#close(): Generator<WindowStep<P>> {
    while ((this.#endings.first?.time ?? Infinity) <= this.#now) {
      const ending = this.#endings.take()
      if (ending === undefined) return
      const { session } = ending
      const time = session.end + this.#gap
      if (time > ending.time) {
        this.#endings.add({ time, order: this.#endings.nextOrder, session })
        continue
      }
      this.#sessions.delete(session.place)
      yield { pane: session.pane, trigger: 'done', closes: true }
    }
  }
}
