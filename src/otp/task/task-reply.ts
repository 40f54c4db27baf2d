/** The message that tells an owner how its task went. */

import type { Task } from './task.ts'

/** Arrives at `handleInfo` of the owner when nobody waits for the task; a `Down` follows. Elixir: `{ref, value}`. */
export class TaskReply<T = unknown> {
  readonly task: Task<T>
  readonly value: T

  constructor(task: Task<T>, value: T) {
    this.task = task
    this.value = value
  }
}
