/** One connection with one channel on it: they are opened together, and when one is gone so is the other. */

import type { Process } from '../../process/process.ts'
import type { AmqpChannel, AmqpClient, AmqpConfirmChannel, AmqpConnection } from '../client/port.ts'
import { RabbitMQError } from '../errors.ts'
import { type CheckedConnection, isChannel } from '../options/connection-options.ts'

/** Milliseconds that a server has to agree to the end of a connection. */
const CLOSING = 2000

export class ServerChannel {
  readonly process: Process
  readonly connection: CheckedConnection
  /** Why it is no more. */
  gone: unknown = undefined
  readonly #client: AmqpClient
  #opened: AmqpConnection | undefined = undefined
  #channel: AmqpChannel | undefined = undefined
  #lost: ((why: unknown) => void) | undefined
  /** Nothing goes on on the channel: no consumer, and no message without an answer. */
  idle: () => boolean = () => true
  #forget: () => void = () => {}
  #ended: () => void = () => {}
  readonly #end: Promise<void> = new Promise((resolve) => {
    this.#ended = resolve
  })

  /** @param lost Called once when it is gone without having been closed. */
  constructor(process: Process, client: AmqpClient, connection: CheckedConnection, lost: (why: unknown) => void) {
    this.process = process
    this.connection = connection
    this.#client = client
    this.#lost = lost
  }

  get isGone(): boolean {
    return this.#lost === undefined
  }

  /** Milliseconds that all of setting it up may take. */
  get timeout(): number {
    return this.connection.target.connectionTimeout
  }

  async open(): Promise<AmqpChannel> {
    const { pool } = this.connection
    if (pool === undefined) return this.#watch(await (await this.#connect()).createChannel())
    const channel: unknown = await pool.checkout()
    if (!isChannel(channel)) throw new RabbitMQError('bad_options', 'checkout of the pool gave no channel of amqplib')
    this.#channel = channel
    if (this.isGone) await this.#return(channel)
    return this.#watch(channel)
  }

  async openConfirming(): Promise<AmqpConfirmChannel> {
    return this.#watch(await (await this.#connect()).createConfirmChannel())
  }

  /** Why the server takes nothing from publishers, `undefined` when it does again. Not on a connection of a pool. */
  onBlocked(changed: (why: string | undefined) => void): void {
    this.#opened?.on('blocked', (why) => changed(String(why)))
    this.#opened?.on('unblocked', () => changed(undefined))
  }

  /** Nobody is told. What the server has on its way may still come. */
  async close(): Promise<void> {
    this.#lost = undefined
    this.gone ??= 'it was closed'
    const connection = this.#opened
    const channel = this.#channel
    this.#channel = this.#opened = undefined
    if (this.connection.pool !== undefined && channel !== undefined) return this.#return(channel)
    if (connection === undefined) return
    // A server that does not answer is not waited for.
    const late = this.process.setTimer(CLOSING, () => {
      connection.destroy()
      this.#ended()
    })
    await Promise.race([bothClosed(connection, channel), this.#end])
    late.cancel()
  }

  /** Gives up, without a word to the server. */
  destroy(): void {
    this.#lost = undefined
    this.gone ??= 'it was given up'
    this.#opened?.destroy()
    if (this.connection.pool !== undefined) void this.close().catch(() => {})
  }

  async #connect(): Promise<AmqpConnection> {
    const connection = await this.#client.connect(this.connection.target)
    connection.on('error', (error) => this.#over(error))
    connection.on('close', (error) => {
      this.#ended()
      this.#over(error ?? new Error('the connection was closed'))
    })
    if (this.isGone) {
      connection.destroy()
      throw new Error('the connection was made too late')
    }
    this.#opened = connection
    return connection
  }

  #watch<C extends AmqpChannel>(channel: C): C {
    const failed = (error: unknown): void => this.#over(error)
    const ended = (): void => void this.#channelEnded()
    channel.on('error', failed)
    channel.on('close', ended)
    this.#forget = () => {
      channel.off('error', failed)
      channel.off('close', ended)
    }
    this.#channel = channel
    return channel
  }

  async #channelEnded(): Promise<void> {
    // If the connection has ended, that one says in the same turn why.
    await undefined
    this.#over(new Error('the channel was closed'))
  }

  #over(why: unknown): void {
    this.gone ??= why
    const lost = this.#lost
    this.#lost = undefined
    lost?.(why)
  }

  async #return(channel: AmqpChannel): Promise<void> {
    // The server would go on sending, and would wait for answers, while somebody else has the channel.
    if (!this.idle()) await closed(channel)
    this.#forget()
    try {
      await this.connection.pool?.checkin(channel)
    } catch (err) {
      const { process } = this
      process.runtime.logger.error(
        { err, process: `${process}` },
        `the pool of ${process} did not take its channel back; it is closed`,
      )
      await closed(channel)
    }
  }
}

/**
 * The channel first: what was said on it, such as the last answers, is before its end. The end of the connection would overtake it, as
 * amqplib keeps the frames of a channel back until the next turn of the event loop, and those of the connection not.
 */
async function bothClosed(connection: AmqpConnection, channel: AmqpChannel | undefined): Promise<void> {
  if (channel !== undefined) await closed(channel)
  await connection.close().catch(() => {})
}

async function closed(channel: AmqpChannel): Promise<void> {
  try {
    await channel.close()
  } catch {
    // It had been.
  }
}
