/**
 * A mailbox: a ring of tag and payload pairs, first in, first out, O(1) at both ends. It has no ring until the first message
 * comes, because most of a million processes are idle, and gives a large one back when it is empty.
 */

import type { Tag } from './message.ts'

/** No ring yet. */
const NO_RING: unknown[] = [undefined]
/** Slots of the first ring; two per message. A power of two. */
const FIRST_SLOTS = 8
/** An empty ring larger than this is given back. */
const KEPT_SLOTS = 2048

export class Mailbox {
  /** The oldest message is being handled. It keeps its place until it is done, so that it can be found when it fails. */
  inHand = false
  #ring: unknown[] = NO_RING
  #head = 0
  #tail = 0

  get empty(): boolean {
    return this.#head === this.#tail
  }

  /** Messages that wait, without the one in hand. */
  get size(): number {
    return (((this.#tail - this.#head) & (this.#ring.length - 1)) >> 1) - (this.inHand ? 1 : 0)
  }

  /** The oldest message; there must be one. */
  get tag(): Tag {
    return this.#ring[this.#head] as Tag
  }

  get payload(): unknown {
    return this.#ring[this.#head + 1]
  }

  push(tag: Tag, payload: unknown): void {
    let ring = this.#ring
    if (ring === NO_RING) ring = this.#ring = new Array(FIRST_SLOTS).fill(undefined)
    const tail = this.#tail
    ring[tail] = tag
    ring[tail + 1] = payload
    this.#tail = (tail + 2) & (ring.length - 1)
    if (this.#tail === this.#head) this.#grow()
  }

  /** Removes the oldest message. */
  drop(): void {
    const head = this.#head
    const ring = this.#ring
    ring[head] = ring[head + 1] = undefined
    this.#head = (head + 2) & (ring.length - 1)
    if (ring.length > KEPT_SLOTS && this.#head === this.#tail) this.clear()
  }

  clear(): void {
    this.inHand = false
    this.#ring = NO_RING
    this.#head = this.#tail = 0
  }

  /** All messages, the one in hand first, then oldest first. */
  entries(): readonly (readonly [Tag, unknown])[] {
    const ring = this.#ring
    const entries: [Tag, unknown][] = []
    for (let slot = this.#head; slot !== this.#tail; slot = (slot + 2) & (ring.length - 1)) {
      entries.push([this.#tagAt(slot), ring[slot + 1]])
    }
    return entries
  }

  /** Removes the waiting messages whose payload matches; never the one in hand. */
  remove(matches: (payload: unknown) => boolean): void {
    const { inHand } = this
    const kept = this.entries().filter(([, payload], index) => (inHand && index === 0) || !matches(payload))
    this.clear()
    for (const [tag, payload] of kept) this.push(tag, payload)
    this.inHand = inHand
  }

  #tagAt(slot: number): Tag {
    return this.#ring[slot] as Tag
  }

  /** The ring is full: the messages move to one twice as long. */
  #grow(): void {
    const full = this.#ring
    const { length } = full
    const larger: unknown[] = new Array(length * 2).fill(undefined)
    for (let slot = 0; slot < length; slot++) larger[slot] = full[(this.#head + slot) & (length - 1)]
    this.#ring = larger
    this.#head = 0
    this.#tail = length
  }
}
