/** The events of an emitter, as a producer. An emitter cannot be asked to wait, so what nobody asked for yet is bounded. */

import { serverOf } from '../../otp/gen-server.ts'
import { type StartOptions, startFrom } from '../../otp/start.ts'
import { type ExitReason, reasonOf } from '../../process/exit-reason.ts'
import { type Ref, typedRef } from '../../process/ref.ts'
import { mainProcess } from '../../process/runtime.ts'
import { StageError } from '../errors.ts'
import { Producer } from '../producer.ts'
import { ProducerBehaviour } from '../producer-behaviour.ts'
import { type ProducerOptions, refuseUnknownOptions } from '../producer-options.ts'
import { Discards } from '../ready-made/discards.ts'
import { EventQueue } from '../ready-made/event-queue.ts'
import { TurnEnd } from '../ready-made/turn-end.ts'
import type { AnyEmitter, EventName, EventValues } from './event-types.ts'
import { type Opening, openFor, usedOnce } from './opening.ts'

/** What happens to an event that comes when the buffer is full; `fail` ends the stage with `overflow`. */
export type EventOverflow = 'drop_oldest' | 'drop_newest' | 'fail'

/** How events are taken in. */
export interface EventIntake<T, Values extends unknown[] = unknown[]> {
  /** Makes the stage's event of what the listener was given. Default: the first of the values. */
  map?(...values: Values): T
  /** Events that wait at most when nobody asks, >= 1 or `Infinity`. Default 10000. */
  readonly capacity?: number | undefined
  /** What to do with more. Default `drop_oldest`. */
  readonly overflow?: EventOverflow | undefined
  /** The event, or events, after which no more come: the stage ends with `normal` when all is handed out. Default `close`. */
  readonly end?: string | readonly string[] | undefined
  /** The event that says that the emitter failed: the stage hands out what came before and ends with it. Default `error`. */
  readonly error?: string | undefined
}

export interface EventProducerOptions<T> extends EventIntake<T>, Pick<ProducerOptions<T>, 'dispatcher'> {
  /** The emitter, or a function that opens it: it is called at every start. */
  readonly source: Opening<AnyEmitter>
  /** The name of the event to take. */
  readonly event: string
}

/**
 * A producer of the events of an `EventEmitter` or `EventTarget`. It listens from its start to its end, whether somebody asks
 * or not; its listeners are removed when it ends. Where a source can be asked to wait, a stream, an async iterator, use
 * `fromIterable` instead: it loses nothing.
 *
 * In a tree: `child(EventProducer<Tick>, { arg: { source: () => connect(url), event: 'tick' } })`.
 */
export class EventProducer<T> extends Producer<T> {
  readonly #opening: Promise<void> | undefined
  readonly #options: EventProducerOptions<T>
  readonly #capacity: number
  readonly #overflow: EventOverflow
  readonly #queue = new EventQueue<T>()
  readonly #discards: Discards | undefined
  readonly #turnEnd: TurnEnd | undefined
  /** Events that consumers asked for and did not get yet. */
  #demand = 0
  /** No more are taken. */
  #closed = false
  /** Why the stage ends when all was handed out. */
  #reason: ExitReason | undefined = undefined
  #unlisten: (() => void) | undefined = undefined

  /** @throws `StageError` `bad_options`. */
  constructor(options: EventProducerOptions<T>) {
    const { source, capacity, overflow, dispatcher } = checkOptions(options)
    // What was asked for by somebody who has gone waits in the stage's buffer: none of it is dropped.
    super({ dispatcher, bufferSize: Infinity })
    this.#options = options
    this.#capacity = capacity
    this.#overflow = overflow
    this.#opening = openFor(this, source, (opened) => this.#listen(opened))
    const behaviour = serverOf(this)
    if (!(behaviour instanceof ProducerBehaviour)) return
    behaviour.held = () => this.#queue.size
    this.#turnEnd = new TurnEnd(behaviour.process, () => this.#serve())
    this.#discards = new Discards(
      behaviour.process,
      (count) => this.formatDiscarded(count) !== false,
      `${capacity} wait already; add consumers, or raise capacity`,
    )
  }

  override init(): Promise<void> | undefined {
    return this.#opening
  }

  #listen(source: AnyEmitter): void {
    const { event, end = 'close', error = 'error' } = this.#options
    const take = (...values: unknown[]): void => this.#take(values)
    const ended = (): void => this.#finish('normal')
    const failed = (thrown: unknown): void => this.#finish(errorOf(thrown))
    const listeners: [string, (...values: unknown[]) => void][] = [[event, take]]
    for (const name of typeof end === 'string' ? [end] : end) listeners.push([name, ended])
    const { on, off } = hub(source)
    for (const [name, listener] of listeners) on(name, listener)
    on(error, failed)
    this.#unlisten = () => {
      for (const [name, listener] of listeners.splice(0)) off(name, listener)
    }
    // At once, when the process ended while its emitter was opened.
    serverOf(this)?.process.onEnd(() => {
      this.#close()
      // Until the end: without a listener, an error that comes while the rest is handed out would end the program.
      off(error, failed)
    })
  }

  override handleDemand(demand: number): void {
    this.#demand += demand
    this.#serve()
  }

  /** Takes no more, and hands everything to the buffer, from where consumers still get it as they ask. */
  override handleDrain(): void {
    this.#close()
    this.emit(this.#queue.take(this.#queue.size))
  }

  #take(values: unknown[]): void {
    const { map } = this.#options
    let event: T
    try {
      // Without a function the type of the event is what the caller says that it is.
      event = map === undefined ? (values[0] as T) : map(...values)
    } catch (thrown) {
      // It is no business of whoever emits.
      return this.#finish(reasonOf(thrown))
    }
    if (this.#queue.size < this.#capacity + this.#demand) this.#queue.push(event)
    else if (this.#overflow === 'fail') return this.#fail()
    else this.#discard(event)
    this.#turnEnd?.request()
  }

  #discard(event: T): void {
    this.#discards?.add(1)
    if (this.#overflow === 'drop_newest') return
    // Consumers come first: what they asked for is not dropped.
    this.#serve()
    this.#queue.push(event)
    if (this.#queue.size > this.#capacity) this.#queue.drop(1)
  }

  #fail(): void {
    this.#close()
    const text = `${this} got an event that nobody had asked for, and ${this.#capacity} waited already: add consumers, or raise capacity`
    this.stop(new StageError('overflow', text))
  }

  /** Takes no more, and ends when what waits was handed out. */
  #finish(reason: ExitReason): void {
    if (this.#closed) return
    this.#close()
    this.#reason = reason
    this.#turnEnd?.request()
  }

  #close(): void {
    this.#closed = true
    this.#unlisten?.()
  }

  #serve(): void {
    if (this.#demand > 0 && this.#queue.size > 0) {
      const events = this.#queue.take(this.#demand)
      this.#demand -= events.length
      this.emit(events)
    }
    const reason = this.#reason
    if (reason === undefined || this.#queue.size > 0) return
    this.#reason = undefined
    const behaviour = serverOf(this)
    if (behaviour instanceof ProducerBehaviour) behaviour.outlet.info(() => this.stop(reason))
  }
}

