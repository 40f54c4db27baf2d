/** Opens the broker that the user asked for. */

import type { Broker, Patience } from './broker.ts'
import { embedded } from './embedded.ts'
import { rabbitmq } from './rabbitmq.ts'

export interface OpenOptions extends Patience {
  /** Of a RabbitMQ server; `undefined` for the broker inside this program. */
  readonly url: string | undefined
  /** In front of the names of the queues. */
  readonly prefix: string
}

/** @throws `InputError` when the server does not answer. */
export async function openBroker({ url, prefix, chaos }: OpenOptions): Promise<Broker & AsyncDisposable> {
  const broker = url === undefined ? embedded({ chaos }) : await rabbitmq({ url, prefix, chaos })
  return { ...broker, [Symbol.asyncDispose]: () => broker.close() }
}
