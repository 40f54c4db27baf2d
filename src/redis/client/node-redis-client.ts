/** The client that is used unless another one is given: node-redis, an optional peer dependency, loaded here and nowhere else. */

import { loadPackage } from '../../connector/load-package.ts'
import { RedisError } from '../errors.ts'
import { type RedisClient, type RedisConnection, RedisRefusal, type RedisReply } from './port.ts'

const load = (): Promise<typeof import('redis')> =>
  loadPackage(
    'sluice/redis',
    'redis',
    () => import('redis'),
    (text, cause) => new RedisError('missing_package', text, cause),
  )

export const nodeRedisClient: RedisClient = {
  load,

  async connect(target) {
    const { createClient, ErrorReply, RESP_TYPES } = await load()
    const { url, username, password, name, timeout, tls, lost } = target
    const encrypted = url.startsWith('rediss:')
    let wasReady = false
    const client = createClient({
      url,
      RESP: 2,
      // It would ask the server for news that no server of version 7 has.
      maintNotifications: 'disabled',
      ...(username === undefined ? {} : { username }),
      ...(password === undefined ? {} : { password }),
      ...(name === undefined ? {} : { name }),
      socket: {
        ...(encrypted ? { ...tls, tls: true } : {}),
        connectTimeout: timeout,
        // While it waits, nothing can stop the client: it would keep a program alive that ends.
        reconnectStrategy: (_retries: number, cause: Error) => {
          if (wasReady) lost(cause)
          return false
        },
      },
    })
    // All of them are told to reconnectStrategy.
    client.on('error', () => {})
    await client.connect()
    wasReady = true
    const options = { typeMapping: { [RESP_TYPES.BLOB_STRING]: Buffer } }
    const connection: RedisConnection = {
      get isReady() {
        return client.isReady
      },
      async command(...args) {
        try {
          return await client.sendCommand<RedisReply>(args, options)
        } catch (error) {
          throw error instanceof ErrorReply ? new RedisRefusal(error.message, error) : error
        }
      },
      close: async () => {
        if (client.isOpen) await client.close()
      },
      destroy: () => {
        if (client.isOpen) client.destroy()
      },
    }
    return connection
  },
}
