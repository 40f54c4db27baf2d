/**
 * Reads partitions as their messages are asked for. A broker is asked for all of its partitions in one request, and again when the
 * messages of the last answer have been emitted; one that had nothing rests. Of each partition a few are emitted in turn, so that a
 * full one does not starve the others.
 */

import { Backoff, type BackoffOptions } from '../../connector/backoff.ts'
import type { Timer } from '../../process/clock.ts'
import type { Process } from '../../process/process.ts'
import type { Fetched, FetchLimits, KafkaConnection, KafkaRecord } from '../client/port.ts'
import { CODES } from '../client/request-error.ts'
import type { AssignedPartition } from './assigned-partition.ts'

export interface ReaderPlan {
  readonly connection: KafkaConnection
  readonly limits: FetchLimits
  /** Milliseconds until a broker that had nothing is asked again. */
  readonly receiveInterval: number
  /** Messages of a partition that are emitted in a row. */
  readonly inARow: number
  readonly backoff: BackoffOptions
  emit(partition: AssignedPartition, records: readonly KafkaRecord[]): void
  /** All of a turn was given to `emit`. */
  emitted(): void
  /** The place of a partition is gone: where to go on. */
  reset(partition: AssignedPartition): Promise<number>
  /** Asks which broker has which partition. */
  locate(partitions: readonly AssignedPartition[]): Promise<void>
  failed(error: unknown, retryIn: number | undefined): void
}

/** A broker, as the reader knows it. */
interface Slot {
  isBusy: boolean
  /** Until when it is not asked. */
  rest: Timer | undefined
  /** It rests since it had nothing: new demand wakes it up. */
  isIdle: boolean
  readonly backoff: Backoff
}

export class Reader {
  readonly #process: Process
  readonly #plan: ReaderPlan
  #partitions: readonly AssignedPartition[] = []
  /** Begun anew with each assignment. */
  #slots = new Map<number, Slot>()
  /** Partitions whose place is looked for. */
  readonly #lost = new Set<AssignedPartition>()
  #demand = 0
  #turn = 0
  #isStopped = false

  constructor(process: Process, plan: ReaderPlan) {
    this.#process = process
    this.#plan = plan
  }

  /** So many more are wanted. */
  ask(demand: number): void {
    this.#demand += demand
    for (const slot of this.#slots.values()) if (slot.isIdle) wakeUp(slot)
    this.#goOn()
  }

  /** Reads these, and no others. */
  begin(partitions: readonly AssignedPartition[]): void {
    this.#forget()
    this.#partitions = partitions
    this.#goOn()
  }

  /** Reads nothing; what was read and not emitted is for the next owner. */
  end(): void {
    this.#forget()
    for (const partition of this.#partitions) partition.drop()
    this.#partitions = []
  }

  /** For ever. */
  stop(): void {
    this.#isStopped = true
    this.end()
  }

  #forget(): void {
    for (const slot of this.#slots.values()) slot.rest?.cancel()
    this.#slots = new Map()
    this.#lost.clear()
  }

  #goOn(): void {
    if (this.#isStopped) return
    this.#emit()
    if (this.#demand === 0) return
    const byLeader = new Map<number, AssignedPartition[]>()
    for (const partition of this.#partitions) {
      if (partition.ahead > 0 || this.#lost.has(partition)) continue
      const list = byLeader.get(partition.leader)
      if (list === undefined) byLeader.set(partition.leader, [partition])
      else list.push(partition)
    }
    for (const [leader, partitions] of byLeader) {
      const slot = this.#slot(leader)
      // What `emit` throws has ended the process.
      if (!slot.isBusy && slot.rest === undefined) void this.#fetch(leader, slot, partitions).catch(() => {})
    }
  }

  #slot(leader: number): Slot {
    let slot = this.#slots.get(leader)
    if (slot === undefined) {
      const backoff = new Backoff(this.#plan.backoff, () => this.#process.runtime.random())
      slot = { isBusy: false, rest: undefined, isIdle: false, backoff }
      this.#slots.set(leader, slot)
    }
    return slot
  }

  #emit(): void {
    const { emit, emitted, inARow } = this.#plan
    const partitions = this.#partitions
    const { length } = partitions
    let some = false
    for (let empty = 0; this.#demand > 0 && empty < length; ) {
      const partition = partitions[this.#turn++ % length]
      if (partition === undefined || partition.ahead === 0) {
        empty++
        continue
      }
      const records = partition.take(Math.min(this.#demand, inARow))
      this.#demand -= records.length
      emit(partition, records)
      some = true
      empty = 0
    }
    if (some) emitted()
  }

  async #fetch(leader: number, slot: Slot, partitions: readonly AssignedPartition[]): Promise<void> {
    slot.isBusy = true
    const { connection, limits } = this.#plan
    const slots = this.#slots
    const from = partitions.map(({ topic, partition, position }) => ({ topic, partition, offset: position }))
    let answer: readonly Fetched[]
    try {
      answer = await connection.fetch(leader, from, limits)
    } catch (error) {
      slot.isBusy = false
      // There has been another assignment meanwhile.
      if (slots === this.#slots) this.#failed(slot, error)
      return
    }
    slot.isBusy = false
    if (slots !== this.#slots) return
    const byKey = new Map(partitions.map((partition) => [partition.key, partition]))
    let count = 0
    let refused = 0
    for (const fetched of answer) {
      const partition = byKey.get(`${fetched.topic}/${fetched.partition}`)
      if (partition === undefined || partition.gone) continue
      if (fetched.error === CODES.offsetOutOfRange) {
        count++
        void this.#reset(partition, slot).catch(() => {})
      } else if (fetched.error !== 0) refused = fetched.error
      else {
        if (fetched.next > partition.position) count++
        partition.read(fetched)
      }
    }
    if (refused !== 0) this.#failed(slot, new Error(`broker ${leader} refused to be read: error ${refused} of Kafka`))
    else {
      slot.backoff.reset()
      if (count === 0) this.#rest(slot, this.#plan.receiveInterval)
    }
    this.#goOn()
  }

  #rest(slot: Slot, ms: number): void {
    slot.isIdle = true
    slot.rest = this.#process.setTimer(ms, () => {
      wakeUp(slot)
      this.#goOn()
    })
  }

  #failed(slot: Slot, error: unknown): void {
    if (this.#isStopped) return
    const slots = this.#slots
    const wait = slot.backoff.next()
    this.#plan.failed(error, wait)
    if (wait === undefined) return
    slot.isIdle = false
    slot.rest = this.#process.setTimer(wait, () => {
      void this.#plan
        .locate(this.#partitions)
        .catch(() => {})
        .then(() => {
          if (slots !== this.#slots) return
          wakeUp(slot)
          this.#goOn()
        })
    })
  }

  async #reset(partition: AssignedPartition, { backoff }: Slot): Promise<void> {
    this.#lost.add(partition)
    try {
      partition.seek(await this.#plan.reset(partition))
    } catch (error) {
      const wait = backoff.next()
      this.#plan.failed(error, wait)
      if (wait === undefined) return
      // Then it is asked for the same place again, and refused again.
      await this.#process.sleep(wait)
    }
    if (this.#lost.delete(partition)) this.#goOn()
  }
}

function wakeUp(slot: Slot): void {
  slot.rest?.cancel()
  slot.rest = undefined
  slot.isIdle = false
}