/** The error of an error event of an `EventTarget`, which is no `Error` itself. */
function errorOf(thrown: unknown): ExitReason {
  if (thrown instanceof Error) return thrown
  if (typeof thrown !== 'object' || thrown === null || !('type' in thrown)) return reasonOf(thrown)
  if ('error' in thrown && thrown.error instanceof Error) return thrown.error
  const text = 'message' in thrown && thrown.message !== '' ? String(thrown.message) : `an event of type ${thrown.type}`
  return new Error(text, { cause: thrown })
}

type Listen = (event: string, listener: (...values: unknown[]) => void) => void

function hub(source: AnyEmitter): { readonly on: Listen; readonly off: Listen } {
  if (typeof source === 'object' && source !== null) {
    if ('on' in source && 'off' in source) {
      return {
        on: (event, listener) => source.on(event, listener),
        off: (event, listener) => source.off(event, listener),
      }
    }
    if ('addEventListener' in source && 'removeEventListener' in source) {
      return {
        on: (event, listener) => source.addEventListener(event, listener),
        off: (event, listener) => source.removeEventListener(event, listener),
      }
    }
  }
  throw bad('source', source, 'an EventEmitter or EventTarget, or a function that opens one')
}

const KNOWN = ['source', 'event', 'map', 'capacity', 'overflow', 'end', 'error', 'dispatcher']
const OVERFLOWS: readonly unknown[] = ['drop_oldest', 'drop_newest', 'fail']

function checkOptions<T>(options: EventProducerOptions<T>) {
  refuseUnknownOptions('an EventProducer', options, KNOWN)
  const { source, event, map, capacity = 10_000, overflow = 'drop_oldest', dispatcher } = options
  if (!(Number.isInteger(capacity) || capacity === Infinity) || capacity < 1) {
    throw bad('capacity', capacity, 'an integer >= 1 or Infinity')
  }
  if (!OVERFLOWS.includes(overflow)) throw bad('overflow', overflow, `one of ${OVERFLOWS.join(', ')}`)
  if (typeof event !== 'string') throw bad('event', event, 'the name of an event')
  if (map !== undefined && typeof map !== 'function') throw bad('map', map, 'a function')
  return { source, capacity, overflow, dispatcher }
}

function bad(option: string, value: unknown, expected: string): StageError {
  return new StageError('bad_options', `${option} of an EventProducer: expected ${expected}, got ${String(value)}`)
}

export interface FromEventsOptions<T, Values extends unknown[]>
  extends StartOptions,
    EventIntake<T, Values>,
    Pick<ProducerOptions<T>, 'dispatcher'> {
  /** Linked to the program. Default true. */
  readonly link?: boolean | undefined
}

/**
 * Starts a producer of the events of an emitter, linked to the program: `fromEvents(socket, 'message', { capacity: 100 })`.
 * The type of the events is what the emitter declares, or what `map` returns.
 *
 * @throws `StartError`.
 */
export async function fromEvents<S extends AnyEmitter, Name extends EventName<S>, T = EventValues<S, Name>[0]>(
  source: Opening<S>,
  event: Name,
  options: FromEventsOptions<T, EventValues<S, Name>> = {},
): Promise<Ref<EventProducer<T>>> {
  const { name, timeout, link = true, ...rest } = options
  // Given as a function the source is neither copied nor frozen.
  const open: Opening<AnyEmitter> = typeof source === 'function' ? source : () => source
  return typedRef(
    await startFrom(
      mainProcess('fromEvents', 'this.startLink(EventProducer, { arg: { source, event } })'),
      link,
      EventProducer,
      { arg: { ...rest, dispatcher: usedOnce(rest.dispatcher), source: open, event }, name, timeout },
    ),
  )
}
