/** What is published, and what became of it. */

import type { PublishFailure as ConnectorPublishFailure } from '../../connector/publish-group.ts'
import type { OutgoingMessage } from '../client/port.ts'
import type { PubSubError } from '../errors.ts'

/** A message for a topic: it has data, or attributes, or both. */
export interface Publication {
  readonly data?: Uint8Array | string | undefined
  readonly attributes?: Readonly<Record<string, string>> | undefined
  /** Messages with the same key are delivered in the order in which they were published, to subscriptions that are made for it. */
  readonly orderingKey?: string | undefined
}

/** One message of several that was not published. */
export type PublishFailure = ConnectorPublishFailure<PubSubError>

export function outgoing({ data = '', attributes = {}, orderingKey = '' }: Publication): OutgoingMessage {
  return { data: typeof data === 'string' ? Buffer.from(data) : data, attributes, orderingKey }
}

/** Bytes of a message in a request, about. */
export function bytesOf({ data = '', attributes = {}, orderingKey = '' }: Publication): number {
  let bytes = 20 + Buffer.byteLength(data) + Buffer.byteLength(orderingKey)
  for (const [name, value] of Object.entries(attributes)) bytes += 10 + Buffer.byteLength(name + value)
  return bytes
}

/** Their places, by their keys: the service takes messages of one key in one request. */
export function byOrderingKey(publications: readonly Publication[]): readonly (readonly number[])[] {
  const groups = new Map<string, number[]>()
  for (const [place, { orderingKey = '' }] of publications.entries()) {
    const group = groups.get(orderingKey)
    if (group === undefined) groups.set(orderingKey, [place])
    else group.push(place)
  }
  return [...groups.values()]
}
