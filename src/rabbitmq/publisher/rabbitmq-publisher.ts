/** A process that publishes, and knows what the server has taken. */

import { GenServer, serverOf } from '../../otp/gen-server.ts'
import type { Later } from '../../process/later.ts'
import type { Process } from '../../process/process.ts'
import { channels } from '../../telemetry/channels.ts'
import type { AmqpConfirmChannel } from '../client/port.ts'
import { Link } from '../connection/link.ts'
import { ServerChannel } from '../connection/server-channel.ts'
import type { Publication } from './publication.ts'
import { type RabbitMQPublisherOptions, readPublisherOptions } from './publisher-options.ts'
import { Publishing } from './publishing.ts'

/**
 * Publishes messages, with confirmations: a call is answered when the server has all of its messages. At most `maxUnconfirmed`
 * messages are under way, so that who awaits its calls publishes no faster than the server takes. While there is no connection
 * messages wait; those that nobody confirmed are sent again on the next one, so that a message may arrive twice and none is lost.
 *
 * A call that fails says so in the `cause` of its `CallError`, a `RabbitMQError` `unroutable`, `refused`, `bad_publication` or
 * `full`, with `failures` for each message.
 *
 * @example
 * ```ts
 * import { startLink } from 'sluice'
 * import { RabbitMQPublisher } from 'sluice/rabbitmq'
 *
 * async function main() {
 *   const publisher = await startLink(RabbitMQPublisher, { arg: { connection: 'amqp://localhost', routingKey: 'mails' } })
 *   await publisher.call.publish({ content: 'hello' })
 *   await publisher.stop({ drain: true })
 * }
 * ```
 */
export class RabbitMQPublisher extends GenServer {
  /** A message may have to wait until the server is back. */
  static override readonly callTimeout: number = 60_000
  readonly #publishing: Publishing
  readonly #link: Link<AmqpConfirmChannel> | undefined
  /** Who waits for all messages to be confirmed. */
  #emptied: (() => void)[] = []

  /** @throws `RabbitMQError` `bad_options`. */
  constructor(options: RabbitMQPublisherOptions = {}) {
    super()
    const checked = readPublisherOptions(new.target.name, options)
    this.#publishing = new Publishing(checked, () => {
      for (const emptied of this.#emptied.splice(0)) emptied()
    })
    const process = serverOf(this)?.process
    if (process === undefined) return
    const link = new Link<AmqpConfirmChannel>(process, {
      begin: (lost) => ({
        server: new ServerChannel(process, checked.client(), checked.connection, lost),
        backoff: checked.backoff,
      }),
      setUp: async (server) => {
        const channel = await server.openConfirming()
        server.onBlocked((why) => this.#blocked(process, why))
        await checked.afterConnect?.(channel)
        return channel
      },
      up: (channel) => this.#publishing.begin(channel),
      down: (_channel, _text, why) => this.#publishing.end(why),
      fatal: (error) => serverOf(this)?.crashed(error),
    })
    this.#link = link
    process.onEnd(() => void link.close().catch(() => {}))
    this.continue('connect')
  }

  override handleContinue(_step: 'connect'): void {
    this.#link?.start()
  }

  /** Replies when the server has the message. */
  publish(publication: Publication): Later<void> {
    return this.publishMany([publication])
  }

  /** Replies when the server has all of them; fails when it refused some, and tells which. */
  publishMany(publications: readonly Publication[]): Later<void> {
    const later = this.later<void>()
    this.#publishing.add(publications, later)
    return later
  }

  /** Waits until everything is confirmed. */
  override async handleDrain(): Promise<void> {
    if (!this.#publishing.isIdle) await new Promise<void>((resolve) => this.#emptied.push(resolve))
  }

  override async terminate(): Promise<void> {
    await this.#link?.close()
  }

  #blocked(process: Process, why: string | undefined): void {
    const blocked = why !== undefined
    if (channels.rabbitmqBlocked.hasSubscribers) {
      channels.rabbitmqBlocked.publish({ process: `${process}`, blocked, reason: why })
    }
    if (blocked) {
      process.runtime.logger.warn(
        { process: `${process}` },
        `the server takes no messages of ${process} for now (${why}); they wait`,
      )
    }
    this.#publishing.block(blocked)
  }
}
