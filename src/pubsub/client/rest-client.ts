/** A client over REST, which needs no package: it pulls and publishes, and has no streams. */

import { failureText } from '../../connector/failure-report.ts'
import { PubSubError } from '../errors.ts'
import type { OutgoingMessage, PubSubClient, ReceivedMessage } from './port.ts'

export interface RestClientOptions {
  /** Default that of Google, or what PUBSUB_EMULATOR_HOST says. */
  readonly baseUrl?: string | undefined
  /** Gives a token for a request, an OAuth 2.0 one of Google; keep it for as long as it is good. Default none, as an emulator wants it. */
  readonly token?: (() => string | Promise<string>) | undefined
}

/** As the service writes them: https://cloud.google.com/pubsub/docs/reference/rest. */
interface PulledMessage {
  readonly ackId?: string
  readonly deliveryAttempt?: number
  readonly message?: {
    readonly data?: string
    readonly attributes?: Readonly<Record<string, string>>
    readonly messageId?: string
    readonly publishTime?: string
    readonly orderingKey?: string
  }
}

export function restClient(options: RestClientOptions = {}): PubSubClient {
  const { baseUrl = defaultUrl(), token } = options
  const post = async (path: string, body: object, signal: AbortSignal | null = null): Promise<unknown> => {
    const headers: Record<string, string> = { 'content-type': 'application/json' }
    if (token !== undefined) headers['authorization'] = `Bearer ${await token()}`
    const url = new URL(`v1/${path}`, baseUrl.endsWith('/') ? baseUrl : `${baseUrl}/`)
    const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body), signal })
    const text = await response.text()
    if (!response.ok) throw refusal(path, response.status, text)
    return text === '' ? {} : JSON.parse(text)
  }
  return {
    async pull(subscription, maxMessages, signal) {
      const { receivedMessages = [] } = Object(await post(`${subscription}:pull`, { maxMessages }, signal))
      return receivedMessages.map(receivedOf)
    },
    async acknowledge(subscription, ackIds) {
      await post(`${subscription}:acknowledge`, { ackIds })
    },
    async modifyAckDeadline(subscription, ackIds, ackDeadlineSeconds) {
      await post(`${subscription}:modifyAckDeadline`, { ackIds, ackDeadlineSeconds })
    },
    async publish(topic, messages, signal) {
      await post(`${topic}:publish`, { messages: messages.map(outgoingOf) }, signal)
    },
    async close() {},
  }
}

function defaultUrl(): string {
  const emulator = process.env['PUBSUB_EMULATOR_HOST']
  return emulator === undefined ? 'https://pubsub.googleapis.com' : `http://${emulator}`
}

function receivedOf({ ackId = '', deliveryAttempt = 0, message = {} }: PulledMessage): ReceivedMessage {
  const { data, attributes = {}, messageId = '', publishTime, orderingKey = '' } = message
  return {
    ackId,
    deliveryAttempt: deliveryAttempt > 0 ? deliveryAttempt : null,
    messageId,
    data: data === undefined || data === '' ? null : Buffer.from(data, 'base64'),
    attributes,
    orderingKey,
    publishTime: publishTime === undefined ? null : new Date(publishTime),
  }
}

function outgoingOf({ data, attributes, orderingKey }: OutgoingMessage): object {
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength)
  return { data: bytes.toString('base64'), attributes, ...(orderingKey === '' ? {} : { orderingKey }) }
}

function refusal(path: string, status: number, text: string): PubSubError {
  let reason = text.slice(0, 200)
  try {
    reason = String(JSON.parse(text).error.message)
  } catch (error) {
    // Not what Google writes: a proxy, or another server.
    reason = reason === '' ? failureText(error) : reason
  }
  return new PubSubError('request_failed', `${path} was answered with ${status}: ${reason}`, undefined, { status })
}
