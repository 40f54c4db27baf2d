/**
 * Stages of two threads: subscriptions, demand and events. Both sides have a `Subscription` of their own, with the number
 * that the consumer's side has given it. What is asked for is all that is sent: the demand is the credit.
 */

import { payloadOf, Tag } from '../process/message.ts'
import type { Process } from '../process/process.ts'
import {
  CANCELLED,
  isAsk,
  isCancel,
  isCancelled,
  isEvents,
  isSubscribe,
  type ProtocolTag,
  SUBSCRIBE,
  Subscription,
} from '../stage/subscription.ts'
import type { WorkerError } from './errors.ts'
import { isPackedNumbers, packNumbers, unpackNumbers } from './packed-numbers.ts'
import type { Peer } from './peer.ts'
import type { Places } from './places.ts'
import type { StageFrame } from './wire.ts'
import { receivedReason, sendable } from './wire-error.ts'

type SubscribeFrame = Extract<StageFrame, readonly ['subscribe', ...unknown[]]>

export class StageTraffic {
  readonly #peer: Peer
  readonly #places: Places
  /** Their consumers are here. */
  readonly #mine = new Map<number, Subscription>()
  /** Their producers are here. */
  readonly #theirs = new Map<number, Subscription>()
  readonly #numbers = new WeakMap<Subscription, number>()
  #last = 0

  constructor(peer: Peer, places: Places) {
    this.#peer = peer
    this.#places = places
  }

  // ---- From here

  /** A message of the protocol for a stage there. */
  forward(id: number, tag: ProtocolTag, payload: unknown): void {
    const { line } = this.#peer
    const subscription = tag.subject
    if (isSubscribe(tag)) {
      const replaced = payloadOf(tag, payload)
      const number = ++this.#last
      this.#mine.set(number, subscription)
      this.#numbers.set(subscription, number)
      const old = replaced && this.#numbers.get(replaced.subscription)
      line.send([
        'subscribe',
        id,
        number,
        this.#places.sendable(subscription.consumer),
        subscription.options,
        replaced && old !== undefined ? { subscription: old, reason: sendable(replaced.reason) } : undefined,
      ])
      return
    }
    const number = this.#numbers.get(subscription)
    if (number === undefined) return
    if (isEvents(tag)) this.#sendEvents(number, payloadOf(tag, payload))
    else if (isAsk(tag)) line.send(['ask', number, payloadOf(tag, payload)])
    else if (isCancel(tag)) line.send(['cancel', number, sendable(payload)])
    else if (isCancelled(tag)) {
      this.#theirs.delete(number)
      line.send(['cancelled', number, sendable(payload)])
    }
  }

  #sendEvents(number: number, events: readonly unknown[]): void {
    const packed = packNumbers(events)
    if (packed === undefined) this.#peer.line.send(['events', number, events])
    else this.#peer.line.send(['events', number, packed], packed.numbers.buffer)
  }

  // ---- From there

  received(frame: StageFrame): void {
    switch (frame[0]) {
      case 'subscribe':
        return this.#subscribed(frame)
      case 'ask':
        return this.#theirs.get(frame[1])?.ask(frame[2])
      case 'cancel':
        return this.#theirs.get(frame[1])?.cancel(receivedReason(frame[2]))
      case 'events':
        return this.#mine.get(frame[1])?.deliver(isPackedNumbers(frame[2]) ? unpackNumbers(frame[2]) : frame[2])
      case 'cancelled':
        return this.#cancelled(frame[1], receivedReason(frame[2]))
    }
  }

  #subscribed([, id, number, consumer, options, replaced]: SubscribeFrame): void {
    const producer = this.#places.shared(id)
    // It has ended, which was told.
    if (producer === undefined) return
    const subscription = new Subscription(
      this.#places.runtime.nextId(),
      this.#places.received(consumer),
      producer,
      options,
    )
    this.#theirs.set(number, subscription)
    this.#numbers.set(subscription, number)
    const old = replaced && this.#theirs.get(replaced.subscription)
    const gone = replaced && old && { subscription: old, reason: receivedReason(replaced.reason) }
    producer.deliver(new Tag(SUBSCRIBE, subscription), gone)
  }

  #cancelled(number: number, reason: ReturnType<typeof receivedReason>): void {
    const subscription = this.#mine.get(number)
    this.#mine.delete(number)
    subscription?.ends.consumer.deliver(new Tag(CANCELLED, subscription), reason)
  }

  // ---- Ends

  /** A stand-in has ended: its subscriptions are forgotten. */
  standInEnded(standIn: Process): void {
    for (const [number, { ends }] of this.#mine) if (ends.producer === standIn) this.#mine.delete(number)
    for (const [number, { ends }] of this.#theirs) {
      if (ends.consumer !== standIn) continue
      this.#theirs.delete(number)
      // Nobody else tells those who wait there for it, and only then do they forget it.
      this.#peer.line.send(['cancelled', number, 'noproc'])
    }
  }

  /** The producers here whose events a process there takes. */
  producersFor(standIn: Process): readonly Process[] {
    return [...this.#theirs.values()].flatMap(({ ends }) => (ends.consumer === standIn ? [ends.producer] : []))
  }

  close(): void {
    this.#mine.clear()
    this.#theirs.clear()
  }

  /** Events, or a subscription, could not be sent: the subscription ends with the reason, nothing is dropped silently. */
  lost(frame: StageFrame, error: WorkerError): StageFrame | undefined {
    const { logger } = this.#places.runtime
    if (frame[0] === 'events') {
      const subscription = this.#theirs.get(frame[1])
      logger.error({ err: error, subscription: `${subscription}` }, `${subscription} was cancelled: ${error.message}`)
      subscription?.cancel(error)
      // In the place of the events: its producer may have ended behind them, and would seem to have sent all.
      return ['cancelled', frame[1], sendable(error)]
    }
    if (frame[0] === 'subscribe') this.#cancelled(frame[2], error)
    return undefined
  }
}
