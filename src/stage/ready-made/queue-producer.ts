/**
 * A producer for events that come from outside: a bounded queue, and the demand that nothing has answered yet. Whichever is
 * there first waits for the other.
 */

import { serverOf } from '../../otp/gen-server.ts'
import { isCall } from '../../process/call.ts'
import { ProcessError } from '../../process/errors.ts'
import type { Later } from '../../process/later.ts'
import { StageError, type StageErrorCode } from '../errors.ts'
import { Producer } from '../producer.ts'
import { ProducerBehaviour } from '../producer-behaviour.ts'
import { Discards } from './discards.ts'
import { type EventStore, eventStore } from './event-store.ts'
import { checkQueueOptions, type Overflow, type QueueProducerOptions } from './queue-options.ts'
import { TurnEnd } from './turn-end.ts'
import { WaitingLine } from './waiting-line.ts'

/** A queue at one moment. */
export interface QueueInfo {
  /** Events that wait for consumers. */
  readonly queued: number
  /** How many of them there may be; those that were asked for by somebody who has gone do not count. */
  readonly capacity: number
  /** Callers that wait for room. */
  readonly waiting: number
  /** Events that consumers asked for and did not get yet. */
  readonly demand: number
  /** Events dropped since the start. */
  readonly dropped: number
  /** `finish` was called, or it drains: it takes no more. */
  readonly finished: boolean
}

/**
 * A producer that emits what it is given. `await queue.call.enqueue(event)` comes back when the event is in, so a full queue
 * slows down whoever fills it; consumers get the events in that order as they ask.
 *
 * A call that resolves has put its events in, once; one that rejects has not and never will: who gave up, by timeout or by
 * signal, is out of the line. What is in lives and dies with the process: after a crash the queue is empty, and those who
 * waited for room get `CallError` `exit`.
 *
 * @example
 * ```ts
 * import { Consumer, QueueProducer, startLink } from 'sluice'
 *
 * class Mailer extends Consumer<string> {
 *   override async handleEvents(addresses: readonly string[]) { console.log('to', addresses) }
 * }
 * const queue = await startLink(QueueProducer<string>, { arg: { capacity: 100 } })
 * const mailer = await startLink(Mailer, { subscribeTo: [{ to: queue, maxDemand: 10 }] })
 * await queue.call.enqueue('joe@example.org')
 * await queue.call.enqueueAll(['mike@example.org', 'robert@example.org'])
 * await queue.call.finish()
 * await mailer.done // everything was sent
 * ```
 * In a tree: `child(QueueProducer<Job>, { name: QueueProducer, arg: { capacity: 1000 } })`; as a base class:
 * `class Jobs extends QueueProducer<Job> { ... }`. Whoever overrides `handleDemand` or `handleDrain` calls `super`.
 *
 * Not in Elixir, where everybody writes it: the `QueueBroadcaster` of GenStage's documentation.
 */
export class QueueProducer<Out> extends Producer<Out> {
  readonly #capacity: number
  readonly #overflow: Overflow
  readonly #maxWaiting: number
  readonly #queue: EventStore<Out>
  readonly #line = new WaitingLine<Out>()
  readonly #discards: Discards | undefined
  readonly #turnEnd: TurnEnd | undefined
  /** Events that consumers asked for and did not get yet. */
  #demand = 0
  #finished = false
  #ending = false

