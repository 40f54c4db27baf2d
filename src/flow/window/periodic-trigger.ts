/** Triggers that look at the clock: all open windows of a stage fire, whether they changed or not. */

import { milliseconds, type TimeUnit } from './time-unit.ts'
import type { Pane, TriggerName, WindowHost, WindowStep } from './window.ts'

export class PeriodicTrigger {
  readonly #ms: number
  readonly #name: TriggerName

  constructor(amount: number, unit: TimeUnit) {
    this.#ms = milliseconds('triggerPeriodically', amount, unit)
    this.#name = { periodically: amount, unit }
  }

  start<P extends Pane>(host: WindowHost<P>): void {
    host.after(this.#ms, () => {
      this.start(host)
      return firings(host, this.#name)
    })
  }
}

/** Has all open windows fire. */
export function firings<P extends Pane>(host: WindowHost<P>, trigger: TriggerName): readonly WindowStep<P>[] {
  return host.panes().map((pane) => ({ pane, trigger, closes: false }))
}
