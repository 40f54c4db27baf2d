/**
 * The last child of a pipeline, so the first one to be stopped: it keeps the others from being stopped until all that is on its way
 * has been handled. Only when the pipeline is to end; a crash does not wait.
 */

import { GenServer } from '../../otp/gen-server.ts'
import type { Name } from '../../process/name.ts'
import { processOf } from '../../process/ref.ts'
import type { Runtime } from '../../process/runtime.ts'
import { abandon, type Parts } from './abandoned.ts'
import { leavePipeline } from './producer-stage.ts'

/** Milliseconds between two looks for the successor of a stage that has died. */
const RESTART = 10

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
  /** Who starts the last stages again while the pipeline ends; `undefined` when nobody does. */
  readonly restarter: Name | undefined
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
    for (const stage of processors) stage.cast.willTerminate()
    const drained = last.map((stage) => this.#drained(stage, runtime))
    for (const producer of producers) {
      const process = producer.holder(runtime)
      if (process !== undefined) leavePipeline(process)
    }
    const ended = Promise.all(drained).then(() => true)
    const inTime = await Promise.race([ended, this.sleep(drainTimeout).then(() => false)])
    if (!inTime) abandon(parts, runtime, drainTimeout)
  }

  /** Resolves when a stage has done all. When it dies its successor goes on with what the stage in front of it still has. */
  async #drained(stage: Name<Last>, runtime: Runtime): Promise<void> {
    const { restarter } = this.#argument
    for (;;) {
      stage.cast.willTerminate()
      try {
        await stage.with({ timeout: Infinity }).call.drained()
        return
      } catch {
        if (!restarter?.holder(runtime)?.alive) return
        await this.sleep(RESTART)
      }
    }
  }
}
