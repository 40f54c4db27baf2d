/**
 * Which processor handles which partition: each partition has one, and keeps it as long as some source of the pipeline has the
 * partition; new ones go where the fewest are.
 *
 * Elixir: `BroadwayKafka.Allocator`.
 */

import type { TopicPartition } from '../client/port.ts'

export class Allocator {
  readonly #slots: number
  /** Partitions by the source that has them. */
  readonly #held = new Map<number, readonly TopicPartition[]>()
  /** The slots of the partitions of each topic. */
  #allocated = new Map<string, Map<number, number>>()

  /** @param slots How many processors. */
  constructor(slots: number) {
    this.#slots = slots
  }

  /** A source has these from now on, and no others. */
  allocate(source: number, partitions: readonly TopicPartition[]): void {
    this.#held.set(source, partitions)
    const before = this.#allocated
    this.#allocated = new Map()
    const sizes = Array.from({ length: this.#slots }, () => 0)
    const unseen: TopicPartition[] = []
    for (const place of [...this.#held.values()].flat()) {
      const slot = before.get(place.topic)?.get(place.partition)
      if (slot === undefined) unseen.push(place)
      else if (this.#put(place, slot)) sizes[slot] = (sizes[slot] ?? 0) + 1
    }
    const bySize = [...sizes.keys()].sort((a, b) => (sizes[a] ?? 0) - (sizes[b] ?? 0) || a - b)
    for (const place of unseen) {
      const [slot = 0] = bySize
      if (!this.#put(place, slot)) continue
      bySize.shift()
      const size = (sizes[slot] ?? 0) + 1
      sizes[slot] = size
      const behind = bySize.findIndex((other) => (sizes[other] ?? 0) >= size)
      bySize.splice(behind < 0 ? bySize.length : behind, 0, slot)
    }
  }

  /** The number of the processor for messages of a partition. */
  lookup(topic: string, partition: number): number {
    // A message that is none of the source, or still under way when its partition is gone.
    return this.#allocated.get(topic)?.get(partition) ?? partition % this.#slots
  }

  /** False when it has one. */
  #put({ topic, partition }: TopicPartition, slot: number): boolean {
    let partitions = this.#allocated.get(topic)
    if (partitions === undefined) this.#allocated.set(topic, (partitions = new Map()))
    if (partitions.has(partition)) return false
    partitions.set(partition, slot)
    return true
  }
}
