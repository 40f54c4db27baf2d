/**
 * The last child of a pipeline, so the first one to be stopped: it keeps the others from being stopped until all that is on its way
 * has been handled. Only when the pipeline is to end; a crash does not wait.
 */

import { GenServer } from '../../otp/gen-server.ts'
import type { Name } from '../../process/name.ts'
import { processOf } from '../../process/ref.ts'
import { abandon, type Parts } from './abandoned.ts'
import { leavePipeline } from './producer-stage.ts'

/** A stage in front of the end. */
interface Leaving {
  willTerminate(): void
}

/** A stage that is the end. */
interface Last {
  willTerminate(): void
  drained(): unknown
}

export interface TerminatorArgument {
  readonly producers: readonly Name[]
  readonly processors: readonly Name<Leaving>[]
  readonly last: readonly Name<Last>[]
  /** Milliseconds for all of it. */
  readonly drainTimeout: number
  readonly parts: Parts
}

export class Terminator extends GenServer {
  readonly #argument: TerminatorArgument
  #armed = false

  constructor(argument: () => TerminatorArgument) {
    super()
    this.#argument = argument()
  }

  /** The pipeline is to end: the stop that follows waits for what is on its way. */
  arm(): void {
    this.#armed = true
  }

  override async terminate(): Promise<void> {
    if (!this.#armed) return
    const { producers, processors, last, drainTimeout, parts } = this.#argument
    const { runtime } = processOf(this.self)
    const drained = last.map((stage) => stage.with({ timeout: Infinity }).call.drained())
    for (const stage of [...processors, ...last]) stage.cast.willTerminate()
    for (const producer of producers) {
      const process = producer.holder(runtime)
      if (process !== undefined) leavePipeline(process)
    }
    // Who has died has nothing left to do.
    const ended = Promise.allSettled(drained).then(() => true)
    const inTime = await Promise.race([ended, this.sleep(drainTimeout).then(() => false)])
    if (!inTime) abandon(parts, runtime, drainTimeout)
  }
}
