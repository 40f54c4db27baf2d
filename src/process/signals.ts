/** The messages that the kernel itself puts into a mailbox: a linked process ended, a monitored process ended. */

import type { ExitReason } from './exit-reason.ts'
import type { Ref } from './ref.ts'

/** A linked process ended and this process traps exits. Elixir: `{:EXIT, pid, reason}`. */
export class Exit {
  /** Who ended. */
  readonly from: Ref
  readonly reason: ExitReason

  constructor(from: Ref, reason: ExitReason) {
    this.from = from
    this.reason = reason
  }
}

/** A monitored process ended, or was not there. Elixir: `{:DOWN, ref, :process, pid, reason}`. */
export class Down {
  /** The token that `monitor` returned. */
  readonly monitor: Monitor
  /** Who ended; `undefined` when a name was monitored that nobody held. */
  readonly from: Ref | undefined
  readonly reason: ExitReason

  constructor(monitor: Monitor, from: Ref | undefined, reason: ExitReason) {
    this.monitor = monitor
    this.from = from
    this.reason = reason
  }
}

/** The token of one `monitor` call: compare it with `Down.monitor`, give it to `demonitor`. */
export interface Monitor {
  readonly id: number
}
