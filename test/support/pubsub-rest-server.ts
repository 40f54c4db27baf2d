/** A server that speaks the REST of Pub/Sub, as far as the connector does. It can die in the middle of a request, and come back. */

import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises'
import { freePort } from './free-port.ts'
import { PubSubStore } from './pubsub-store.ts'

/** Milliseconds for which a pull waits for messages, and between its looks. */
const LONGEST_PULL = 500
const LOOK = 10

/** What is done with a topic or a subscription, as the service calls it. */
export type Action = 'publish' | 'pull' | 'acknowledge' | 'modifyAckDeadline'

interface Request {
  readonly action: string
  /** Gives what it is answered with. */
  readonly carryOut: () => object
}

interface Death {
  readonly action: Action
  readonly carriedOut: boolean
  readonly died: () => void
}

export class PubSubRestServer implements AsyncDisposable {
  /** Statuses that the next requests are answered with. */
  readonly failures: number[] = []
  /** What requests have said in `authorization`. */
  readonly tokens = new Set<string | undefined>()
  /** Requests that had no answer because it died: those that were carried out, and the others. */
  readonly lost = { carriedOut: 0, others: 0 }
  readonly #store = new PubSubStore()
  readonly #port: number
  /** Those that it has, and has not answered. */
  readonly #requests = new Set<Request>()
  #death: Death | undefined
  readonly #server = createServer((request, response) => {
    void this.#answer(request).then(
      ([status, body]) => response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body)),
      () => response.destroy(),
    )
  })

  private constructor(port: number) {
    this.#port = port
  }

  static async start(): Promise<PubSubRestServer> {
    const server = new PubSubRestServer(await freePort())
    await server.revive()
    return server
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`
  }

  /** Messages of a subscription that nobody has, and those that somebody has. */
  counts(subscription: string): { readonly waiting: number; readonly lent: number } {
    return this.#store.counts(subscription)
  }

  /**
   * Resolves when it is dead: it dies of the next such request, of a pull only when there are messages for it. That one is carried
   * out or is not, as it is told; of all others that it has then, every second one is. None is answered.
   */
  die(action: Action, carriedOut: boolean): Promise<void> {
    return new Promise((died) => {
      this.#death = { action, carriedOut, died }
    })
  }

  /** It listens again, where it did before, and has what it had. */
  async revive(): Promise<void> {
    this.#server.listen(this.#port, '127.0.0.1')
    await once(this.#server, 'listening')
  }

  async #answer(incoming: IncomingMessage): Promise<readonly [number, object]> {
    const chunks: Buffer[] = []
    for await (const chunk of incoming) chunks.push(chunk)
    const body = JSON.parse(Buffer.concat(chunks).toString() || '{}')
    this.tokens.add(incoming.headers.authorization)
    const failure = this.failures.shift()
    if (failure !== undefined) return [failure, { error: { message: `failure ${failure}` } }]
    const [name = '', action = ''] = (incoming.url ?? '').replace('/v1/', '').split(':')
    if (incoming.method === 'PUT') {
      if (this.#store.has(name)) return [409, { error: { message: `there is a ${name}` } }]
      const { topic, ackDeadlineSeconds = 10 } = body
      if (topic !== undefined) this.#store.subscribe(name, topic, ackDeadlineSeconds)
      return [200, { name }]
    }
    if (action !== 'publish' && !this.#store.has(name)) return [404, { error: { message: `there is no ${name}` } }]
    const request = { action, carryOut: () => this.#carryOut(name, action, body) }
    this.#requests.add(request)
    try {
      // Others come meanwhile.
      await nextTurn()
      if (action === 'pull') await this.#untilThereIsSomething(name, incoming)
      if (this.#death?.action === action && (action !== 'pull' || this.counts(name).waiting > 0)) this.#perish(request)
      if (!this.#requests.has(request)) throw new Error('it has died')
      return [200, request.carryOut()]
    } finally {
      this.#requests.delete(request)
    }
  }

  #carryOut(name: string, action: string, { messages, maxMessages, ackIds, ackDeadlineSeconds }: RequestBody): object {
    if (action === 'publish') return { messageIds: this.#store.publish(name, messages) }
    if (action === 'pull') {
      const receivedMessages = this.#store.pull(name, maxMessages)
      return receivedMessages.length === 0 ? {} : { receivedMessages }
    }
    if (action === 'acknowledge') this.#store.acknowledge(name, ackIds)
    if (action === 'modifyAckDeadline') this.#store.modifyAckDeadline(name, ackIds, ackDeadlineSeconds)
    return {}
  }

  async #untilThereIsSomething(subscription: string, { socket }: IncomingMessage): Promise<void> {
    const end = Date.now() + LONGEST_PULL
    while (this.counts(subscription).waiting === 0 && Date.now() < end) {
      await delay(LOOK)
      if (socket.destroyed) throw new Error('nobody listens any more')
    }
  }

  #perish(cause: Request): void {
    const { carriedOut = false, died } = this.#death ?? {}
    this.#death = undefined
    this.#server.close(died)
    this.#server.closeAllConnections()
    let isCarriedOut = carriedOut
    for (const request of new Set([cause, ...this.#requests])) {
      if (isCarriedOut) request.carryOut()
      this.lost[isCarriedOut ? 'carriedOut' : 'others']++
      isCarriedOut = !isCarriedOut
    }
    this.#requests.clear()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}

/** Of all actions. */
interface RequestBody {
  readonly messages: readonly object[]
  readonly maxMessages: number
  readonly ackIds: readonly string[]
  readonly ackDeadlineSeconds: number
}
