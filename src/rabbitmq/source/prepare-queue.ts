/** Has the server ready to be consumed from, as the options of a source say. */

import type { AmqpChannel } from '../client/port.ts'
import type { CheckedSourceOptions } from '../options/source-options.ts'

/** Gives the name of the queue, which may be the server's choice. */
export async function prepareQueue(channel: AmqpChannel, options: CheckedSourceOptions): Promise<string> {
  const { afterConnect, prefetchCount, declare, bindings, queue: given } = options
  await afterConnect?.(channel)
  await channel.prefetch(prefetchCount)
  let queue = given
  if (declare?.passive) await channel.checkQueue(given)
  else if (declare !== undefined) {
    const { durable = true, autoDelete = false, exclusive = false, arguments: args = {} } = declare
    queue = (await channel.assertQueue(given, { durable, autoDelete, exclusive, arguments: args })).queue
  }
  for (const { exchange, routingKey, arguments: args } of bindings) {
    await channel.bindQueue(queue, exchange, routingKey ?? '', args ?? {})
  }
  return queue
}
