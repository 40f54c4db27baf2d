/**
 * Notices that a stage behind a source died. It takes messages with it, and nobody knows which: what the source has to do about those
 * that are under way depends on its server.
 */

import { isOrderly } from '../process/exit-reason.ts'
import type { Process } from '../process/process.ts'
import { downstreamOf } from '../stage/downstream.ts'

/** So much sooner a source looks the first time, when a pipeline may still be starting. */
const STARTING = 8

export class DownstreamWatch {
  readonly #process: Process
  /** Where messages may be, when it looked last. */
  #stages: ReadonlySet<Process> = new Set()
  /** The pipeline has all its stages: new ones are replacements. */
  #started: boolean
  /** Told of a loss since it looked last. */
  #lossy = false

  constructor(process: Process) {
    this.#process = process
    this.#started = isRestarted(process)
  }

  /** Milliseconds until it is to look, when it usually is after `interval`. */
  after(interval: number): number {
    return this.#started ? interval : interval / STARTING
  }

  /** Remembers the stages that there are now. */
  remember(): void {
    this.#stages = downstreamOf(this.#process)
  }

  /** A consumer died, or a buffer was full: messages are gone. */
  lost(): void {
    this.#lossy = true
  }

  /** Messages may have been lost since it looked last. */
  look(): boolean {
    const lossy = this.#lossy || this.#stageDied
    this.#lossy = false
    this.#started = true
    return lossy
  }

  /** A stage died since it looked last; or one took the place of another, which came and died in the meantime. */
  get #stageDied(): boolean {
    for (const { alive, exitReason } of this.#stages) if (!alive && !isOrderly(exitReason ?? 'normal')) return true
    if (!this.#started) return false
    for (const stage of downstreamOf(this.#process)) if (!this.#stages.has(stage)) return true
    return false
  }
}

/** A supervisor started it again, or a part of the tree that it is in. */
function isRestarted(process: Process): boolean {
  for (let at: Process | undefined = process; at !== undefined; at = at.parent) if (at.restarts > 0) return true
  return false
}
