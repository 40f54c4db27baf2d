/** How often a supervisor may restart children before it gives up. */

import type { ExitReason } from '../../process/exit-reason.ts'
import type { Process } from '../../process/process.ts'
import { channels } from '../../telemetry/channels.ts'
import { noteOwnEnd } from './own-end.ts'
import type { SupervisedChild } from './supervised-child.ts'

export class RestartIntensity {
  readonly #maxRestarts: number
  readonly #maxSeconds: number
  #restarts: number[] = []

  constructor(maxRestarts: number, maxSeconds: number) {
    this.#maxRestarts = maxRestarts
    this.#maxSeconds = maxSeconds
  }

  /** Counts the restart of a child and reports it; false, and an error is logged, when the supervisor has to give up. */
  allows(supervisor: Process, child: SupervisedChild, reason: ExitReason): boolean {
    const { label } = child.spec
    if (!this.#counts(supervisor.runtime.clock.now())) {
      const maxRestarts = this.#maxRestarts
      const maxSeconds = this.#maxSeconds
      const text = `${supervisor} gave up: more than ${maxRestarts} restarts within ${maxSeconds} s, the last of ${label}`
      supervisor.runtime.logger.error({ supervisor: `${supervisor}`, child: label, maxRestarts, maxSeconds }, text)
      noteOwnEnd(supervisor, 'gave up')
      return false
    }
    child.restarts++
    if (channels.supervisorRestart.hasSubscribers) {
      const { restarts } = child
      channels.supervisorRestart.publish({ supervisor: `${supervisor}`, child: label, reason, restarts })
    }
    return true
  }

  /** False when there were more than allowed within the window. One that is just as old still counts. */
  #counts(now: number): boolean {
    this.#restarts = this.#restarts.filter((at) => now - at <= this.#maxSeconds * 1000)
    this.#restarts.push(now)
    return this.#restarts.length <= this.#maxRestarts
  }
}
