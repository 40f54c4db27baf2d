/** Count windows: so many events of a stage, then the next window. One is always open, if without events. */

import type { OpenWindow, Pane, WindowDefinition, WindowHost, WindowStep } from './window.ts'

export class CountWindow implements WindowDefinition {
  readonly type = 'count'
  readonly #count: number

  constructor(count: number) {
    this.#count = count
  }

  open<P extends Pane>(host: WindowHost<P>): OpenWindow<P> {
    const count = this.#count
    let id = 0
    let pane = host.pane(id)
    let missing = count
    return {
      *batch(events): Generator<WindowStep<P>> {
        for (let from = 0; from < events.length; ) {
          const piece = from === 0 && events.length <= missing ? events : events.slice(from, from + missing)
          from += piece.length
          missing -= piece.length
          yield { pane, events: piece }
          if (missing > 0) return
          yield { pane, trigger: 'done', closes: true }
          pane = host.pane(++id)
          missing = count
        }
      },
      end: () => [{ pane, trigger: 'done', closes: true }],
    }
  }
}
