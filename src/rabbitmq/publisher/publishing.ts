/**
 * Messages on their way to the server: those that wait, and those that were sent and not confirmed. When a channel is lost the
 * latter are sent again on the next, since nobody knows whether they arrived: they may arrive twice, and are not lost.
 */

import { randomUUID } from 'node:crypto'
import { PublishGroup } from '../../connector/publish-group.ts'
import type { Outgoing } from '../../connector/publisher.ts'
import type { Later } from '../../process/later.ts'
import { Queue } from '../../stage/queue.ts'
import type { AmqpConfirmChannel } from '../client/port.ts'
import { RabbitMQError } from '../errors.ts'
import type { Publication, PublishFailure } from './publication.ts'
import type { CheckedPublisherOptions } from './publisher-options.ts'

interface Entry {
  readonly publication: Publication
  readonly exchange: string
  readonly routingKey: string
  readonly messageId: string
  readonly index: number
  readonly group: PublishGroup<RabbitMQError>
  returned: string | undefined
}

/** By these codes the server refuses what was asked on a channel, and closes it: maybe because of one message. */
const REFUSALS = [311, 313, 403, 404, 405, 406]

export class Publishing implements Outgoing<Publication> {
  onIdle: () => void = () => {}
  readonly #options: CheckedPublisherOptions
  #waiting = new Queue<Entry>()
  /** Sent and not confirmed, by the number of the message on its channel; oldest first. */
  #unconfirmed = new Map<number, Entry>()
  #sent = 0
  #channel: AmqpConfirmChannel | undefined = undefined
  /** The client has enough, or the server. */
  #full = false
  #blocked = false
  /** One of so many messages made the server close the channel: they are sent one at a time. */
  #suspects = 0

  constructor(options: CheckedPublisherOptions) {
    this.#options = options
  }

  get isIdle(): boolean {
    return this.#waiting.size === 0 && this.#unconfirmed.size === 0
  }

  /** Answers when all are confirmed, or fails. */
  add(publications: readonly Publication[], later: Later<void>): void {
    const { maxWaiting, exchange, routingKey } = this.#options
    const before = this.#waiting.size
    if (before > 0 && before + publications.length > maxWaiting) {
      const text = `${before} messages wait to be published, ${publications.length} more would be over maxWaiting, ${maxWaiting}`
      return later.fail(new RabbitMQError('full', text))
    }
    const group = new PublishGroup(later, publications.length, refusal)
    publications.forEach((publication, index) => {
      this.#waiting.push({
        publication,
        exchange: publication.exchange ?? exchange,
        routingKey: publication.routingKey ?? routingKey,
        messageId: publication.messageId ?? randomUUID(),
        index,
        group,
        returned: undefined,
      })
    })
    this.send()
  }

  /** A channel is there. */
  begin(channel: AmqpConfirmChannel): void {
    this.#channel = channel
    this.#sent = 0
    this.#full = this.#blocked = false
    channel.on('ack', (fields) => this.#confirmed(fields, undefined))
    channel.on('nack', (fields) => this.#confirmed(fields, 'the server did not take the message'))
    channel.on('return', (message) => this.#returned(message))
    channel.on('drain', () => {
      this.#full = false
      this.send()
    })
    this.send()
  }

  /** The channel is gone. */
  end(why: unknown): void {
    this.#channel = undefined
    const open = [...this.#unconfirmed.values()]
    this.#unconfirmed.clear()
    const code: unknown = Reflect.get(Object(why), 'code')
    if (REFUSALS.includes(Number(code))) {
      const [culprit] = open
      this.#suspects = open.length
      if (culprit !== undefined && open.length === 1) {
        open.length = 0
        this.#settle(
          culprit,
          new RabbitMQError('refused', `the server refused to publish to exchange '${culprit.exchange}'`, why),
        )
      }
    }
    if (open.length === 0) return
    const behind = this.#waiting
    this.#waiting = new Queue()
    for (const entry of open) {
      entry.returned = undefined
      this.#waiting.push(entry)
    }
    for (let entry = behind.shift(); entry !== undefined; entry = behind.shift()) this.#waiting.push(entry)
  }

  /** The server takes nothing for now, as it is short of memory or disk. */
  block(blocked: boolean): void {
    this.#blocked = blocked
    this.send()
  }

  /** Sends what may be sent. */
  send(): void {
    const { maxUnconfirmed } = this.#options
    while (this.#channel !== undefined && !this.#full && !this.#blocked) {
      if (this.#unconfirmed.size >= (this.#suspects > 0 ? 1 : maxUnconfirmed)) return
      const entry = this.#waiting.shift()
      if (entry === undefined) break
      if (entry.group.abandoned) this.#settle(entry, undefined)
      else this.#publish(this.#channel, entry)
    }
    if (this.isIdle) this.onIdle()
  }

  #publish(channel: AmqpConfirmChannel, entry: Entry): void {
    const { publication, exchange, routingKey, messageId } = entry
    const { content, exchange: _, routingKey: __, ...properties } = publication
    const { persistent, mandatory } = this.#options
    this.#unconfirmed.set(++this.#sent, entry)
    try {
      const bytes = Buffer.isBuffer(content) ? content : Buffer.from(content)
      this.#full = !channel.publish(exchange, routingKey, bytes, { persistent, ...properties, messageId, mandatory })
    } catch (error) {
      // A channel that is closing says so, and everything is sent again on the next.
      if (error instanceof Error && error.name === 'IllegalOperationError') {
        this.#channel = undefined
        return
      }
      this.#unconfirmed.delete(this.#sent--)
      this.#settle(
        entry,
        new RabbitMQError('bad_publication', `the message cannot be published: ${String(error)}`, error),
      )
    }
  }

  #confirmed(fields: unknown, refusal: string | undefined): void {
    const number = Number(Reflect.get(Object(fields), 'deliveryTag'))
    const all = Reflect.get(Object(fields), 'multiple') === true
    if (!all) this.#done(number, refusal)
    else {
      for (const each of this.#unconfirmed.keys()) {
        if (each > number) break
        this.#done(each, refusal)
      }
    }
    this.send()
  }

  #done(number: number, refusal: string | undefined): void {
    const entry = this.#unconfirmed.get(number)
    if (entry === undefined) return
    this.#unconfirmed.delete(number)
    if (entry.returned !== undefined) this.#settle(entry, new RabbitMQError('unroutable', entry.returned))
    else this.#settle(entry, refusal === undefined ? undefined : new RabbitMQError('refused', refusal))
  }

  /** No queue gets it; that it is confirmed as well comes later. */
  #returned(message: unknown): void {
    const { fields, properties } = Object(message)
    for (const entry of this.#unconfirmed.values()) {
      const { messageId, exchange, routingKey, returned } = entry
      if (messageId !== properties?.messageId || returned !== undefined) continue
      if (exchange !== fields?.exchange || routingKey !== fields?.routingKey) continue
      entry.returned = `no queue gets what is published to exchange '${exchange}' with routing key '${routingKey}' (${fields?.replyText}): declare and bind one, or set mandatory: false`
      return
    }
  }

  #settle({ group, index }: Entry, error: RabbitMQError | undefined): void {
    if (this.#suspects > 0) this.#suspects--
    group.settle(index, error)
  }
}

function refusal(text: string, failures: readonly PublishFailure[]): RabbitMQError {
  const [first] = failures
  return new RabbitMQError(first?.error.code ?? 'refused', text, first?.error, failures)
}
