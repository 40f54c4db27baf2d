/** A process in the hands of a test: it receives messages, in any order, and can watch and link others. */

import { type ProcessContext, spawnPlain } from '../process/plain.ts'
import type { Ref } from '../process/ref.ts'
import type { Runtime } from '../process/runtime.ts'

export class Probe {
  /** To be given to others. */
  readonly ref: Ref
  #context: ProcessContext | undefined = undefined
  readonly #ready: Promise<ProcessContext>

  constructor(runtime: Runtime) {
    let ready: (context: ProcessContext) => void = () => {}
    this.#ready = new Promise((resolve) => {
      ready = resolve
    })
    this.ref = spawnPlain(runtime, function probe(context) {
      ready(context)
      return new Promise(() => {})
    })
  }

  /** What a plain process can do, as the probe. */
  async context(): Promise<ProcessContext> {
    this.#context ??= await this.#ready
    return this.#context
  }

  /** The oldest message, or the oldest that matches; waits for it. */
  async receive(matches: (message: unknown) => boolean = () => true): Promise<unknown> {
    return (await this.context()).receive(matches)
  }

  /** The messages that are there, oldest first. */
  async received(): Promise<readonly unknown[]> {
    return (await this.context()).takeAll()
  }
}
