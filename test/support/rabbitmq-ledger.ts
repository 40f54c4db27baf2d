/**
 * What was published and confirmed, and what was processed, message by message: numbers, of which each has a key. And a pipeline
 * and a publisher for them.
 */

import { type Ref, start } from 'sluice'
import { Broadway } from 'sluice/broadway'
import {
  RabbitMQError,
  RabbitMQPublisher,
  type RabbitMQPublisherOptions,
  RabbitMQSource,
  type RabbitMQSourceOptions,
} from 'sluice/rabbitmq'
import { settlement } from './settlement.ts'

const KEYS = 16
/** What the pipelines here may have without an answer, and the publishers without a confirmation. */
export const PREFETCH = 50
export const UNCONFIRMED = 100

export const keyOf = (number: number): number => number % KEYS

export class Ledger {
  readonly #times: Uint8Array
  /** The last one of each key that was processed for the first time. */
  readonly #last: number[] = new Array(KEYS).fill(-1)
  #waiting: { readonly count: number; readonly resolve: () => void }[] = []
  /** Numbers that were processed, without their repetitions. */
  processed = 0
  duplicates = 0
  /** Numbers that were processed for the first time behind a later one of their key. */
  late: number[] = []

  constructor(size: number) {
    this.#times = new Uint8Array(size)
  }

  note(number: number): void {
    const times = this.#times[number] ?? 0
    this.#times[number] = Math.min(times + 1, 255)
    if (times > 0) {
      this.duplicates++
      return
    }
    const key = keyOf(number)
    if (number < (this.#last[key] ?? 0)) this.late.push(number)
    else this.#last[key] = number
    this.processed++
    if (this.#waiting.length === 0) return
    for (const { resolve } of this.#waiting.filter(({ count }) => count <= this.processed)) resolve()
    this.#waiting = this.#waiting.filter(({ count }) => count > this.processed)
  }

  /** Resolves when so many different ones were processed. */
  async reach(count: number): Promise<void> {
    if (this.processed < count) await new Promise<void>((resolve) => this.#waiting.push({ count, resolve }))
  }

  /** Of the numbers below one, those that were never processed. */
  missing(below: number, from = 0): readonly number[] {
    const missing: number[] = []
    for (let number = from; number < below; number++) if (this.#times[number] === 0) missing.push(number)
    return missing
  }
}

/** It comes back soon, whatever happens. */
const SOON = { backoffType: 'exp', backoffMin: 10, backoffMax: 100 } as const

/** Processes each number, those of a key one after the other. */
export function recording(ledger: Ledger, options: RabbitMQSourceOptions<never>) {
  return Broadway.start({
    name: 'recording',
    producer: {
      module: RabbitMQSource,
      arg: {
        onFailure: 'reject_and_requeue',
        qos: { prefetchCount: PREFETCH },
        ...SOON,
        ...options,
      },
    },
    processors: {
      default: {
        concurrency: 2,
        maxDemand: 10,
        partitionBy: ({ data }) => keyOf(Number(data)),
        handleMessage: async (message) => {
          await new Promise((resolve) => setImmediate(resolve))
          ledger.note(Number(message.data))
          return message
        },
      },
    },
  })
}

export function publisherTo(queue: string, options: RabbitMQPublisherOptions): Promise<Ref<RabbitMQPublisher>> {
  return start(RabbitMQPublisher, {
    arg: { routingKey: queue, maxUnconfirmed: UNCONFIRMED, ...SOON, ...options },
  })
}

/**
 * Publishes numbers, group by group, until it is told to stop or has published all; all that it has published is confirmed. What no
 * queue gets it publishes again.
 */
export class Feed {
  readonly done: Promise<void>
  confirmed = 0
  readonly #group: number
  #stopped = false

  /** @param group Those that are published by one call. */
  constructor(publisher: Ref<RabbitMQPublisher>, size: number, from = 0, group = 20) {
    this.confirmed = from
    this.#group = group
    this.done = this.#run(publisher, size)
    // It is awaited later.
    this.done.catch(() => {})
  }

  /** Resolves to the number of messages that were published. */
  async stop(): Promise<number> {
    this.#stopped = true
    await this.done
    return this.confirmed
  }

  async #run(publisher: Ref<RabbitMQPublisher>, size: number): Promise<void> {
    const { call } = publisher.with({ timeout: Infinity })
    while (!this.#stopped && this.confirmed < size) {
      const count = Math.min(this.#group, size - this.confirmed)
      let group = Array.from({ length: count }, (_, n) => ({ content: String(this.confirmed + n) }))
      while (group.length > 0) {
        const { error } = await settlement(call.publishMany(group))
        const unroutable = failuresOf(error)
        if (error !== undefined && unroutable.length === 0) throw error
        group = group.filter((_, index) => unroutable.includes(index))
      }
      this.confirmed += count
    }
  }
}

/** The places of those that no queue gets. */
function failuresOf(error: unknown): readonly number[] {
  const cause = error instanceof Error ? error.cause : undefined
  if (!(cause instanceof RabbitMQError)) return []
  return cause.failures.filter(({ error }) => error.code === 'unroutable').map(({ index }) => index)
}
