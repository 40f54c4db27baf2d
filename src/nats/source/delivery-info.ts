/**
 * What a delivery is, as the server says it in the subject for answers. Source: ADR-15 of nats-architecture-and-design, "JetStream
 * subscribe workflow".
 */

import { NatsError } from '../errors.ts'

export interface DeliveryInfo {
  readonly stream: string
  readonly consumer: string
  readonly deliveries: number
  readonly sequence: number
  /** Milliseconds since 1970. */
  readonly timestamp: number
}

/** `$JS.ACK.<stream>.<consumer>.<deliveries>.<sequence>.<...>`, since 2.9 maybe with a domain and an account before the stream. */
export function deliveryInfo(reply: string): DeliveryInfo {
  const tokens = reply.split('.')
  const at = tokens.length === 9 ? 2 : 4
  const [stream = '', consumer = '', deliveries, sequence, , nanoseconds = ''] = tokens.slice(at)
  if (tokens[1] !== 'ACK' || tokens.length < 9)
    throw new NatsError('pull_failed', `what came is no message of a stream: it is to be answered to '${reply}'`)
  return {
    stream,
    consumer,
    deliveries: Number(deliveries),
    sequence: Number(sequence),
    // More digits than a number has.
    timestamp: Number(nanoseconds.slice(0, -6)),
  }
}
