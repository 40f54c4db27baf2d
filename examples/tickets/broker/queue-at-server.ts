/** One queue of a server, whichever it is: what went through it, in JSON. */

import { CallError, Message } from 'sluice'
import type { PipelineStage } from 'sluice/broadway'
import type { Acknowledgement } from 'sluice/telemetry'
import {
  ATTEMPTS,
  type BrokerQueue,
  type BrokerSource,
  CAPACITY,
  type Delivery,
  type Patience,
  type QueueAccount,
  type QueueStats,
} from './broker.ts'
import { reasonOf } from './reason-of.ts'
import type { Server, ServerQueue, ServerQueueOptions, ServerQueueState } from './server.ts'
import { NoAnswer, within } from './within.ts'

export interface QueueAtServerOptions<T> extends Patience, Pick<ServerQueueOptions, 'name' | 'pipeline' | 'prefetch'> {
  /** What a message says; `undefined` when it says something else. */
  readonly read: (json: unknown) => T | undefined
  /** Of the booking that a message is about. */
  readonly idOf: (data: T) => string
  /** What has the same key is handled in order, where the server sees to that. */
  readonly keyOf: (data: T) => string
}

/** What this program knows of a message, in its metadata. */
class KnownDelivery implements Delivery {
  readonly attempts: number
  readonly id: string

  constructor(attempts: number, id: string, metadata: object | undefined) {
    Object.assign(this, metadata)
    this.attempts = attempts
    this.id = id
  }
}

/**
 * Milliseconds after which a message is handled again that has failed, twice as long each time; and one that a killed process had. Nobody
 * knows which ones a killed process had, so all that is in hand comes again that nobody has answered for by then; some servers wait only
 * half as long, since they were told of a message before. What is tried again meanwhile must be done by then, all attempts of it, or it
 * is handled beside itself, and has two dead letters: `min` is waited 1 + 2 + 4 + 8 + 16 times, which is 0.8 s in chaos.
 */
const RETRY = { calm: { min: 100, lost: 30_000 }, chaos: { min: 25, lost: 4_000 } }

/** Milliseconds after which a server that has not said how its queue is does not say it: whoever asks may have to stop. */
const PATIENCE = 1_000

/** Milliseconds until failed messages are given to the server once more. */
const PAUSE = 100

/** What is somebody else's may have no id. */
const UNKNOWN = 'a message without an id'

export class QueueAtServer<T> implements BrokerQueue<T> {
  readonly name: string
  readonly retry: BrokerQueue<T>['retry']
  readonly #options: QueueAtServerOptions<T>
  readonly #triesAgain: boolean
  readonly #isPartitioned: boolean
  #queue!: ServerQueue
  /** Published by this program. */
  #published = 0
  #redelivered = 0
  /** Messages without an id. */
  #unknown = 0
  #answered = 0
  /** Of those that were answered for. */
  #comeAgain = 0
  /** The ids of the bookings that were given up. */
  readonly #dead = new Set<string>()

  private constructor({ triesAgain, isPartitioned = false }: Server, options: QueueAtServerOptions<T>) {
    const { chaos, name } = options
    this.#triesAgain = triesAgain
    this.#isPartitioned = isPartitioned
    this.#options = options
    this.name = name
    this.retry = triesAgain
      ? undefined
      : { attempts: ATTEMPTS, backoff: { type: 'exp', min: RETRY[paceOf(chaos)].min } }
  }

  static async open<T>(server: Server, options: QueueAtServerOptions<T>): Promise<QueueAtServer<T>> {
    const { name, pipeline, prefetch, chaos } = options
    const queue = new QueueAtServer(server, options)
    const { lost: lostAfter } = RETRY[paceOf(chaos)]
    const givesUp = (message: Message) => queue.#givesUp(message)
    queue.#queue = await server.queue({ name, pipeline, prefetch, lostAfter, givesUp })
    return queue
  }

  get waiting(): number | undefined {
    return this.#queue.waiting
  }

