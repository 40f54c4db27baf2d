/** A client of Pub/Sub that does what a test says, and notes what it is asked; and pipelines over it. */

import { Broadway, type Message } from 'sluice/broadway'
import {
  type MessageStream,
  type OutgoingMessage,
  type PubSubClient,
  type PubSubMetadata,
  PubSubSource,
  type PubSubSourceOptions,
  type ReceivedMessage,
  type StreamListener,
  type StreamRequest,
} from 'sluice/pubsub'

export const SUBSCRIPTION = 'projects/shop/subscriptions/orders'

/** Messages are numbers, and their ids are `a1`, `a2`, ... */
export class ScriptedPubSub implements PubSubClient {
  /** How many messages each pull has asked for. */
  readonly pulled: number[] = []
  readonly acknowledged: (readonly string[])[] = []
  /** Ids and seconds of each request. */
  readonly modified: (readonly [ids: readonly string[], seconds: number])[] = []
  readonly published: (readonly OutgoingMessage[])[] = []
  /** What the next pulls fail with. */
  readonly pullFailures: Error[] = []
  /** What requests that answer for messages, and those that publish, fail with: the next ones. */
  readonly failures: Error[] = []
  /** Texts of messages that the service will never take, nor any others that are in one request with them. */
  readonly refused = new Set<string>()
  /** Pulls wait for messages, until they are aborted. */
  waits = false
  aborted = 0
  /** Ends the waiting of a pull, with what there is. */
  answer = () => {}
  readonly streams: ScriptedStream[] = []
  #messages: ReceivedMessage[] = []

  /** Messages `from`, `from + 1`, ... */
  fill(count: number, from = 1): void {
    for (let n = from; n < from + count; n++) this.#messages.push(received(n))
  }

  put(message: Partial<ReceivedMessage>): void {
    this.#messages.push({ ...received(0), ...message })
  }

  async pull(_subscription: string, maxMessages: number, signal: AbortSignal): Promise<readonly ReceivedMessage[]> {
    this.pulled.push(maxMessages)
    const failure = this.pullFailures.shift()
    if (failure !== undefined) throw failure
    if (this.#messages.length === 0 && this.waits) {
      await new Promise<void>((resolve, reject) => {
        this.answer = resolve
        signal.addEventListener('abort', () => {
          this.aborted++
          reject(signal.reason)
        })
      })
    }
    return this.#messages.splice(0, maxMessages)
  }

  async acknowledge(_subscription: string, ackIds: readonly string[]): Promise<void> {
    this.acknowledged.push(ackIds)
    this.#fail()
  }

  async modifyAckDeadline(_subscription: string, ackIds: readonly string[], seconds: number): Promise<void> {
    this.modified.push([ackIds, seconds])
    this.#fail()
  }

  stream(request: StreamRequest, listener: StreamListener): MessageStream {
    const stream = new ScriptedStream(request, listener)
    this.streams.push(stream)
    return stream
  }

  async publish(_topic: string, messages: readonly OutgoingMessage[]): Promise<void> {
    this.published.push(messages)
    this.#fail()
    if (messages.some(({ data }) => this.refused.has(Buffer.from(data).toString()))) throw status(400)
  }

  async close(): Promise<void> {}

  #fail(): void {
    const failure = this.failures.shift()
    if (failure !== undefined) throw failure
  }
}

export class ScriptedStream implements MessageStream {
  readonly request: StreamRequest
  readonly told: string[] = []
  /** Does not end when it is asked to. */
  deaf = false
  readonly #listener: StreamListener

  constructor(request: StreamRequest, listener: StreamListener) {
    this.request = request
    this.#listener = listener
  }

  send(count: number, from = 1): void {
    this.#listener.received(Array.from({ length: count }, (_, n) => received(from + n)))
  }

  fail(error?: Error): void {
    this.#listener.ended(error)
  }

  pause(): void {
    this.told.push('pause')
  }

  resume(): void {
    this.told.push('resume')
  }

  ping(): void {
    this.told.push('ping')
  }

  end(): void {
    this.told.push('end')
    if (!this.deaf) this.fail()
  }

  cancel(): void {
    this.told.push('cancel')
    this.fail(new Error('cancelled'))
  }
}

function received(n: number): ReceivedMessage {
  return {
    ackId: `a${n}`,
    deliveryAttempt: null,
    messageId: `m${n}`,
    data: Buffer.from(String(n)),
    attributes: {},
    orderingKey: '',
    publishTime: null,
  }
}

/** An error of the service, as over REST. */
export const status = (number: number): Error => Object.assign(new Error(`status ${number}`), { status: number })

type Delivered = Message<Buffer | null, 'default', PubSubMetadata>

/** One message at a time; pulls every 100 ms. */
export function pipelineOver(
  client: PubSubClient,
  options: Partial<PubSubSourceOptions> = {},
  handleMessage: (message: Delivered) => Delivered | Promise<Delivered> = (message) => message,
  maxDemand = 10,
) {
  return Broadway.start({
    name: 'orders',
    producer: {
      module: PubSubSource,
      arg: {
        subscription: SUBSCRIPTION,
        receiveInterval: 100,
        client: () => client,
        backoffType: 'exp',
        backoffMin: 1000,
        ...options,
      },
    },
    processors: { default: { concurrency: 1, maxDemand, handleMessage } },
  })
}
