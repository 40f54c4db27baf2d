/** Things that come, to wait for. */

import type { TypedChannel } from 'sluice/telemetry'
import { onTestFinished } from 'vitest'

export class Arrivals<T> {
  readonly all: T[] = []
  #waiting: { readonly count: number; readonly resolve: () => void }[] = []

  add(item: T): void {
    this.all.push(item)
    for (const { resolve } of this.#waiting.filter(({ count }) => count <= this.all.length)) resolve()
    this.#waiting = this.#waiting.filter(({ count }) => count > this.all.length)
  }

  /** Resolves when there are that many. */
  async reach(count: number): Promise<readonly T[]> {
    if (this.all.length < count) await new Promise<void>((resolve) => this.#waiting.push({ count, resolve }))
    return this.all
  }
}

/** What a channel of telemetry tells until the test ends. */
export function listen<T>(channel: TypedChannel<T>): Arrivals<T> {
  const told = new Arrivals<T>()
  const listener = (event: T) => told.add(event)
  channel.subscribe(listener)
  onTestFinished(() => void channel.unsubscribe(listener))
  return told
}