  get source(): BrokerSource<T> {
    return { module: this.#queue.module, isPartitioned: this.#isPartitioned, read: (event) => this.#read(event) }
  }

  get deadLetter(): BrokerQueue<T>['deadLetter'] {
    const { takeFailed } = this.#queue
    return takeFailed && ((failed, _context, stage) => this.#takeFailed(failed, stage, takeFailed))
  }

  async publish(data: readonly T[], signal?: AbortSignal): Promise<void> {
    const { idOf, keyOf } = this.#options
    await this.#queue.publish(
      data.map((each) => ({ id: idOf(each), key: keyOf(each), content: JSON.stringify(each) })),
      signal,
    )
    this.#published += data.length
  }

  async hasRoom(): Promise<boolean> {
    const { ready = CAPACITY } = (await this.#state()) ?? {}
    return ready < CAPACITY
  }

  async isDone(): Promise<boolean> {
    const state = await this.#state()
    return state?.ready === 0 && state.unanswered === 0
  }

  async stats(): Promise<QueueStats> {
    const { ready, unanswered = 0, done = this.#answered } = (await this.#state()) ?? {}
    // Others may have put something into a queue of which nobody can say what waits.
    const isKnown = this.waiting !== undefined || this.#published > 0
    return {
      ready: isKnown ? ready : undefined,
      inHand: unanswered,
      delayed: 0,
      dead: this.#dead.size,
      done: done - this.#comeAgain,
    }
  }

  async account(patience: number): Promise<QueueAccount> {
    let left: readonly string[] = []
    let unknown: string | undefined
    try {
      left = await within(patience, this.#queue.left())
    } catch (error) {
      unknown = `what is left in ${this.name} could not be counted (${reasonOf(error)})`
    }
    const dead = [...this.#dead].filter((id) => !left.includes(id))
    return {
      accepted: (this.waiting ?? 0) + this.#published,
      stored: [...left.map((id) => ({ id, isDead: false })), ...dead.map((id) => ({ id, isDead: true }))],
      unknown,
      retried: this.#redelivered,
    }
  }

  /** Messages of some pipeline were answered for. */
  acknowledged({ place, successful, failed }: Acknowledgement): void {
    if (place?.pipeline !== this.#options.pipeline) return
    this.#answered += successful.length + failed.length
    this.#queue.answered?.(successful.flatMap(({ metadata }) => (metadata instanceof KnownDelivery ? metadata.id : [])))
  }

  async #state(): Promise<ServerQueueState | undefined> {
    try {
      return await within(PATIENCE, this.#queue.state())
    } catch (error) {
      if (error instanceof NoAnswer) return undefined
      throw error
    }
  }

  #read(event: unknown): Message<T | undefined, string, KnownDelivery> {
    const { message, content, id, deliveries, metadata } = this.#queue.read(event)
    const { acknowledger, ackRef, ackData, batchKey } = message
    if (deliveries > 1) this.#redelivered++
    return new Message(this.#options.read(parsed(content)), {
      acknowledger,
      ackRef,
      ackData,
      batchKey,
      metadata: new KnownDelivery(deliveries, id ?? `${UNKNOWN}, ${++this.#unknown}`, metadata),
    })
  }

  #givesUp(message: Message): boolean {
    const givenUp = this.#hadItsChances(message)
    if (givenUp) this.#noteDead(message)
    else this.#comeAgain++
    return givenUp
  }

  /** One that is interrupted in its attempts, as by the end of the program, comes again. */
  #hadItsChances({ attempts, metadata }: Message): boolean {
    if (!(metadata instanceof KnownDelivery)) return false
    return (this.#triesAgain ? metadata.attempts : attempts) >= ATTEMPTS
  }

  #isDead({ metadata }: Message): boolean {
    return metadata instanceof KnownDelivery && this.#dead.has(metadata.id)
  }

  #noteDead({ metadata }: Message): void {
    if (metadata instanceof KnownDelivery) this.#dead.add(metadata.id)
  }

  /**
   * Until the server has them, since it forgets what has failed. When the stage is killed meanwhile they are not answered for, and come again.
   *
   * @throws what the server refuses, and would refuse each time.
   */
  async #takeFailed(
    failed: readonly Message[],
    stage: Pick<PipelineStage, 'sleep'>,
    takeFailed: NonNullable<ServerQueue['takeFailed']>,
  ): Promise<void> {
    const again = failed.filter((message) => !this.#hadItsChances(message))
    // One that has come again may have its dead letter.
    const dead = failed.filter((message) => this.#hadItsChances(message) && !this.#isDead(message))
    for (;;) {
      try {
        await takeFailed(dead, again)
        break
      } catch (error) {
        if (isRefused(error)) throw error
        // Who publishes is being started again, or has too much.
        await stage.sleep(PAUSE)
      }
    }
    for (const message of dead) this.#noteDead(message)
    this.#comeAgain += again.length
  }
}

/** By a publisher: its server will not take them later either. */
function isRefused(error: unknown): boolean {
  return error instanceof CallError && /^(refused|bad_publication)$/.test(`${Reflect.get(Object(error.cause), 'code')}`)
}

function paceOf(chaos: boolean): keyof typeof RETRY {
  return chaos ? 'chaos' : 'calm'
}

function parsed(content: string): unknown {
  try {
    return JSON.parse(content)
  } catch {
    return undefined
  }
}
