/** A process that publishes, and knows what the server has taken. */

import { Publisher } from '../../connector/publisher.ts'
import { serverOf } from '../../otp/gen-server.ts'
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
export class RabbitMQPublisher extends Publisher<Publication> {
  readonly #publishing: Publishing
  readonly #link: Link<AmqpConfirmChannel> | undefined

  /** @throws `RabbitMQError` `bad_options`. */
  constructor(options: RabbitMQPublisherOptions = {}) {
    const checked = readPublisherOptions(new.target.name, options)
    const publishing = new Publishing(checked)
    super(() => publishing)
    this.#publishing = publishing
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
