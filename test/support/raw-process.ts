/** A process that speaks the protocol between stages by hand: it notes what it is sent, at once, and handles nothing. */

import type { ExitReason } from 'sluice'
import { Tag } from '../../src/process/message.ts'
import { Process } from '../../src/process/process.ts'
import { processOf, type Ref } from '../../src/process/ref.ts'
import { currentRuntime } from '../../src/process/runtime.ts'
import { ConsumingBehaviour } from '../../src/stage/consuming-behaviour.ts'
import type { Replaced } from '../../src/stage/inlet.ts'
import { ASK, CANCEL, CANCELLED, EVENTS, SUBSCRIBE, Subscription } from '../../src/stage/subscription.ts'
import type { SubscriptionOptions } from '../../src/stage/subscription-options.ts'

const NAMES = new Map([
  [SUBSCRIBE, 'subscribe'],
  [ASK, 'ask'],
  [CANCEL, 'cancel'],
  [EVENTS, 'events'],
  [CANCELLED, 'cancelled'],
])

export class RawProcess extends Process {
  /** What was sent, in order: the kind of message and its payload. */
  readonly received: (readonly [kind: string, payload: unknown])[] = []

  constructor() {
    super(currentRuntime(), undefined, 'raw')
    this.behaviour = { receive: () => {}, crashed: () => {}, ended: () => {} }
  }

  override deliver(tag: Tag, payload: unknown): void {
    this.received.push([NAMES.get(tag.kind) ?? 'other', payload])
    super.deliver(tag, payload)
  }

  /** Subscribes to a producer, as its consumer. */
  subscribeTo(producer: Ref, options: SubscriptionOptions = {}, replaced?: Replaced): Subscription {
    const subscription = new Subscription(this.runtime.nextId(), this, processOf(producer), options)
    send(producer, SUBSCRIBE, subscription, replaced)
    return subscription
  }

  /** Makes a consumer subscribe to this process. */
  acceptFrom(consumer: Ref, options: SubscriptionOptions = {}): Subscription {
    const { behaviour } = processOf(consumer)
    if (!(behaviour instanceof ConsumingBehaviour)) throw new Error(`${consumer} consumes nothing`)
    return behaviour.subscribe(this, options)
  }

  /** What was sent of one kind. */
  of(kind: string): unknown[] {
    return this.received.filter((message) => message[0] === kind).map((message) => message[1])
  }
}

/** Sends a message of the protocol. */
export function send(to: Ref, kind: number, subscription: Subscription, payload: unknown): void {
  processOf(to).deliver(new Tag(kind, subscription), payload)
}

/** Tells a consumer that its subscription was cancelled, as its producer does. */
export function cancelFrom(subscription: Subscription, reason: ExitReason): void {
  send(subscription.consumer, CANCELLED, subscription, reason)
}
