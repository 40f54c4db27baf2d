/** What a server of Pub/Sub has: topics, subscriptions, and messages that are lent for a time. It outlives who listens for requests. */

interface StoredMessage {
  readonly message: object
  /** Until when it is lent, in milliseconds since 1970. */
  deadline: number
}

interface Subscription {
  readonly topic: string
  readonly ackDeadlineSeconds: number
  /** In the order in which they are to be delivered. */
  readonly waiting: Set<StoredMessage>
  /** By the `ackId` of their last delivery. */
  readonly lent: Map<string, StoredMessage>
}

export interface Lease {
  readonly ackId: string
  readonly message: object
}

export class PubSubStore {
  readonly #subscriptions = new Map<string, Subscription>()
  #ids = 0

  subscribe(name: string, topic: string, ackDeadlineSeconds: number): void {
    this.#subscriptions.set(name, { topic, ackDeadlineSeconds, waiting: new Set(), lent: new Map() })
  }

  has(subscription: string): boolean {
    return this.#subscriptions.has(subscription)
  }

  /** Messages of a subscription that nobody has, and those that somebody has. */
  counts(name: string): { readonly waiting: number; readonly lent: number } {
    const subscription = this.#look(name)
    return { waiting: subscription?.waiting.size ?? 0, lent: subscription?.lent.size ?? 0 }
  }

  /** Gives their ids. */
  publish(topic: string, messages: readonly object[]): readonly string[] {
    const messageIds = messages.map(() => String(++this.#ids))
    const publishTime = new Date().toISOString()
    for (const subscription of this.#subscriptions.values()) {
      if (subscription.topic !== topic) continue
      for (const [index, message] of messages.entries()) {
        const stored = { ...message, messageId: messageIds[index], publishTime }
        subscription.waiting.add({ message: stored, deadline: 0 })
      }
    }
    return messageIds
  }

  pull(name: string, max: number): readonly Lease[] {
    const subscription = this.#look(name)
    if (subscription === undefined) return []
    const { waiting, lent, ackDeadlineSeconds } = subscription
    const leases: Lease[] = []
    for (const stored of waiting) {
      if (leases.length === max) break
      const ackId = `ack${++this.#ids}`
      stored.deadline = Date.now() + ackDeadlineSeconds * 1000
      waiting.delete(stored)
      lent.set(ackId, stored)
      leases.push({ ackId, message: stored.message })
    }
    return leases
  }

  acknowledge(name: string, ackIds: readonly string[]): void {
    const lent = this.#look(name)?.lent
    for (const ackId of ackIds) lent?.delete(ackId)
  }

  modifyAckDeadline(name: string, ackIds: readonly string[], seconds: number): void {
    const lent = this.#look(name)?.lent
    for (const ackId of ackIds) {
      const stored = lent?.get(ackId)
      if (stored !== undefined) stored.deadline = Date.now() + seconds * 1000
    }
  }

  /** Those whose deadline is over come again. */
  #look(name: string): Subscription | undefined {
    const subscription = this.#subscriptions.get(name)
    const now = Date.now()
    for (const [ackId, stored] of subscription?.lent ?? []) {
      if (stored.deadline > now) continue
      subscription?.lent.delete(ackId)
      subscription?.waiting.add(stored)
    }
    return subscription
  }
}
