/** Who tells somebody of the failures of its children, so that the log need not: one cause gives one report. */

import type { ExitReason } from './exit-reason.ts'
import type { Process } from './process.ts'

/** Asked about a failure: true when it is told. */
type Answer = (reason: ExitReason) => boolean

const answers = new WeakMap<Process, Answer>()

/** What children of this process fail with is asked about, before anybody else hears of it. */
export function answerForChildren(process: Process, answer: Answer): void {
  answers.set(process, answer)
}

/** The failure of this process is told by its parent. */
export function isAnswered({ parent }: Process, reason: ExitReason): boolean {
  return parent !== undefined && answers.get(parent)?.(reason) === true
}
