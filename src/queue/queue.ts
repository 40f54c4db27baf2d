/**
 * A queue in memory with what brokers have: acknowledgements, redelivery, visibility timeouts, delays, attempts, dead letters,
 * order by key. The process runs no code of its users, so it has no reason to crash; what it holds can lie in a `QueueStore`
 * outside of it all the same.
 */

import { GenServer, serverOf } from '../otp/gen-server.ts'
import { isCall } from '../process/call.ts'
import type { Later } from '../process/later.ts'
import type { Process } from '../process/process.ts'
import { TurnEnd } from '../stage/ready-made/turn-end.ts'
import { WaitingLine } from '../stage/ready-made/waiting-line.ts'
import { QueueError, type QueueErrorCode } from './errors.ts'
import type { DeadLetter, EnqueueOptions, NewMessage, QueueStats, Receipt, Received } from './message.ts'
import { Messages } from './messages.ts'
import {
  type CheckedQueueOptions,
  checkEnqueue,
  checkMessages,
  checkNack,
  checkNumbers,
  checkReceive,
  checkSettlement,
  checkTime,
  type NackOptions,
  type QueueOptions,
  type ReceiveOptions,
  readQueueOptions,
  receiptsOf,
  type Settlement,
} from './queue-options.ts'
import { QueueReport } from './queue-report.ts'
import { openStore } from './queue-store.ts'
import { Receiver, ReceiverLine } from './receiver-line.ts'
import { WakeUp } from './wake-up.ts'

/**
 * A queue. What is received stays in it, unseen by others, until it is acknowledged; when its visibility timeout is over
 * first, it is delivered again. So nothing is lost by a consumer that crashes, and each message may come more than once.
 *
 * Calls wait as long as it takes, unless `with({ timeout })` or `with({ signal })` says otherwise: an `enqueue` for room, a
 * `receive` for messages. One that is given up has not happened. In a process that may end give `signal: this.signal`, or a
 * waiting `receive` takes messages for nobody, until their visibility timeout.
 *
 * @example
 * ```ts
 * import { startLink } from 'sluice'
 * import { Queue } from 'sluice/queue'
 *
 * const mails = await startLink(Queue<string>, { arg: { visibilityTimeout: 10_000 } })
 * await mails.call.enqueue('joe@example.org', { delay: 100 })
 * const [mail] = await mails.call.receive()
 * console.log(mail?.data, mail?.attempts) // joe@example.org 1
 * if (mail) await mails.call.ack(mail.receipt)
 * await mails.stop()
 * ```
 * Not in Elixir. The words are those of Amazon SQS.
 */
export class Queue<T> extends GenServer {
  static override readonly callTimeout: number = Infinity

  readonly #options: CheckedQueueOptions<T>
  readonly #process: Process | undefined
  readonly #messages: Messages<T>
  readonly #senders = new WaitingLine<NewMessage<T>>()
  readonly #receivers = new ReceiverLine<T>()
  readonly #report: QueueReport | undefined
  readonly #turnEnd: TurnEnd | undefined
  readonly #wakeUp: WakeUp | undefined
  #idle: Later<void>[] = []

  /** @throws `QueueError` `bad_options`, `store_in_use`. */
  constructor(options: QueueOptions<T> = {}) {
    super()
    const { name } = new.target
    this.#options = readQueueOptions(name, options)
    const process = serverOf(this)?.process
    this.#process = process
    const { store } = this.#options
    if (process === undefined) {
      this.#messages = new Messages(0)
      return
    }
    const messages = store === undefined ? new Messages<T>(process.runtime.random()) : openStore(store, process)
    this.#messages = messages
    const report = new QueueReport(process)
    this.#report = report
    if (store === undefined) process.onEnd(() => report.lost(messages.size))
    this.#turnEnd = new TurnEnd(process, () => this.#serve())
    this.#wakeUp = new WakeUp(process, () => this.#timePassed())
    this.#wakeUp.by(messages.nextDue)
  }

  // ---- In

