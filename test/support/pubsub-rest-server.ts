/** A server that speaks the REST of Pub/Sub, as far as the connector does: topics, subscriptions, messages that are lent for a time. */

import { createServer, type IncomingMessage } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'

interface StoredMessage {
  readonly message: object
  /** When it can be delivered, in milliseconds since 1970. */
  visibleAt: number
  /** Of its last delivery, until that is answered for or its deadline is over. */
  ackId: string | undefined
}

interface Subscription {
  readonly topic: string
  readonly ackDeadlineSeconds: number
  messages: StoredMessage[]
}

/** Milliseconds for which a pull waits for messages, and between its looks. */
const LONGEST_PULL = 500
const LOOK = 10

export class PubSubRestServer implements AsyncDisposable {
  readonly #subscriptions = new Map<string, Subscription>()
  /** Statuses that the next requests are answered with. */
  readonly failures: number[] = []
  /** What requests have said in `authorization`. */
  readonly tokens = new Set<string | undefined>()
  #ids = 0
  readonly #server = createServer((request, response) => {
    void this.#answer(request).then(
      ([status, body]) => response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body)),
      () => response.destroy(),
    )
  })

  static async start(): Promise<PubSubRestServer> {
    const server = new PubSubRestServer()
    await new Promise<void>((resolve) => server.#server.listen(0, '127.0.0.1', resolve))
    return server
  }

  get url(): string {
    const address = this.#server.address()
    return `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`
  }

  /** Messages of a subscription that nobody has, and those that somebody has. */
  counts(subscription: string): { readonly waiting: number; readonly lent: number } {
    const messages = this.#subscriptions.get(subscription)?.messages ?? []
    const lent = messages.filter(({ ackId, visibleAt }) => ackId !== undefined && visibleAt > Date.now()).length
    return { waiting: messages.length - lent, lent }
  }

  async #answer(request: IncomingMessage): Promise<readonly [number, object]> {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    const body = JSON.parse(Buffer.concat(chunks).toString() || '{}')
    this.tokens.add(request.headers.authorization)
    const failure = this.failures.shift()
    if (failure !== undefined) return [failure, { error: { message: `failure ${failure}` } }]
    const [name = '', action = ''] = (request.url ?? '').replace('/v1/', '').split(':')
    if (request.method === 'PUT') return [200, this.#create(name, body)]
    if (action === 'publish') return [200, this.#publish(name, body.messages)]
    const subscription = this.#subscriptions.get(name)
    if (subscription === undefined) return [404, { error: { message: `there is no ${name}` } }]
    if (action === 'pull') return [200, await this.#pull(subscription, body.maxMessages, request)]
    if (action === 'acknowledge') {
      subscription.messages = subscription.messages.filter(({ ackId }) => !body.ackIds.includes(ackId))
    }
    if (action === 'modifyAckDeadline') {
      for (const stored of subscription.messages) {
        if (!body.ackIds.includes(stored.ackId)) continue
        stored.visibleAt = Date.now() + body.ackDeadlineSeconds * 1000
        if (body.ackDeadlineSeconds === 0) stored.ackId = undefined
      }
    }
    return [200, {}]
  }

  #create(name: string, { topic, ackDeadlineSeconds = 10 }: { topic?: string; ackDeadlineSeconds?: number }): object {
    if (topic !== undefined) this.#subscriptions.set(name, { topic, ackDeadlineSeconds, messages: [] })
    return { name }
  }

  #publish(topic: string, messages: readonly object[]): object {
    const messageIds = messages.map(() => String(++this.#ids))
    const publishTime = new Date().toISOString()
    for (const subscription of this.#subscriptions.values()) {
      if (subscription.topic !== topic) continue
      for (const [index, message] of messages.entries()) {
        const stored = { ...message, messageId: messageIds[index], publishTime }
        subscription.messages.push({ message: stored, visibleAt: 0, ackId: undefined })
      }
    }
    return { messageIds }
  }

  async #pull(subscription: Subscription, max: number, request: IncomingMessage): Promise<object> {
    const end = Date.now() + LONGEST_PULL
    while (!request.destroyed || request.complete) {
      if (request.socket.destroyed) throw new Error('nobody listens any more')
      const now = Date.now()
      const ready = subscription.messages.filter(({ visibleAt }) => visibleAt <= now).slice(0, max)
      if (ready.length > 0 || now >= end) {
        const receivedMessages = ready.map((stored) => {
          stored.ackId = `ack${++this.#ids}`
          stored.visibleAt = now + subscription.ackDeadlineSeconds * 1000
          return { ackId: stored.ackId, message: stored.message }
        })
        return receivedMessages.length === 0 ? {} : { receivedMessages }
      }
      await delay(LOOK)
    }
    return {}
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}
