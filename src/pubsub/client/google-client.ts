/** The client that is used unless another one is given: Google's, an optional peer dependency, loaded here and nowhere else. */

import type { ClientConfig } from '@google-cloud/pubsub'
import { loadPackage } from '../../connector/load-package.ts'
import { PubSubError } from '../errors.ts'
import type { MessageStream, PubSubClient, ReceivedMessage, StreamListener } from './port.ts'

/** Milliseconds that a request may take which waits for nothing. */
const PATIENCE = 60_000
/** Milliseconds for which the service may wait for messages; it waits for less. */
const PULL_PATIENCE = 600_000
/** Requests that failed are made again by the source and the publisher, which say so in the log. */
const ONCE = { retryCodes: [] }

/** A message as Google's package has it, as far as it is needed here. */
interface GoogleMessage {
  readonly ackId?: string | null
  readonly deliveryAttempt?: number | null
  readonly message?: {
    readonly data?: Uint8Array | string | null
    readonly attributes?: Readonly<Record<string, string>> | null
    readonly messageId?: string | null
    readonly orderingKey?: string | null
    readonly publishTime?: { readonly seconds?: unknown; readonly nanos?: number | null } | null
  } | null
}

export async function googleClient(config: ClientConfig): Promise<PubSubClient> {
  const { PubSub, v1 } = await loadPackage(
    'sluice/pubsub',
    '@google-cloud/pubsub',
    () => import('@google-cloud/pubsub'),
    (text, cause) => new PubSubError('missing_package', text, cause),
  )
  // It knows of emulators, and of other settings in the environment.
  const { port, ...given } = new PubSub({ ...config }).options
  const options = port === undefined ? given : { ...given, port: Number(port) }
  const subscribers = new Lasting(() => new v1.SubscriberClient(options))
  const publishers = new Lasting(() => new v1.PublisherClient(options))
  return {
    async pull(subscription, maxMessages, signal) {
      const subscriber = await subscribers.ready()
      signal.throwIfAborted()
      // The method of the client has no way to cancel the call.
      const call = subscriber.innerApiCalls['pull']?.(
        { subscription, maxMessages },
        { timeout: PULL_PATIENCE, retry: ONCE, otherArgs: { headers: routed('subscription', subscription) } },
      )
      const cancel = (): void => call.cancel()
      signal.addEventListener('abort', cancel)
      try {
        const [response] = await call
        return (response.receivedMessages ?? []).map(receivedOf)
      } finally {
        signal.removeEventListener('abort', cancel)
      }
    },
    async acknowledge(subscription, ackIds) {
      const subscriber = await subscribers.ready()
      await subscriber.acknowledge({ subscription, ackIds: [...ackIds] }, { timeout: PATIENCE, retry: ONCE })
    },
    async modifyAckDeadline(subscription, ackIds, ackDeadlineSeconds) {
      const subscriber = await subscribers.ready()
      const request = { subscription, ackIds: [...ackIds], ackDeadlineSeconds }
      await subscriber.modifyAckDeadline(request, { timeout: PATIENCE, retry: ONCE })
    },
    stream({ subscription, maxOutstandingMessages, ackDeadlineSeconds }, listener) {
      const ready = subscribers.ready().then((subscriber) => () => {
        const stream = subscriber.streamingPull({ otherArgs: { headers: routed('subscription', subscription) } })
        stream.write({ subscription, streamAckDeadlineSeconds: ackDeadlineSeconds, maxOutstandingMessages })
        return stream
      })
      return opening(ready, listener)
    },
    async publish(topic, messages) {
      const publisher = await publishers.ready()
      const copies = messages.map(({ data, attributes, orderingKey }) => ({ data, attributes, orderingKey }))
      await publisher.publish({ topic, messages: copies }, { timeout: PATIENCE, retry: ONCE })
    },
    async close() {
      await Promise.all([subscribers.close(), publishers.close()])
    },
  }
}

interface Startable {
  /** Rejects when there are no credentials, or they cannot be had. */
  initialize(): Promise<unknown>
  close(): Promise<void>
}

/**
 * A client of Google's, when it is ready. One that has failed to become so stays as it is, and what is asked of it fails with a rejection
 * that nobody can catch: it is never asked, and the next time there is another.
 */
class Lasting<Client extends Startable> {
  readonly #make: () => Client
  #client: Client | undefined = undefined

  constructor(make: () => Client) {
    this.#make = make
  }

  async ready(): Promise<Client> {
    const client = (this.#client ??= this.#make())
    try {
      await client.initialize()
      return client
    } catch (error) {
      if (this.#client === client) this.#client = undefined
      throw error
    }
  }

  async close(): Promise<void> {
    await this.#client?.close()
  }
}

interface DuplexStream {
  on(event: string, listener: (what?: unknown) => void): unknown
  write(request: object): unknown
  pause(): unknown
  resume(): unknown
  end(): unknown
  cancel(): void
}

/** A stream that is opened when its client is ready, if somebody still wants it then. */
function opening(ready: Promise<() => DuplexStream>, listener: StreamListener): MessageStream {
  let stream: MessageStream | undefined
  let isOver = false
  const over = (error?: unknown): void => {
    if (isOver) return
    isOver = true
    listener.ended(error)
  }
  ready
    .then((open) => {
      if (!isOver) stream = listening(open(), listener)
    })
    .catch(over)
  return {
    pause: () => stream?.pause(),
    resume: () => stream?.resume(),
    ping: () => stream?.ping(),
    end: () => (stream === undefined ? over() : stream.end()),
    cancel: () => (stream === undefined ? over() : stream.cancel()),
  }
}

function listening(stream: DuplexStream, listener: StreamListener): MessageStream {
  let isOver = false
  const over = (error?: unknown): void => {
    if (isOver) return
    isOver = true
    listener.ended(error)
  }
  stream.on('data', (response) => {
    const { receivedMessages = [] } = Object(response)
    if (receivedMessages.length > 0) listener.received(receivedMessages.map(receivedOf))
  })
  stream.on('error', over)
  stream.on('end', () => over())
  stream.on('close', () => over())
  return {
    pause: () => void stream.pause(),
    resume: () => void stream.resume(),
    ping: () => void stream.write({}),
    end() {
      stream.resume()
      stream.end()
    },
    cancel: () => stream.cancel(),
  }
}

function routed(name: string, value: string): Record<string, string> {
  return { 'x-goog-request-params': `${name}=${encodeURIComponent(value)}` }
}

function receivedOf({ ackId, deliveryAttempt, message }: GoogleMessage): ReceivedMessage {
  const { data, attributes, messageId, orderingKey, publishTime } = message ?? {}
  return {
    ackId: ackId ?? '',
    deliveryAttempt: deliveryAttempt ? deliveryAttempt : null,
    messageId: messageId ?? '',
    // Without data and with none is the same on the wire.
    data: data === undefined || data === null || data.length === 0 ? null : Buffer.from(data),
    attributes: attributes ?? {},
    orderingKey: orderingKey ?? '',
    publishTime: publishTime?.seconds === undefined ? null : timeOf(publishTime.seconds, publishTime.nanos ?? 0),
  }
}

function timeOf(seconds: unknown, nanos: number): Date {
  return new Date(Number(seconds) * 1000 + Math.floor(nanos / 1e6))
}
