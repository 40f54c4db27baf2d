/**
 * The messages of a channel that nobody has answered for, by their delivery tags, and how to answer for many with few frames: one
 * frame can speak for a message and all before it, when the same is to be said of all of them.
 *
 * A tag is answered for once: the server closes a channel that does it twice.
 */

export type BasicAnswer = 'ack' | 'reject' | 'requeue'

/** What the server is told in one frame. */
export interface Frame {
  readonly tag: number
  readonly answer: BasicAnswer
  /** Messages that it speaks for; if several, for all up to `tag`. */
  readonly messages: number
}

export class Unanswered {
  /** In the order in which they came, which is that of their tags. */
  readonly #tags = new Set<number>()
  #next = 1
  /** All messages of the channel are ours. */
  #alone = true

  get size(): number {
    return this.#tags.size
  }

  has(tag: number): boolean {
    return this.#tags.has(tag)
  }

  /** All of them, oldest first. */
  tags(): readonly number[] {
    return [...this.#tags]
  }

  delivered(tag: number): void {
    // Somebody else takes messages on this channel: what came before may not be ours.
    if (tag !== this.#next) this.#alone = false
    this.#next = tag + 1
    this.#tags.add(tag)
  }

  /** The frames for answers to messages that are all there; from now on they are answered for. */
  answer(answers: ReadonlyMap<number, BasicAnswer>): readonly Frame[] {
    const frames: Frame[] = []
    let answer: BasicAnswer | undefined
    let last = 0
    let messages = 0
    const end = (): void => {
      if (answer !== undefined) frames.push({ tag: last, answer, messages })
    }
    let left = answers.size
    for (const tag of this.#alone ? this.#tags : []) {
      const next = left === 0 ? undefined : answers.get(tag)
      if (next === undefined) break
      left--
      this.#tags.delete(tag)
      if (next !== answer) {
        end()
        answer = next
        messages = 0
      }
      last = tag
      messages++
    }
    end()
    if (left > 0) {
      for (const [tag, single] of answers) {
        if (this.#tags.delete(tag)) frames.push({ tag, answer: single, messages: 1 })
      }
    }
    return frames
  }
}
