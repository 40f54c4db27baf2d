/** The Redis of this machine, or the one at REDIS_URL; `scripts/with-servers` starts a private one. And one that a test may hurt. */

import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { createClient, type RedisClientType } from 'redis'
import { ServerProcess } from './server-process.ts'

export const REDIS = process.env['REDIS_URL'] ?? 'redis://127.0.0.1:6379'
const SERVER = '/usr/bin/redis-server'

/** In CI it has to be there. */
export const redisIsThere = process.env['CI'] !== undefined || (await answers())
if (!redisIsThere) console.warn(`no Redis at ${new URL(REDIS).host}: its tests are skipped; see scripts/with-servers`)

export const redisCanStart = process.env['CI'] !== undefined || existsSync(SERVER)
if (!redisCanStart) console.warn('no Redis to kill and start: its tests are skipped; apt-get install redis-server')

async function answers(): Promise<boolean> {
  const client = createClient({ url: REDIS, socket: { reconnectStrategy: false } }).on('error', () => {})
  try {
    await client.connect()
    await client.close()
    return true
  } catch {
    return false
  }
}

/** A server of a test's own, which has everything on the disk before it answers. With a certificate it speaks nothing but TLS. */
export function ownRedisServer(...args: readonly string[]): Promise<ServerProcess> {
  const isEncrypted = args.includes('--tls-cert-file')
  return ServerProcess.start({
    name: 'redis',
    program: SERVER,
    args: (port, home) => [
      ...(isEncrypted ? ['--port', '0', '--tls-port', String(port)] : ['--port', String(port)]),
      ...['--bind', '127.0.0.1', '--dir', home, '--save', ''],
      ...['--appendonly', 'yes', '--appendfsync', 'always', ...args],
    ],
    ready: /Ready to accept connections/,
  })
}

export const urlOf = ({ port }: ServerProcess): string => `redis://127.0.0.1:${port}`

/** What a test has at a server, which is gone when it ends. */
export class Redis implements AsyncDisposable {
  readonly client: RedisClientType
  readonly #keys: string[] = []

  private constructor(client: RedisClientType) {
    this.client = client
  }

  static async connect(url = REDIS): Promise<Redis> {
    const client: RedisClientType = createClient({ url, socket: { reconnectStrategy: 50 } })
    client.on('error', () => {})
    await client.connect()
    return new Redis(client)
  }

  /** A key that no other test uses. It is deleted at the end, with all that begin with it. */
  key(): string {
    const key = `sluice-test-${randomUUID()}`
    this.#keys.push(key)
    return key
  }

  /** A stream with entries `{ n: '0' }`, `{ n: '1' }`, ... */
  async stream(entries = 0): Promise<string> {
    const key = this.key()
    await this.add(key, entries)
    return key
  }

  async add(stream: string, entries: number, from = 0): Promise<void> {
    await Promise.all(Array.from({ length: entries }, (_, n) => this.client.xAdd(stream, '*', { n: `${from + n}` })))
  }

  /** A list with values `0`, `1`, ... */
  async list(values = 0): Promise<string> {
    const key = this.key()
    if (values > 0)
      await this.client.rPush(
        key,
        Array.from({ length: values }, (_, n) => `${n}`),
      )
    return key
  }

  /** Entries that were delivered to a group and not answered for. */
  async pending(stream: string, group = 'workers'): Promise<number> {
    return (await this.#group(stream, group))?.pending ?? 0
  }

  /** Entries that were not delivered to a group. */
  async waiting(stream: string, group = 'workers'): Promise<number> {
    const found = await this.#group(stream, group)
    if (found === undefined) return this.client.xLen(stream)
    return (await this.entries(stream, `(${found['last-delivered-id']}`)).length
  }

  /** The entries of a stream. */
  async entries(stream: string, from = '-') {
    return (await this.client.xRange(stream, from, '+')) ?? []
  }

  /** The names of the consumers of a group. */
  async consumers(stream: string, group = 'workers'): Promise<readonly string[]> {
    return (await this.client.xInfoConsumers(stream, group)).map(({ name }) => name)
  }

  /** Resolves when a group has had all entries, and all are answered for. */
  async done(stream: string, group = 'workers'): Promise<void> {
    while ((await this.waiting(stream, group)) + (await this.pending(stream, group)) > 0);
  }

  /** What sources have in hand of a list. */
  async inHand(list: string): Promise<number> {
    let count = 0
    for (const key of await this.client.keys(`{${list}}:in-hand:*`)) count += await this.client.lLen(key)
    return count
  }

  async #group(stream: string, group: string) {
    const groups = await this.client.xInfoGroups(stream).catch(() => [])
    return groups.find(({ name }) => name === group)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const key of this.#keys) {
      const found = [...(await this.client.keys(`${key}*`)), ...(await this.client.keys(`{${key}*`))]
      if (found.length > 0) await this.client.del(found)
    }
    await this.client.close()
  }
}