  /**
   * Puts a message in, and resolves with its number when it is in. When the queue is full that takes until there is room, in
   * the order of the calls; or it fails, as `overflow` says.
   *
   * @throws `CallError` `failed`, whose cause is a `QueueError`: `queue_full`, `queue_closed`, `bad_options`; `timeout` or
   * `aborted` when the call was given up: then the message is not in, and will not be.
   */
  enqueue(data: T, options: EnqueueOptions = {}): number | Later<number> {
    return this.#checked(
      () => checkEnqueue(`enqueue of ${this}`, options),
      () => this.#add([{ ...options, data }], (ids) => ids[0] ?? 0),
    )
  }

  /**
   * Puts several messages in, all together, or none of them when the call fails; resolves with their numbers.
   *
   * @throws as `enqueue`; `queue_full` when they are more than the capacity.
   */
  enqueueMany(messages: readonly NewMessage<T>[]): readonly number[] | Later<readonly number[]> {
    return this.#checked(
      () => checkMessages(`enqueueMany of ${this}`, messages),
      () => this.#add(messages, (ids) => ids),
    )
  }

  /** Takes no more messages. Those that are in, or wait for room, can still be received. */
  close(): void {
    this.#messages.closed = true
    while (this.#senders.first !== undefined) this.#senders.admit()
    this.#changed()
  }

  // ---- Out

  /**
   * Takes up to `max` messages (default 1); waits for the first one, in the order of the calls. They are unseen by others
   * until they are answered for, or the visibility timeout is over.
   *
   * @throws `CallError` `failed`, whose cause is a `QueueError`: `queue_closed` when it is closed and nothing is left, in
   * flight neither; `bad_options`.
   */
  receive(max = 1, options: ReceiveOptions = {}): readonly Received<T>[] | Later<readonly Received<T>[]> {
    return this.#checked(
      () => checkReceive(`receive of ${this}`, max, options),
      () => this.#receive(max, options),
    )
  }

  /**
   * Done with: these messages leave the queue. Resolves with the receipts that came too late, because the message was
   * delivered again since, or given back; they change nothing.
   */
  ack(receipts: Receipt | readonly Receipt[]): readonly Receipt[] | Later<readonly Receipt[]> {
    return this.#answered('ack', receipts, (all) => this.#ack(all))
  }

  /**
   * Gives messages back, to be delivered again, after a delay or at once; those that had their last attempt become dead
   * letters. Resolves with the receipts that came too late.
   */
  nack(
    receipts: Receipt | readonly Receipt[],
    options: NackOptions = {},
  ): readonly Receipt[] | Later<readonly Receipt[]> {
    return this.#checked(
      () => checkNack(`nack of ${this}`, options),
      () => this.#answered('nack', receipts, (all) => this.#nack(all, options)),
    )
  }

  /** Messages need longer: they have `ms` milliseconds from now on. Resolves with the receipts that came too late. */
  extend(receipts: Receipt | readonly Receipt[], ms: number): readonly Receipt[] | Later<readonly Receipt[]> {
    return this.#checked(
      () => checkTime(`the time of extend of ${this}`, ms),
      () =>
        this.#answered('extend', receipts, (all) => {
          const due = this.#now + ms
          return all.filter((receipt) => !this.#messages.extend(receipt, due))
        }),
    )
  }

  /** Gives messages up at once, whatever attempts they have left. Resolves with the receipts that came too late. */
  deadLetter(receipts: Receipt | readonly Receipt[], reason?: unknown): readonly Receipt[] | Later<readonly Receipt[]> {
    return this.#answered('deadLetter', receipts, (all) => this.#deadLetter(all, reason))
  }

  /** All three in one message: for who answers for many. Resolves with the receipts that came too late. */
  settle(settlement: Settlement): readonly Receipt[] | Later<readonly Receipt[]> {
    return this.#checked(
      () => checkSettlement(`settle of ${this}`, settlement),
      () => {
        const { ack = [], nack = [], deadLetter = [] } = settlement
        const late = this.#ack(ack)
        for (const { receipt, ...how } of nack) late.push(...this.#nack([receipt], how))
        for (const { receipt, reason } of deadLetter) late.push(...this.#deadLetter([receipt], reason))
        this.#changed()
        return late
      },
    )
  }

  // ---- Dead letters

  /** The messages that were given up, those first that died first, `max` at most (default 100). They stay where they are. */
  deadLetters(max = 100): readonly DeadLetter<T>[] {
    return this.#messages.deadLetters(max, this.#now)
  }

  /** Puts dead letters into the line again, by their numbers, or all; as if they were new. Resolves with how many. */
  redrive(ids?: readonly number[], options: { readonly delay?: number | undefined } = {}): number | Later<number> {
    return this.#checked(
      () => {
        checkEnqueue(`redrive of ${this}`, options)
        if (ids !== undefined) checkNumbers(`the ids of redrive of ${this}`, ids)
      },
      () => {
        const count = this.#messages.redrive(ids, options.delay ?? 0, this.#now)
        this.#changed()
        return count
      },
    )
  }

  /** Throws dead letters away, by their numbers, or all. Resolves with how many. */
  discardDeadLetters(ids?: readonly number[]): number | Later<number> {
    return this.#checked(
      () => ids !== undefined && checkNumbers(`the ids of discardDeadLetters of ${this}`, ids),
      () => {
        const count = this.#messages.discard(ids)
        this.#changed()
        return count
      },
    )
  }

  // ---- State

  /** What the queue holds, and what it did. */
  stats(): QueueStats {
    const { counts, oldest, totals } = this.#messages
    return {
      ...counts,
      capacity: this.#options.capacity,
      oldestAge: oldest === undefined ? 0 : this.#now - oldest,
      waitingToReceive: this.#receivers.size,
      waitingToEnqueue: this.#senders.events,
      closed: this.#messages.closed,
      totals,
    }
  }

  /** Resolves when there is nothing left but dead letters: nothing ready, delayed, in flight, or waiting for room. */
  idle(): void | Later<void> {
    if (this.#isIdle) return
    const later = this.later<void>()
    this.#idle.push(later)
    later.onAbandoned(() => {
      this.#idle = this.#idle.filter((other) => other !== later)
    })
    return later
  }

  // ---- How it is done

  get #now(): number {
    return this.#process?.runtime.clock.now() ?? 0
  }

  get #isIdle(): boolean {
    return this.#messages.live === 0 && this.#senders.callers === 0
  }

  #add<Reply>(messages: readonly NewMessage<T>[], reply: (ids: readonly number[]) => Reply): Reply | Later<Reply> {
    const { length } = messages
    // A caller that gave up before its turn came was told that nothing is in.
    if (length === 0 || this.#nobodyWaits(['enqueue', 'enqueueMany'])) return reply([])
    if (this.#messages.closed) return this.#refuse('queue_closed', length, 'it is closed')
    const { capacity, overflow, maxWaiting } = this.#options
    const { size } = this.#messages
    if (size + length <= capacity && this.#senders.callers === 0) return reply(this.#enter(messages))
    const { dead } = this.#messages.counts
    const held = `it holds ${size} messages of at most ${capacity}${dead === 0 ? '' : `, ${dead} of them dead letters`}`
    if (length > capacity) return this.#refuse('queue_full', length, `they never fit into its capacity of ${capacity}`)
    if (overflow === 'reject') return this.#refuse('queue_full', length, held)
    const ahead = this.#senders.events
    if (ahead > 0 && ahead + length > maxWaiting) {
      return this.#refuse('queue_full', length, `${held}, and ${ahead} wait for room already, of at most ${maxWaiting}`)
    }
    if (dead > 0) this.#report?.fullOfDeadLetters(dead, capacity)
    const later = this.later<Reply>()
    // A copy: the array is the caller's, who may use it again after giving up.
    const own = [...messages]
    const waiting = this.#senders.join(own, () => later.reply(reply(this.#enter(own))))
    later.onAbandoned(() => {
      this.#senders.leave(waiting)
      // Those behind may have waited for this one only.
      this.#turnEnd?.request()
    })
    return later
  }

  #enter(messages: readonly NewMessage<T>[]): readonly number[] {
    const now = this.#now
    const ids = messages.map((message) => this.#messages.add(message, now))
    this.#report?.enqueued(messages.length)
    this.#wakeUp?.by(this.#messages.nextDue)
    // Several that come in one turn are given out together.
    const { first } = this.#receivers
    if (first !== undefined) {
      if (this.#messages.ready >= first.max) this.#serve()
      else this.#turnEnd?.request()
    }
    return ids
  }

  #receive(max: number, options: ReceiveOptions): readonly Received<T>[] | Later<readonly Received<T>[]> {
    const { visibilityTimeout = this.#options.visibilityTimeout, waitTime = Infinity } = options
    // A cast has nobody to give messages to.
    if (!this.#isCalled || this.#nobodyWaits()) return []
    this.#timePassed()
    if (this.#receivers.size === 0 || waitTime === 0) {
      const messages = this.#take(max, visibilityTimeout)
      if (messages.length > 0) return messages
      if (this.#isOver) return this.#fail(this.#overError())
      if (waitTime === 0) return []
    }
    const later = this.later<readonly Received<T>[]>()
    const receiver = new Receiver<T>(
      max,
      visibilityTimeout,
      (messages) => later.reply(messages),
      (error) => later.fail(error),
    )
    this.#receivers.join(receiver, this.#now + waitTime)
    this.#wakeUp?.by(this.#receivers.nextDue)
    later.onAbandoned(() => this.#receivers.leave(receiver))
    return later
  }

  #take(max: number, visibilityTimeout: number): readonly Received<T>[] {
    if (this.#messages.ready === 0) return []
    const messages = this.#messages.take(max, visibilityTimeout, this.#now)
    if (messages.length > 0) {
      this.#report?.delivered(messages.length)
      this.#wakeUp?.by(this.#messages.nextDue)
    }
    return messages
  }

  // These give the receipts that were late.

  #ack(receipts: readonly Receipt[]): Receipt[] {
    const late = receipts.filter((receipt) => !this.#messages.ack(receipt))
    this.#report?.acknowledged(receipts.length - late.length, late.length)
    return late
  }

  #deadLetter(receipts: readonly Receipt[], reason: unknown): Receipt[] {
    const late: Receipt[] = []
    for (const receipt of receipts) {
      const entry = this.#messages.deadLetter(receipt, reason)
      if (entry === undefined) late.push(receipt)
      else this.#report?.died(entry)
    }
    return late
  }

  #nack(receipts: readonly Receipt[], options: NackOptions): Receipt[] {
    const now = this.#now
    const { delay = 0, reason, counted = true } = options
    const how = { delay, reason, counted }
    const late: Receipt[] = []
    for (const receipt of receipts) {
      const entry = this.#messages.nack(receipt, how, this.#options.maxAttempts, now)
      if (entry === undefined) late.push(receipt)
      else if (entry.state === 'dead') this.#report?.died(entry)
    }
    this.#report?.returned(receipts.length - late.length, delay)
    return late
  }

  /** Receipts are answered for: then there may be room, or something to deliver. */
  #answered(
    what: string,
    receipts: Receipt | readonly Receipt[],
    answer: (receipts: readonly Receipt[]) => readonly Receipt[],
  ): readonly Receipt[] | Later<readonly Receipt[]> {
    let all: readonly Receipt[] = []
    return this.#checked(
      () => {
        all = receiptsOf(`${what} of ${this}`, receipts)
      },
      () => {
        const late = answer(all)
        this.#changed()
        return late
      },
    )
  }

  /** Lets in who has room now, gives out what is there, tells who waits for the end, sets the alarm. */
  #changed(): void {
    this.#admit()
    this.#serve()
    this.#wakeUp?.by(Math.min(this.#messages.nextDue, this.#receivers.nextDue))
    if (!this.#isIdle) return
    for (const later of this.#idle.splice(0)) later.reply()
    if (this.#isOver) this.#receivers.failAll(() => this.#overError())
  }

  #admit(): void {
    const { capacity } = this.#options
    for (let { first } = this.#senders; first !== undefined; { first } = this.#senders) {
      if (this.#messages.size + first.events.length > capacity) return
      this.#senders.admit()
    }
  }

  #serve(): void {
    this.#admit()
    for (let { first } = this.#receivers; first !== undefined; { first } = this.#receivers) {
      const messages = this.#take(first.max, first.visibilityTimeout)
      if (messages.length === 0) return
      this.#receivers.leave(first)
      first.reply(messages)
    }
  }

  #timePassed(): void {
    const now = this.#now
    if (this.#messages.nextDue <= now) {
      const { returned, dead } = this.#messages.expire(now, this.#options.maxAttempts)
      this.#report?.expired(returned + dead.length)
      for (const entry of dead) this.#report?.died(entry)
    }
    this.#serve()
    this.#receivers.expire(now)
    this.#changed()
  }

  // ---- Refusing

  get #isOver(): boolean {
    return this.#messages.closed && this.#isIdle
  }

  #overError(): QueueError {
    return new QueueError('queue_closed', `${this} has nothing to receive: it is closed and everything is done with`)
  }

  get #isCalled(): boolean {
    const message = serverOf(this)?.messageInHand
    return message !== undefined && isCall(message)
  }

  /** The message in hand is a call of one of these methods, or any, whose caller gave up before its turn came. */
  #nobodyWaits(methods?: readonly string[]): boolean {
    const message = serverOf(this)?.messageInHand
    if (message === undefined || !isCall(message) || message.open) return false
    return methods === undefined || methods.includes(message.method)
  }

  #refuse(code: QueueErrorCode, count: number, why: string): Later<never> {
    return this.#fail(
      new QueueError(code, `${this} did not take ${count === 1 ? 'a message' : `${count} messages`}: ${why}`),
    )
  }

  /** A bad argument is the caller's mistake: the queue goes on. */
  #checked<Reply>(check: () => unknown, go: () => Reply): Reply | Later<never> {
    try {
      check()
    } catch (error) {
      return this.#fail(error)
    }
    return go()
  }

  #fail(error: unknown): Later<never> {
    const later = this.later<never>()
    later.fail(error)
    return later
  }
}
