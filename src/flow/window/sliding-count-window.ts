/** Count windows that overlap: the last so many events, again and again. They open with their first event. */

import type { OpenWindow, Pane, WindowDefinition, WindowHost, WindowStep } from './window.ts'

export class SlidingCountWindow implements WindowDefinition {
  readonly type = 'sliding'
  readonly #count: number
  readonly #every: number

  constructor(count: number, every: number) {
    this.#count = count
    this.#every = every
  }

  open<P extends Pane>(host: WindowHost<P>): OpenWindow<P> {
    const count = this.#count
    const every = this.#every
    let id = 0
    let untilNext = 0
    /** Oldest first; they close in this order. */
    const open: { readonly pane: P; missing: number }[] = []
    return {
      *batch(events): Generator<WindowStep<P>> {
        for (let from = 0; from < events.length; ) {
          if (untilNext === 0) {
            open.push({ pane: host.pane(id++), missing: count })
            untilNext = every
          }
          const oldest = open[0]?.missing ?? count
          const piece = events.slice(from, from + Math.min(untilNext, oldest))
          from += piece.length
          untilNext -= piece.length
          for (const window of open) {
            window.missing -= piece.length
            yield { pane: window.pane, events: piece }
          }
          const full = open[0]?.missing === 0 ? open.shift() : undefined
          if (full !== undefined) yield { pane: full.pane, trigger: 'done', closes: true }
        }
      },
      *end(): Generator<WindowStep<P>> {
        for (const { pane } of open) yield { pane, trigger: 'done', closes: true }
      },
    }
  }
}
