/** What a stream of tasks knows of each running task, and of when it must be done. */

import type { DeadlineList, Expiring } from '../../process/deadlines.ts'
import type { Process } from '../../process/process.ts'

/** The place of one running task; used again and again, so that a task makes no functions of its own. */
export class Slot<E, T> {
  readonly index: number
  position = 0
  busy = false
  /** Only for `zipInputOnExit`. */
  element: E | undefined = undefined
  process: Process | undefined = undefined
  deadline: TurnDeadline | undefined = undefined
  readonly succeed: (value: T) => void
  readonly fail: (error: unknown) => void

  constructor(index: number, succeed: (value: T) => void, fail: (error: unknown) => void) {
    this.index = index
    this.succeed = succeed
    this.fail = fail
  }
}

/** The deadline of the tasks that were started in one turn. */
export class TurnDeadline implements Expiring {
  previousDeadline: Expiring | undefined = undefined
  nextDeadline: Expiring | undefined = undefined
  deadlineList: DeadlineList | undefined = undefined
  deadline = 0
  /** Tasks that are not done. */
  running = 0
  readonly #expired: (deadline: TurnDeadline) => void

  constructor(expired: (deadline: TurnDeadline) => void) {
    this.#expired = expired
  }

  expire(): void {
    this.#expired(this)
  }
}
