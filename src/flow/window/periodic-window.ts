/**
 * Periodic windows: what a stage gets in an interval of time. Their timer is set anew when a window has closed, so that they drift
 * as much as that takes.
 */

import type { OpenWindow, Pane, WindowDefinition, WindowHost, WindowStep } from './window.ts'

export class PeriodicWindow implements WindowDefinition {
  readonly type = 'periodic'
  readonly #ms: number

  constructor(ms: number) {
    this.#ms = ms
  }

  open<P extends Pane>(host: WindowHost<P>): OpenWindow<P> {
    const ms = this.#ms
    let id = 0
    let pane = host.pane(id)
    function* next(): Generator<WindowStep<P>> {
      yield { pane, trigger: 'done', closes: true }
      pane = host.pane(++id)
      host.after(ms, next)
    }
    host.after(ms, next)
    return {
      batch: (events) => [{ pane, events }],
      end: () => [{ pane, trigger: 'done', closes: true }],
    }
  }
}
