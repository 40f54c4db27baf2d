/**
 * Tells the group how far its partitions are done: what comes together goes in one request, there is one at a time, and what comes
 * meanwhile goes in the next. So there are no more requests than the coordinator answers, however many messages are acknowledged.
 */

import type { Backoff } from '../../connector/backoff.ts'
import type { Timer } from '../../process/clock.ts'
import { errand } from '../../process/message.ts'
import type { Process } from '../../process/process.ts'
import { channels } from '../../telemetry/channels.ts'
import type { KafkaGroup, Member, PartitionOffset } from '../client/port.ts'
import { CODES, codeOf } from '../client/request-error.ts'
import type { AssignedPartition } from './assigned-partition.ts'

export interface CommitterPlan {
  readonly group: KafkaGroup
  /** As whom it commits. */
  readonly member: Member
  /** Milliseconds between commits; 0 for at once. */
  readonly interval: number
  /** Before commits that failed are made again. */
  readonly backoff: Backoff
  /** The coordinator says that the group has gone on without this member, or is about to. */
  stale(code: number): void
}

export class Committer {
  readonly #process: Process
  readonly #plan: CommitterPlan
  readonly #waiting = new Map<string, PartitionOffset>()
  #isPaused = false
  #isClosed = false
  /** A look at what waits is on its way. */
  #timer: Timer | undefined = undefined
  #isDue = false
  #running: Promise<void> | undefined = undefined

  constructor(process: Process, plan: CommitterPlan) {
    this.#process = process
    this.#plan = plan
  }

  /** A partition is done up to a new place. */
  note({ key, topic, partition, committable }: AssignedPartition): void {
    this.#waiting.set(key, { topic, partition, offset: committable })
    if (this.#isDue || this.#isPaused || this.#isClosed) return
    const { interval } = this.#plan
    if (interval > 0) return this.#later(interval)
    // What is acknowledged by several stages in one turn goes together.
    this.#isDue = true
    this.#process.deliver(
      errand(() => this.#look()),
      [],
    )
  }

  /** From now on nothing is committed until `flush`. */
  pause(): void {
    this.#isPaused = true
    this.#timer?.cancel()
  }

  /** Commits all that waits; resolves when it has been tried. */
  async flush(): Promise<void> {
    await this.#running
    if (!this.#isClosed && this.#waiting.size > 0) await this.#commit()
  }

  /** Nothing more is committed. */
  close(): void {
    this.#isClosed = true
    this.#timer?.cancel()
  }

  #later(ms: number): void {
    this.#isDue = true
    this.#timer = this.#process.setTimer(ms, () => this.#look(), false)
  }

  #look(): void {
    this.#isDue = false
    if (this.#isPaused || this.#isClosed || this.#running !== undefined || this.#waiting.size === 0) return
    this.#running = this.#commit().finally(() => {
      this.#running = undefined
      if (this.#isDue || this.#waiting.size === 0) return
      if (this.#plan.interval > 0) this.#later(this.#plan.interval)
      else this.#look()
    })
  }

  async #commit(): Promise<void> {
    const { group, member, stale } = this.#plan
    const taken = [...this.#waiting]
    const offsets = taken.map(([, offset]) => offset)
    this.#waiting.clear()
    try {
      await group.commit(member, offsets)
    } catch (err) {
      if (this.#isClosed) return
      // What was done meanwhile is further on.
      for (const [key, offset] of taken) if (!this.#waiting.has(key)) this.#waiting.set(key, offset)
      return this.#failed(err, stale)
    }
    this.#plan.backoff.reset()
    if (channels.kafkaCommit.hasSubscribers) channels.kafkaCommit.publish({ process: `${this.#process}`, offsets })
  }

  #failed(err: unknown, stale: (code: number) => void): void {
    const process = this.#process
    const code = codeOf(err)
    const { illegalGeneration, unknownMember, rebalanceInProgress } = CODES
    const text = err instanceof Error ? err.message : String(err)
    process.runtime.logger.error(
      { err, process: `${process}` },
      `${process} could not commit ${this.#waiting.size} offsets: ${text}; messages behind them may come again`,
    )
    if (code === illegalGeneration || code === unknownMember || code === rebalanceInProgress) stale(code)
    else if (!this.#isPaused) {
      const wait = this.#plan.backoff.next()
      if (wait !== undefined) this.#later(wait)
    }
  }
}
