/** One watch of one process on another: a `Down` when it ends. */

import type { ExitReason } from './exit-reason.ts'
import { DOWN } from './message.ts'
import type { Process } from './process.ts'
import type { ProcessRef } from './ref.ts'
import { Down, type Monitor } from './signals.ts'

export class Watch implements Monitor {
  readonly id: number
  readonly watcher: Process
  /** `undefined` when a name was watched that nobody held. */
  readonly target: Process | undefined

  constructor(id: number, watcher: Process, target: Process | undefined) {
    this.id = id
    this.watcher = watcher
    this.target = target
  }

  fire(reason: ExitReason): void {
    this.watcher.forget(this)
    this.deliver(this.target?.ref, reason)
  }

  deliver(from: ProcessRef | undefined, reason: ExitReason): void {
    this.watcher.deliver(DOWN, new Down(this, from, reason))
  }
}
