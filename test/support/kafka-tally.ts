/** What pipelines have handled of topics. */

import type { Message } from 'sluice/broadway'
import type { KafkaMetadata } from 'sluice/kafka'

type Read = Message<Buffer, string, KafkaMetadata>

export class KafkaTally {
  /** How often each message was handled, by its text. */
  readonly times = new Map<string, number>()
  /** The offsets of each partition, in the order in which they were first handled. */
  readonly offsets = new Map<string, number[]>()
  readonly messages: Read[] = []
  #waiting: { readonly isEnough: () => boolean; readonly resolve: () => void }[] = []

  readonly handle = <M extends Read>(message: M): M => {
    const text = String(message.data)
    const { topic, partition, offset } = message.metadata
    const key = `${topic}/${partition}`
    const times = this.times.get(text) ?? 0
    this.times.set(text, times + 1)
    this.messages.push(message)
    if (times === 0) {
      const offsets = this.offsets.get(key)
      if (offsets === undefined) this.offsets.set(key, [offset])
      else offsets.push(offset)
    }
    this.#look()
    return message
  }

  /** Messages that were handled more than once. */
  get repeated(): number {
    return [...this.times.values()].filter((times) => times > 1).length
  }

  /** Each partition was handled in order, apart from what was repeated. */
  get inOrder(): boolean {
    return [...this.offsets.values()].every((offsets) =>
      offsets.every((offset, index) => index === 0 || offset > (offsets[index - 1] ?? 0)),
    )
  }

  /** Resolves when so many different messages have been handled. */
  reach(count: number): Promise<void> {
    return this.until(() => this.times.size >= count)
  }

  until(isEnough: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push({ isEnough, resolve })
      this.#look()
    })
  }

  #look(): void {
    if (this.#waiting.length === 0) return
    for (const { resolve } of this.#waiting.filter(({ isEnough }) => isEnough())) resolve()
    this.#waiting = this.#waiting.filter(({ isEnough }) => !isEnough())
  }
}
