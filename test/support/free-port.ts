/** Ports for servers of tests. */

import { createServer } from 'node:net'

/**
 * A port that nothing uses, out of those that the kernel does not give to connections: one of them, to a server that is stopped,
 * could be given the very port that it wants to reach.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = 10_000 + Math.floor(Math.random() * 20_000)
    const server = createServer()
    const free = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false)).listen(port, '127.0.0.1', () => resolve(true))
    })
    if (!free) continue
    await new Promise((resolve) => server.close(resolve))
    return port
  }
}
