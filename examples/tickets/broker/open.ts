/** Opens the broker that the user asked for. */

import { InputError } from '../../command-line/input-error.ts'
import { atServer } from './at-server.ts'
import type { Broker, Patience } from './broker.ts'
import { embedded } from './embedded.ts'
import { kindOf } from './servers.ts'
import { within } from './within.ts'

export interface OpenOptions extends Patience {
  /** Of a server; `undefined` for the broker inside this program. */
  readonly url: string | undefined
  /** In front of the names of the queues. */
  readonly prefix: string
}

/** Milliseconds that a server has to say goodbye: it has everything, or will never have it. */
const FAREWELL = 200

/** @throws `InputError` when the server does not answer. */
export async function openBroker({ url, prefix, chaos }: OpenOptions): Promise<Broker & AsyncDisposable> {
  const broker = url === undefined ? embedded({ chaos }) : await brokerAt(url, { prefix, chaos })
  return { ...broker, [Symbol.asyncDispose]: () => within(FAREWELL, broker.close()).catch(() => {}) }
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
