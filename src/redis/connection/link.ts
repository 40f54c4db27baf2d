/**
 * Keeps connections to a server: those that are lost are made again, after waits that grow, and commands wait meanwhile. Each attempt
 * that fails is told. A server that is a replica now, or not ready yet, is left: the host may stand for another one by then.
 */

import { Backoff } from '../../connector/backoff.ts'
import { reportFailure } from '../../connector/failure-report.ts'
import type { Process } from '../../process/process.ts'
import { channels } from '../../telemetry/channels.ts'
import { type RedisConnection, RedisRefusal, type RedisReply } from '../client/port.ts'
import { RedisError } from '../errors.ts'
import type { CheckedServer } from '../options/connection-options.ts'
import { failureReason, isFatal, withoutPassword } from './failure.ts'
import { understood, WrongServer } from './refusals.ts'
import { listOf, textOf } from './replies.ts'

/** Milliseconds that the server has to answer what was said last. */
const LAST_WORDS = 5000

/** What a connection is for: one that waits at the server does nothing else. */
type Purpose = 'commands' | 'waiting'

export class Link {
  readonly #process: Process
  readonly #server: CheckedServer
  /** Those that there are, or that are being made. */
  readonly #connections = new Map<Purpose, Promise<RedisConnection>>()
  readonly #open = new Map<Purpose, RedisConnection>()
  /** Why the last server was left; `undefined` when there is the right one. */
  #left: WrongServer | undefined = undefined
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
    for (const connection of this.#open.values()) if (connection.isReady) return true
    return false
  }

  /** The connection for a purpose, made when it is needed for the first time; rejects when none will be made any more. */
  async connection(purpose: Purpose): Promise<RedisConnection> {
    if (this.#closed) throw new RedisError('not_connected', `the connection of ${this.#process} is closed`)
    return this.#connections.get(purpose) ?? this.#make(purpose)
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
        if (error instanceof RedisRefusal || this.#closed || connection.isReady) throw error
      }
    }
  }

  /** What was sent is answered, if the server still answers. */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    await Promise.all([...this.#open.values()].map((connection) => this.#end(connection)))
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

  /** @param lost Why the one before it was lost, if there was one. */
  #make(purpose: Purpose, lost?: { readonly error: unknown }): Promise<RedisConnection> {
    const made = this.#made(purpose, lost)
    this.#connections.set(purpose, made)
    made.catch(() => {
      // One that was lost for good is not looked for by the next command.
      if (lost === undefined) this.#connections.delete(purpose)
    })
    return made
  }

  async #made(purpose: Purpose, lost?: { readonly error: unknown }): Promise<RedisConnection> {
    const process = this.#process
    const { target, shown, backoff: options } = this.#server
    const backoff = new Backoff(options, () => process.runtime.random())
    if (lost !== undefined) await this.#wait(lost.error, backoff)
    const connection = await this.#connected(purpose, backoff)
    if (this.#closed) {
      connection.destroy()
      throw new RedisError('not_connected', `the connection of ${process} was made too late`)
    }
    const watched = this.#watched(connection)
    this.#open.set(purpose, watched)
    if (purpose !== 'commands') return watched
    if (channels.redisConnect.hasSubscribers) {
      channels.redisConnect.publish({ process: `${process}`, connection: shown, name: target.name })
    }
    return watched
  }

  /** Tries until there is a connection to the right server. */
  async #connected(purpose: Purpose, backoff: Backoff): Promise<RedisConnection> {
    for (;;) {
      try {
        let isRight = false
        const connection = await this.#server.client().connect({
          ...this.#server.target,
          lost: (error) => (isRight ? this.#lost(purpose, error) : undefined),
        })
        if (this.#left !== undefined) await this.#assertRight(connection, this.#left)
        isRight = true
        return connection
      } catch (error) {
        if (isFatal(error)) throw error
        await this.#wait(error, backoff)
      }
    }
  }

  /** @throws why the last server was left, when it is that one still. */
  async #assertRight(connection: RedisConnection, left: WrongServer): Promise<void> {
    if (await isReplica(connection)) {
      connection.destroy()
      throw left
    }
    this.#left = undefined
  }

  #watched(connection: RedisConnection): RedisConnection {
    return {
      get isReady() {
        return connection.isReady
      },
      command: async (...args) => {
        try {
          return await connection.command(...args)
        } catch (refusal) {
          const error = understood(refusal)
          if (error instanceof WrongServer) this.#leave(error)
          throw error
        }
      },
      close: () => connection.close(),
      destroy: () => connection.destroy(),
    }
  }

  /** What is not answered then is said again on the next connection. */
  #leave(error: WrongServer): void {
    if (this.#closed) return
    this.#left = error
    for (const [purpose, connection] of [...this.#open]) {
      connection.destroy()
      this.#lost(purpose, error)
    }
  }

  #lost(purpose: Purpose, error: unknown): void {
    this.#open.delete(purpose)
    if (!this.#closed) void this.#make(purpose, { error })
  }

  /** Waits for the next attempt. @throws the error when there is none. */
  async #wait(error: unknown, backoff: Backoff): Promise<void> {
    const delay = this.#closed ? undefined : this.#failed(error, backoff)
    if (delay === undefined) throw error
    await this.#process.sleep(delay)
    if (this.#closed) throw error
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

/** Who may not ask finds out by its next command. */
async function isReplica(connection: RedisConnection): Promise<boolean> {
  try {
    const [role] = listOf(await connection.command('ROLE'))
    return textOf(role) !== 'master'
  } catch (error) {
    if (error instanceof RedisRefusal) return false
    connection.destroy()
    throw error
  }
}
