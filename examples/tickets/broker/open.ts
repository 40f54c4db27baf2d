/** Opens the broker that the user asked for. */

import { InputError } from '../../command-line/input-error.ts'
import { atServer } from './at-server.ts'
import type { Broker, Patience } from './broker.ts'
import { embedded } from './embedded.ts'
import { kindOf } from './servers.ts'

export interface OpenOptions extends Patience {
  /** Of a server; `undefined` for the broker inside this program. */
  readonly url: string | undefined
  /** In front of the names of the queues. */
  readonly prefix: string
}

/** @throws `InputError` when the server does not answer. */
export async function openBroker({ url, prefix, chaos }: OpenOptions): Promise<Broker & AsyncDisposable> {
  const broker = url === undefined ? embedded({ chaos }) : await brokerAt(url, { prefix, chaos })
  return { ...broker, [Symbol.asyncDispose]: () => broker.close() }
}

async function brokerAt(url: string, options: Omit<OpenOptions, 'url'>): Promise<Broker> {
  const kind = kindOf(url)
  if (kind === undefined) throw new InputError('--broker: expected the URL of a server')
  const { openServer } = await kind.load()
  const server = await openServer(url)
  try {
    return await atServer(server, options)
  } catch (error) {
    await server.close()
    throw error
  }
}
