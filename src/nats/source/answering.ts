/** What the server is told of messages. Source: https://docs.nats.io/reference/reference-protocols/nats_api_reference, "Acking Messages". */

import type { Process } from '../../process/process.ts'
import { channels } from '../../telemetry/channels.ts'
import type { NatsDelivery } from '../client/port.ts'
import type { Link } from '../connection/link.ts'
import { NatsError } from '../errors.ts'
import type { CheckedSourceOptions } from '../options/source-options.ts'
import type { DeliveryInfo } from './delivery-info.ts'

/** A message that the pipeline has, or had. */
export interface Held {
  readonly delivery: NatsDelivery
  readonly info: DeliveryInfo
}

const NANOS = 1_000_000
const ACK = '+ACK'
const NAK = '-NAK'
const TERM = '+TERM'
const WORKING = '+WPI'
const LONGEST_RETRY = 60_000
/** Older servers do not understand an answer with a reason at all. */
const REASONS_SINCE = [2, 10, 4] as const
/** What a copy must not have: it would not be stored, or taken for the original. */
const NOT_COPIED = /^Nats-/i

export class Answering {
  readonly #process: Process
  readonly #link: Link
  readonly #options: CheckedSourceOptions

  constructor(process: Process, link: Link, options: CheckedSourceOptions) {
    this.#process = process
    this.#link = link
    this.#options = options
  }

  get hasDeadLetters(): boolean {
    return this.#options.deadLetters !== undefined
  }

  /** Done with. Resolves at once, or when the server has confirmed it. */
  ack({ delivery }: Held): Promise<unknown> | undefined {
    if (this.#options.confirmAcks) return this.#confirmed(delivery.reply)
    this.#link.say(delivery.reply, ACK)
    return undefined
  }

  /** To be delivered again after so many milliseconds, or at once. */
  nak({ reply }: NatsDelivery, delay: number): void {
    this.#link.say(reply, delay > 0 ? `${NAK} ${JSON.stringify({ delay: Math.round(delay * NANOS) })}` : NAK)
  }

  /** To be delivered again later each time. */
  retry({ delivery, info }: Held): void {
    const { retryDelay } = this.#options
    this.nak(delivery, Math.min(retryDelay * 2 ** (info.deliveries - 1), Math.max(retryDelay, LONGEST_RETRY)))
  }

  /** Never to be delivered again. */
  term({ delivery }: Held, reason: string): void {
    const told = reason !== '' && knowsReasons(this.#link.connection?.version ?? '')
    this.#link.say(delivery.reply, told ? `${TERM} ${reason.replaceAll(/\s+/g, ' ')}` : TERM)
  }

  /** It takes longer. What cannot be said now is said the next time. */
  working(replies: Iterable<string>): void {
    const connection = this.#link.connection
    for (const reply of replies) connection?.publish(reply, WORKING)
  }

  /** Publishes it to the dead letters, and only then has it not delivered again; if that fails it is. */
  async deadLetter(held: Held, reason: string): Promise<void> {
    const { delivery, info } = held
    const { deadLetters, connection, retryDelay } = this.#options
    try {
      if (deadLetters === undefined)
        throw new NatsError(
          'bad_options',
          `${this.#process} has no option deadLetters: there is no subject for a dead letter`,
        )
      const kept = Object.entries(delivery.headers).filter(([name]) => !NOT_COPIED.test(name))
      const server = await this.#link.online()
      await server.send(deadLetters, delivery.data, {
        messageId: `dead-letter-${info.stream}-${info.consumer}-${info.sequence}`,
        headers: {
          ...Object.fromEntries(kept),
          'Sluice-Subject': delivery.subject,
          'Sluice-Stream': info.stream,
          'Sluice-Consumer': info.consumer,
          'Sluice-Sequence': String(info.sequence),
          'Sluice-Deliveries': String(info.deliveries),
          'Sluice-Reason': reason.replaceAll(/\s+/g, ' '),
        },
        expect: undefined,
        timeout: connection.target.timeout,
      })
    } catch (error) {
      this.nak(delivery, retryDelay)
      throw error
    }
    this.term(held, reason)
  }

  /** Says in telemetry how many messages were answered for in which way. */
  told(answer: 'ack' | 'nak' | 'term' | 'dead_letter', messages: number): void {
    if (messages === 0) return
    if (channels.natsAck.hasSubscribers) channels.natsAck.publish({ process: `${this.#process}`, answer, messages })
  }

  async #confirmed(reply: string): Promise<void> {
    const connection = await this.#link.online()
    await connection.request(reply, ACK, this.#options.connection.target.timeout)
  }
}

function knowsReasons(version: string): boolean {
  const [, ...parts] = /^(\d+)\.(\d+)\.(\d+)/.exec(version) ?? []
  for (const [index, since] of REASONS_SINCE.entries()) {
    const part = Number(parts[index] ?? 0)
    if (part !== since) return part > since
  }
  return true
}
