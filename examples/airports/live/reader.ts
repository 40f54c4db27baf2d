/** The producer: reads as much as is asked for, and remembers what was not counted yet. */

import { name, Producer } from 'sluice'
import { InputError } from '../../command-line/input-error.ts'
import type { Source } from '../data/source.ts'
import type { Batch } from './batch.ts'
import { readBatches } from './read-batches.ts'
import { Tally } from './tally.ts'

export interface ReaderOptions {
  readonly source: Source
  /** Rows in a batch. */
  readonly batchSize: number
}

const READ = Symbol('read')

/**
 * Stages lose what they hold when they die, so somebody has to know what is on its way: the reader does. A batch is
 * unconfirmed until a counter says that the tally has it. When a stage below is gone, whatever is unconfirmed is emitted
 * again, a few batches more than were lost: the tally takes each once.
 */
export class Reader extends Producer<Batch> {
  readonly #batches: AsyncGenerator<Batch>
  readonly #unconfirmed = new Map<number, Batch>()
  /** Batches asked for and not read yet. */
  #demand = 0
  #reading = false
  #exhausted = false

  constructor({ source, batchSize }: ReaderOptions) {
    // Nothing may be discarded; that it stays small is the work of the demand.
    super({ bufferSize: Infinity })
    this.#batches = readBatches(source, batchSize, this.signal)
  }

  override handleDemand(demand: number) {
    this.#demand += demand
    this.#readOn()
  }

  /** Reads one batch a message, so that confirmations and questions need not wait until all demand is met. */
  override async handleInfo(message: unknown) {
    if (message !== READ) {
      await super.handleInfo(message)
      return
    }
    try {
      await this.#readOne()
    } catch (error) {
      if (!(error instanceof InputError)) throw error
      // A restart would read the same mistake again, so this is no crash: there will be no result.
      name(Tally).cast.fail(error)
      this.#exhausted = true
    }
    this.#reading = false
    this.#readOn()
  }

  /** A counter is done with a batch: it will not be needed again. */
  confirm(id: number) {
    this.#unconfirmed.delete(id)
    this.#finishWhenDone()
  }

  /** A stage further down was lost, and what it held. */
  redeliver() {
    this.emit([...this.#unconfirmed.values()])
  }

  /** The stage right below was lost, and what it held. */
  override handleCancel() {
    return [...this.#unconfirmed.values()]
  }

  /** Batches that are asked for, and batches that are on their way. */
  state() {
    return { demand: this.#demand, unconfirmed: this.#unconfirmed.size }
  }

  #readOn() {
    if (this.#reading || this.#exhausted || this.#demand === 0) return
    this.#reading = true
    this.self.send(READ)
  }

  async #readOne() {
    const { done, value } = await this.#batches.next()
    if (done) {
      this.#exhausted = true
      this.#finishWhenDone()
      return
    }
    this.#demand--
    this.#unconfirmed.set(value.id, value)
    this.emit([value])
  }

  #finishWhenDone() {
    if (this.#exhausted && this.#unconfirmed.size === 0) name(Tally).cast.finish()
  }
}
