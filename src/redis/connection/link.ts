/**
 * Keeps connections to a server: the client makes them again by itself when they are lost, after waits that grow, and commands wait
 * meanwhile. Each attempt that fails is told.
 */

import { Backoff } from '../../connector/backoff.ts'
import { reportFailure } from '../../connector/failure-report.ts'
import type { Process } from '../../process/process.ts'
import { channels } from '../../telemetry/channels.ts'
import { type RedisConnection, RedisRefusal, type RedisReply, type RedisTarget } from '../client/port.ts'
import { RedisError } from '../errors.ts'
import type { CheckedServer } from '../options/connection-options.ts'
import { failureReason, isFatal, withoutPassword } from './failure.ts'

/** Milliseconds that the server has to answer what was said last. */
const LAST_WORDS = 5000

export class Link {
  readonly #process: Process
  readonly #server: CheckedServer
  readonly #connections = new Map<string, Promise<RedisConnection>>()
  readonly #open = new Set<RedisConnection>()
  #closed = false

  constructor(process: Process, server: CheckedServer) {
    this.#process = process
    this.#server = server
    process.onEnd(() => void this.close().catch(() => {}))
  }

  get isClosed(): boolean {
    return this.#closed
  }

  /** It has a connection now. */
  get isReady(): boolean {
    for (const connection of this.#open) if (connection.isReady) return true
    return false
  }

  /** The connection for a purpose, made when it is needed for the first time. */
  async connection(purpose: 'commands' | 'waiting'): Promise<RedisConnection> {
    if (this.#closed) throw new RedisError('not_connected', `the connection of ${this.#process} is closed`)
    let made = this.#connections.get(purpose)
    if (made === undefined) {
      made = this.#made(purpose)
      this.#connections.set(purpose, made)
      made.catch(() => this.#connections.delete(purpose))
    }
    return made
  }

  /**
   * Sends a command that may be sent twice without harm: when the connection is lost before its answer came, it is sent again on the
   * next.
   */
  async command(...args: readonly (string | Buffer)[]): Promise<RedisReply> {
    for (;;) {
      const connection = await this.connection('commands')
      try {
        return await connection.command(...args)
      } catch (error) {
        if (error instanceof RedisRefusal || this.#closed) throw error
        // A client that will not connect again keeps no command.
        if (!connection.isReady && this.#server.backoff.type === 'stop') throw error
      }
    }
  }

  /** What was sent is answered, if the server still answers. */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    await Promise.all([...this.#open].map((connection) => this.#end(connection)))
    this.#open.clear()
  }

  async #end(connection: RedisConnection): Promise<void> {
    if (!connection.isReady) return connection.destroy()
    let timer: { cancel(): void } | undefined
    const late = new Promise<void>((resolve) => {
      timer = this.#process.setTimer(LAST_WORDS, () => {
        connection.destroy()
        resolve()
      })
    })
    await Promise.race([connection.close().catch(() => {}), late])
    timer?.cancel()
  }

  async #made(purpose: 'commands' | 'waiting'): Promise<RedisConnection> {
    const process = this.#process
    const { target, shown, backoff: options } = this.#server
    const backoff = new Backoff(options, () => process.runtime.random())
    const connection = await this.#first(backoff, {
      ...target,
      failed: (error) => (this.#closed ? undefined : this.#failed(error, backoff)),
      ready: () => {
        backoff.reset()
        if (purpose !== 'commands') return
        if (channels.redisConnect.hasSubscribers) {
          channels.redisConnect.publish({ process: `${process}`, connection: shown, name: target.name })
        }
      },
    })
    if (this.#closed) {
      connection.destroy()
      throw new RedisError('not_connected', `the connection of ${process} was made too late`)
    }
    this.#open.add(connection)
    return connection
  }

  /** Tries until there is a connection; then its client sees to it. */
  async #first(backoff: Backoff, target: RedisTarget): Promise<RedisConnection> {
    for (;;) {
      try {
        return await this.#server.client().connect(target)
      } catch (error) {
        const delay = this.#closed || isFatal(error) ? undefined : this.#failed(error, backoff)
        if (delay === undefined) throw error
        await this.#process.sleep(delay)
        if (this.#closed) throw error
      }
    }
  }

  #failed(error: unknown, backoff: Backoff): number | undefined {
    const process = this.#process
    const { target, shown } = this.#server
    const delay = backoff.next()
    const { text, err } = withoutPassword(error, target.password)
    const reason = failureReason(error)
    if (channels.redisConnectionFailure.hasSubscribers)
      channels.redisConnectionFailure.publish({ process: `${process}`, reason, message: text, retryIn: delay })
    reportFailure(process, `has no connection to ${shown}`, { text, err, reason }, delay)
    return delay
  }
}
