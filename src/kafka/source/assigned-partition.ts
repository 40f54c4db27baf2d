/** A partition that a source has, as long as it has it: where it reads, what it has read ahead, what is under way. */

import type { Fetched, KafkaRecord, PartitionPlace, TopicPartition } from '../client/port.ts'
import { OffsetTracker } from './offset-tracker.ts'

/** Told what is done. */
export interface PartitionOwner {
  /** The source, for texts. */
  readonly name: string
  /** The group can go on behind these; called when the oldest message under way is done. */
  advanced(partition: AssignedPartition): void
  /** A message is done. */
  settled(): void
}

export class AssignedPartition implements TopicPartition {
  readonly topic: string
  readonly partition: number
  /** The same for all that come from this partition, whenever. */
  readonly key: string
  readonly owner: PartitionOwner
  leader: number
  /** It belongs to the source no more, or is read again from an earlier place: nobody wants to know any more. */
  gone = false
  readonly offsets: OffsetTracker = new OffsetTracker()
  #ahead: readonly KafkaRecord[] = []
  #taken = 0
  /** Where the next fetch begins. */
  #position: number

  constructor(owner: PartitionOwner, { topic, partition, leader }: PartitionPlace, position: number) {
    this.owner = owner
    this.topic = topic
    this.partition = partition
    this.key = `${topic}/${partition}`
    this.leader = leader
    this.#position = position
  }

  get position(): number {
    return this.#position
  }

  /** Messages read and not emitted. */
  get ahead(): number {
    return this.#ahead.length - this.#taken
  }

  /** The first message that was not emitted. */
  get next(): number {
    return this.#ahead[this.#taken]?.offset ?? this.#position
  }

  /** What the group is to begin with when everything before it is done: the oldest message that is not. */
  get committable(): number {
    return this.offsets.first ?? this.next
  }

  read({ records, next }: Fetched): void {
    this.#ahead = this.ahead === 0 ? records : [...this.#ahead.slice(this.#taken), ...records]
    this.#taken = 0
    this.#position = next
  }

  /** Takes up to `count` messages, which are under way from now on. */
  take(count: number): readonly KafkaRecord[] {
    const to = Math.min(this.#taken + count, this.#ahead.length)
    const taken = this.#ahead.slice(this.#taken, to)
    this.#taken = to
    if (this.#taken === this.#ahead.length) {
      this.#ahead = []
      this.#taken = 0
    }
    for (const { offset } of taken) this.offsets.emitted(offset)
    return taken
  }

  /** Begins elsewhere; nothing is under way. */
  seek(position: number): void {
    this.drop()
    this.#position = position
  }

  /** Forgets what was read and not emitted. */
  drop(): void {
    this.#position = this.next
    this.#ahead = []
    this.#taken = 0
  }

  /** Messages of this partition are done, whether they were handled or failed: a partition cannot skip one. */
  done(offsets: readonly number[]): void {
    const advanced = this.offsets.done(offsets)
    if (this.gone) return
    if (advanced) this.owner.advanced(this)
    this.owner.settled()
  }
}
