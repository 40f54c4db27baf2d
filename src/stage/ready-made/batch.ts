/** A stage that makes batches of events. */

import { serverOf } from '../../otp/gen-server.ts'
import type { Process } from '../../process/process.ts'
import { StageError } from '../errors.ts'
import type { ProducerConsumerOptions } from '../producer-consumer.ts'
import { refuseUnknownOptions } from '../producer-options.ts'
import type { Cancellation } from '../stage.ts'
import { manual } from '../stage-behaviour.ts'
import type { Subscription } from '../subscription.ts'
import { Alarm } from './alarm.ts'
import { type BatchLimits, Collection } from './collection.ts'
import { Gate } from './gate.ts'
import { Supply } from './supply.ts'

export interface BatchOptions<In>
  extends Pick<ProducerConsumerOptions<In, readonly In[]>, 'subscribeTo' | 'dispatcher'> {
  /** Events to a batch at most, >= 1. Default 100. */
  readonly size?: number | undefined
  /** Milliseconds that an event waits for others at most, > 0; `Infinity` waits for a full batch. Default 1000. */
  readonly timeout?: number | undefined
  /** What an event counts for `maxWeight`, >= 0: its bytes, or its cost. */
  readonly weight?: ((event: In) => number) | undefined
  /** What the events of a batch weigh together at most, > 0. An event that weighs more has a batch of its own. */
  readonly maxWeight?: number | undefined
}

const DEFAULT_SIZE = 100
const DEFAULT_TIMEOUT = 1000
const KNOWN = ['size', 'timeout', 'weight', 'maxWeight', 'subscribeTo', 'dispatcher']

/**
 * A stage in the middle that makes batches: an event of it is an array of `size` events, or of fewer when they have waited for
 * `timeout` milliseconds, or when no more come. Consumers count batches: who has `maxDemand: 1` gets one at a time, and
 * `handleEvents` gets an array of them.
 *
 * It asks its producers for `size` events for each batch that its consumers wait for. Batches go only to who asked for them:
 * when nobody does, what is full or due goes on as soon as somebody asks.
 *
 * @example
 * ```ts
 * import { Batch, Consumer, fromIterable, startLink } from 'sluice'
 *
 * class Writer extends Consumer<readonly number[]> {
 *   override async handleEvents(batches: readonly (readonly number[])[]) {
 *     for (const rows of batches) console.log('insert', rows)
 *   }
 * }
 * const rows = await fromIterable([1, 2, 3, 4, 5])
 * const batches = await startLink(Batch<number>, { arg: { size: 2, timeout: 500 }, subscribeTo: [rows] })
 * const writer = await startLink(Writer, { subscribeTo: [{ to: batches, maxDemand: 1 }] })
 * await writer.done // [1, 2], [3, 4], [5]
 * ```
 * Not in GenStage; Broadway has it as `batchers`.
 */
export class Batch<In> extends Gate<In, readonly In[]> {
  readonly #size: number
  readonly #timeout: number
  readonly #collection: Collection<In>
  readonly #supplies = new Map<Subscription, Supply>()
  readonly #process: Process | undefined
  readonly #alarm: Alarm | undefined
  #ending = false

  /** @throws `StageError` `bad_options`. */
  constructor(options: BatchOptions<In> = {}) {
    const { size = DEFAULT_SIZE, timeout = DEFAULT_TIMEOUT, weight, maxWeight, ...stage } = options
    refuseUnknownOptions(new.target.name, options, KNOWN)
    checkBatch(new.target.name, options, size, timeout)
    super(stage)
    this.#size = size
    this.#timeout = timeout
    this.#collection = new Collection(limitsOf(`${this}`, size, weight, maxWeight))
    this.#process = serverOf(this)?.process
    if (this.#process !== undefined) this.#alarm = new Alarm(this.#process)
  }

  override handleSubscribe(peer: 'producer' | 'consumer', subscription: Subscription): typeof manual | undefined {
    if (peer === 'consumer') return undefined
    this.#supplies.set(subscription, new Supply(subscription))
    return manual
  }

  override handleCancel(_cancellation: Cancellation, subscription: Subscription): undefined {
    this.#supplies.delete(subscription)
  }

  override handleEvents(events: readonly In[], subscription: Subscription): void {
    this.#supplies.get(subscription)?.arrived(events.length)
    this.#collection.add(events, this.#now)
  }

  override get holding(): number {
    return this.#collection.size
  }

  override handlePass(ready: number, wanted: number): void {
    const batches = this.#take(ready)
    if (batches.length > 0) this.emit(batches)
    this.#alarm?.wakeBy(this.#dueAt(ready - batches.length))
    if (this.#ending) return
    const missing = (wanted - batches.length) * this.#size - this.#collection.size
    for (const supply of this.#supplies.values()) supply.want(missing)
  }

  override handleEnding(): void {
    this.#ending = true
  }

  /** Batches that may go: those that are full, and the last one when it is due. */
  #take(ready: number): readonly (readonly In[])[] {
    const batches: (readonly In[])[] = []
    while (batches.length < ready && this.#collection.size > 0) {
      const batch = this.#collection.take(this.#due)
      if (batch === undefined) break
      batches.push(batch)
    }
    return batches
  }

  /** The oldest event has waited long enough, or no more come. */
  get #due(): boolean {
    const { since } = this.#collection
    return since !== undefined && (this.#ending || since + this.#timeout <= this.#now)
  }

  /** When the batch that grows has to go, if somebody waits for it. */
  #dueAt(ready: number): number {
    const { since } = this.#collection
    if (since !== undefined && ready > 0) return since + this.#timeout
    this.#alarm?.cancel()
    return Infinity
  }

  get #now(): number {
    return this.#process?.runtime.clock.now() ?? 0
  }
}

function limitsOf<In>(
  stage: string,
  size: number,
  weight: ((event: In) => number) | undefined,
  maxWeight = Infinity,
): BatchLimits<In> {
  if (weight === undefined) return { size, weight, maxWeight }
  const checked = (event: In): number => {
    const value = weight(event)
    if (value >= 0) return value
    throw new StageError('bad_return', `weight of ${stage} gave ${String(value)} for an event, expected a number >= 0`)
  }
  return { size, weight: checked, maxWeight }
}

function checkBatch(
  stage: string,
  { weight, maxWeight }: Pick<BatchOptions<never>, 'weight' | 'maxWeight'>,
  size: unknown,
  timeout: unknown,
): void {
  const bad = (option: string, value: unknown, expected: string): StageError =>
    new StageError('bad_options', `${option} of ${stage}: expected ${expected}, got ${String(value)}`)
  if (!(Number.isInteger(size) && Number(size) >= 1)) throw bad('size', size, 'an integer >= 1')
  if (!(typeof timeout === 'number' && timeout > 0)) throw bad('timeout', timeout, 'milliseconds > 0 or Infinity')
  if (weight === undefined && maxWeight === undefined) return
  if (typeof weight !== 'function') throw bad('weight', weight, 'a function of an event, for maxWeight')
  if (!(typeof maxWeight === 'number' && maxWeight > 0)) throw bad('maxWeight', maxWeight, 'a number > 0, for weight')
}
