/** The child for one event, as its supervisor sees it. */

import type { StartPlan } from '../../otp/start.ts'
import type { Restart, Shutdown } from '../../otp/supervision/child-spec.ts'
import type { ChildTerms } from '../../otp/supervision/supervised-child.ts'
import type { DeadlineList, Deadlines, Expiring } from '../../process/deadlines.ts'
import type { Process } from '../../process/process.ts'
import type { Intake } from './intake.ts'

export class EventChild implements ChildTerms {
  readonly #terms: ChildTerms
  /** `undefined` for a task. */
  readonly plan: StartPlan | undefined
  readonly event: unknown
  /** Whose place it takes; `undefined` when `startChild` started it. */
  readonly intake: Intake | undefined

  constructor(terms: ChildTerms, plan: StartPlan | undefined, event: unknown, intake: Intake | undefined) {
    this.#terms = terms
    this.plan = plan
    this.event = event
    this.intake = intake
  }

  get label(): string {
    return this.#terms.label
  }

  get restart(): Restart {
    return this.#terms.restart
  }

  get shutdown(): Shutdown {
    return this.#terms.shutdown
  }

  get type(): 'worker' | 'supervisor' {
    return this.#terms.type
  }
}

/** Ends a child that takes too long. */
export class ChildDeadline implements Expiring {
  previousDeadline: Expiring | undefined = undefined
  nextDeadline: Expiring | undefined = undefined
  deadlineList: DeadlineList | undefined = undefined
  deadline = 0
  readonly #deadlines: Deadlines
  readonly #ms: number
  readonly #expired: () => Process | undefined

  /** `expired` says which process it is that is late; it is killed. */
  constructor({ runtime }: Process, ms: number, expired: () => Process | undefined) {
    this.#deadlines = runtime.deadlines
    this.#ms = ms
    this.#expired = expired
    this.#deadlines.add(this, ms)
    runtime.scheduler.markTurn()
  }

  cancel(): void {
    this.#deadlines.remove(this)
  }

  expire(): void {
    const process = this.#expired()
    if (process === undefined) return
    const text = `${process} was killed: it took longer than ${this.#ms} ms`
    process.runtime.logger.warn({ process: `${process}`, timeout: this.#ms }, text)
    process.kill()
  }
}
