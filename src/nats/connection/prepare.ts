/** Has the server ready to be consumed from, as the options of a source say. */

import type { NatsConnection, NatsConsumerInfo } from '../client/port.ts'
import { NatsError } from '../errors.ts'
import { differences } from '../options/declaration.ts'
import type { CheckedSourceOptions } from '../options/source-options.ts'

/** @throws `NatsError` `not_found`, `differs`; what the server refuses. */
export async function prepare(connection: NatsConnection, options: CheckedSourceOptions): Promise<NatsConsumerInfo> {
  await prepareStream(connection, options)
  const { stream, consumer, declare } = options
  const found = await connection.consumerInfo(stream, consumer)
  if (found !== undefined) {
    if (declare !== undefined) assertSame('consumer', consumer, declare.consumer, found.config)
    if ('deliver_subject' in found.config)
      throw new NatsError(
        'differs',
        `the consumer '${consumer}' of stream '${stream}' pushes its messages: one that is pulled from is needed`,
      )
    return found
  }
  if (declare === undefined) {
    const text = `the stream '${stream}' has no consumer '${consumer}'; the option declare: {} would make it`
    throw new NatsError('not_found', text)
  }
  const config = { ...declare.consumer, durable_name: consumer, ack_policy: 'explicit' }
  await connection.addConsumer(stream, { deliver_policy: 'all', replay_policy: 'instant', ...config })
  const made = await connection.consumerInfo(stream, consumer)
  if (made === undefined)
    throw new NatsError('not_found', `the consumer '${consumer}' was deleted as soon as it was made`)
  return made
}

async function prepareStream(connection: NatsConnection, { stream, declare }: CheckedSourceOptions): Promise<void> {
  const found = await connection.streamConfig(stream)
  if (found !== undefined) {
    if (declare?.stream !== undefined) assertSame('stream', stream, declare.stream, found)
    return
  }
  if (declare?.stream === undefined) {
    const text = `there is no stream '${stream}'; the option declare: { stream: { subjects } } would make it`
    throw new NatsError('not_found', text)
  }
  await connection.addStream({ subjects: [stream], ...declare.stream, name: stream })
}

function assertSame(
  kind: 'stream' | 'consumer',
  name: string,
  declared: Readonly<Record<string, unknown>>,
  found: Readonly<Record<string, unknown>>,
): void {
  const differ = differences(kind, declared, found)
  if (differ.length === 0) return
  throw new NatsError(
    'differs',
    `the ${kind} '${name}' is not as it is declared, and is left as it is: ${differ.join('; ')}; change it at the server, or the declaration`,
  )
}