  /** @throws `StageError` `bad_options`. */
  constructor(options: QueueProducerOptions<Out> = {}) {
    const { capacity, overflow, maxWaiting, producer } = checkQueueOptions(new.target.name, options)
    super(producer)
    this.#capacity = capacity
    this.#overflow = overflow
    this.#maxWaiting = maxWaiting
    this.#queue = eventStore(producer.dispatcher, overflow === 'drop_newest' ? 'first' : 'last')
    const behaviour = serverOf(this)
    if (!(behaviour instanceof ProducerBehaviour)) return
    behaviour.held = () => this.#queue.size
    this.#turnEnd = new TurnEnd(behaviour.process, () => this.#serve())
    this.#discards = new Discards(
      behaviour.process,
      (count) => this.formatDiscarded(count) !== false,
      `the queue is full or finished; add consumers, raise its capacity of ${capacity}, or let callers wait`,
    )
  }

  // ---- Messages

  /**
   * Puts an event in. What happens when the queue is full is what `overflow` says: with `wait` the call takes until there is
   * room, in the order of the calls. Resolves with true when the event is in, with false when it was dropped.
   *
   * @throws `CallError` `failed`, whose cause is a `StageError`: `queue_full` with `reject`, or when too many wait already;
   * `queue_finished` after `finish`. `timeout` (5000 ms unless you say otherwise) or `aborted`: the event is not in, and will
   * not be. A cast has nobody to tell: it is counted as dropped.
   */
  enqueue(event: Out): boolean | Later<boolean> {
    if (!this.#finished && this.#room >= 1 && this.#line.callers === 0) {
      if (this.#nobodyWaits()) return false
      this.#queue.push(event)
      this.#answer()
      return true
    }
    return this.#add([event], (accepted) => accepted > 0)
  }

  /**
   * Puts several events in: all of them together, or, when the call fails, none. With `wait` and `reject` more than the
   * capacity are refused, unless so many were asked for. Resolves with how many are in: all, unless some were dropped.
   *
   * @throws as `enqueue`; `ProcessError` `bad_argument` as the cause when `events` is no array.
   */
  enqueueAll(events: readonly Out[]): number | Later<number> {
    if (!Array.isArray(events)) {
      const text = `enqueueAll of ${this}: expected an array of events, got ${String(events)}`
      return this.#fail(new ProcessError('bad_argument', text))
    }
    return this.#add(events, (accepted) => accepted)
  }

  /** How many events wait for consumers. */
  size(): number {
    const behaviour = serverOf(this)
    // Those that were for somebody who has gone lie in the buffer.
    return this.#queue.size + (behaviour instanceof ProducerBehaviour ? behaviour.outlet.buffered : 0)
  }

  /** What the queue is doing. */
  queueInfo(): QueueInfo {
    return {
      queued: this.size(),
      capacity: this.#capacity,
      waiting: this.#line.callers,
      demand: this.#demand,
      dropped: this.#discards?.total ?? 0,
      finished: this.#finished,
    }
  }

  /**
   * Takes no more events. Consumers get what is left, also that of callers who wait for room; then the stage ends with
   * `normal`, and so do its permanent consumers, and the iteration of a `stream`. As a child make it `transient`, or its
   * supervisor starts it again. Comes back at once; `await queue.done` waits for the end.
   */
  finish(): void {
    this.#takeNoMore()
    this.#serve()
  }

  // ---- Callbacks

  override handleDemand(demand: number): void {
    this.#demand += demand
    this.#serve()
  }

  /** Hands everything to the buffer, from where consumers still get it as they ask. */
  override handleDrain(): void | Promise<void> {
    this.#takeNoMore()
    this.emit(this.#queue.take(this.#queue.size))
  }

  // ---- In

  /** Events that fit in: beside the capacity, those that were asked for. */
  get #room(): number {
    return this.#capacity + this.#demand - this.#queue.size
  }

  #add<Reply>(events: readonly Out[], reply: (accepted: number) => Reply): Reply | Later<Reply> {
    if (this.#nobodyWaits()) return reply(0)
    const { length } = events
    if (length === 0) return reply(0)
    if (this.#finished) return this.#refuse('queue_finished', length, reply, 'it has finished and takes no more events')
    if (length <= this.#room && this.#line.callers === 0) return reply(this.#take(events))
    switch (this.#overflow) {
      case 'drop_newest':
      case 'drop_oldest':
        return reply(this.#takeAndDrop(events))
      case 'reject':
        return this.#refuse(
          'queue_full',
          length,
          reply,
          `it holds ${this.#queue.size} events of at most ${this.#capacity}`,
        )
      case 'wait':
        return this.#wait(events, reply)
    }
  }

  #take(events: readonly Out[]): number {
    this.#queue.pushAll(events)
    this.#answer()
    return events.length
  }

  #takeAndDrop(events: readonly Out[]): number {
    const { length } = events
    const room = this.#capacity + this.#demand
    this.#queue.pushAll(events)
    // Consumers come first: what they asked for is not dropped.
    this.#serve()
    const excess = Math.max(0, this.#queue.size - this.#capacity)
    this.#queue.drop(excess)
    this.#discards?.add(excess)
    return this.#overflow === 'drop_newest' ? length - excess : Math.min(length, room)
  }

  #wait<Reply>(events: readonly Out[], reply: (accepted: number) => Reply): Reply | Later<Reply> {
    const { length } = events
    if (length > this.#capacity) {
      const text = `${length} events never fit into its capacity of ${this.#capacity}; enqueue slices of them`
      return this.#refuse('queue_full', length, reply, text)
    }
    const ahead = this.#line.events
    if (ahead > 0 && ahead + length > this.#maxWaiting) {
      const text = `${ahead} events wait for room already, of at most ${this.#maxWaiting}`
      return this.#refuse('queue_full', length, reply, text)
    }
    const later = this.later<Reply>()
    // A copy: the array is the caller's, who may use it again after giving up.
    const waiting = this.#line.join([...events], () => later.reply(reply(length)))
    later.onAbandoned(() => {
      this.#line.leave(waiting)
      // Those behind may have waited for this one only.
      this.#turnEnd?.request()
    })
    return later
  }

  /** Lets those in who have room now: serving the demand makes no more of it. */
  #admit(): void {
    for (let { first } = this.#line; first !== undefined && first.events.length <= this.#room; { first } = this.#line) {
      this.#queue.pushAll(this.#line.admit())
    }
  }

  #takeNoMore(): void {
    this.#finished = true
    while (this.#line.first !== undefined) this.#queue.pushAll(this.#line.admit())
  }

  /** The message is an `enqueue` whose caller gave up before its turn came. */
  #nobodyWaits(): boolean {
    const message = serverOf(this)?.messageInHand
    if (message === undefined || !isCall(message) || message.open) return false
    return message.method === 'enqueue' || message.method === 'enqueueAll'
  }

  #refuse<Reply>(
    code: StageErrorCode,
    count: number,
    reply: (accepted: number) => Reply,
    why: string,
  ): Reply | Later<Reply> {
    const message = serverOf(this)?.messageInHand
    if (message === undefined || isCall(message)) {
      return this.#fail(
        new StageError(code, `${this} did not take ${count === 1 ? 'an event' : `${count} events`}: ${why}`),
      )
    }
    this.#discards?.add(count)
    return reply(0)
  }

  #fail(error: Error): Later<never> {
    const later = this.later<never>()
    later.fail(error)
    return later
  }

  // ---- Out

  /** Events came: serves the demand as soon as there is enough for it, at the latest when this turn is over. */
  #answer(): void {
    if (this.#demand === 0) return
    if (this.#queue.size >= this.#demand) this.#serve()
    else this.#turnEnd?.request()
  }

  #serve(): void {
    this.#admit()
    if (this.#demand > 0 && this.#queue.size > 0) {
      const events = this.#queue.take(this.#demand)
      this.#demand -= events.length
      this.emit(events)
    }
    if (this.#finished && this.#queue.size === 0) this.#end()
  }

  #end(): void {
    const behaviour = serverOf(this)
    if (this.#ending || !(behaviour instanceof ProducerBehaviour)) return
    this.#ending = true
    behaviour.outlet.info(() => this.stop('normal'))
  }
}
