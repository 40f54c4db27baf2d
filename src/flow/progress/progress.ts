/** How far a flow is, for who wants to know while it runs. */

import type { Timer } from '../../process/clock.ts'
import type { Process } from '../../process/process.ts'
import { show } from '../../stage/show.ts'
import { FlowError } from '../errors.ts'
import type { Plan } from '../plan.ts'
import { type ProgressReport, RunCounts } from './run-counts.ts'

export interface ProgressOptions {
  /** Milliseconds between two reports. Default 200. */
  readonly every?: number | undefined
}

/** Begins to count a run for a progress, until the process of the flow ends; for this layer. */
export let countFor: (progress: Progress, plan: Plan, flow: Process) => RunCounts

const EVERY = 200

/**
 * Tells how far a flow is that was given it: `flow.withProgress(progress)`. It is iterated beside the flow: a report every now and
 * then, the last one when the flow has ended, however that was. What it tells of is the run that began last; who comes before the
 * flow has begun waits for it. Nothing is counted in a flow without it, and in one with it once for each batch.
 *
 * @example
 * ```ts
 * import { Flow, Progress } from 'sluice/flow'
 *
 * const progress = new Progress({ every: 1000 })
 * const watching = (async () => {
 *   for await (const { read, rate } of progress) console.log(`${read} events, ${Math.round(rate)} a second`)
 * })()
 * await Flow.from([1, 2, 3]).map((n) => n * 2).withProgress(progress).run()
 * await watching
 * ```
 */
export class Progress implements AsyncIterable<ProgressReport> {
  readonly #every: number
  #counts: RunCounts | undefined = undefined
  readonly #waiting = new Set<() => void>()

  /** @throws `FlowError` `bad_options`. */
  constructor({ every = EVERY }: ProgressOptions = {}) {
    if (typeof every !== 'number' || !(every > 0)) {
      throw new FlowError('bad_options', `every of Progress: expected a number of milliseconds > 0, got ${show(every)}`)
    }
    this.#every = every
  }

  /** How far it is now, with the average rate; `undefined` before a flow with it has begun. */
  get current(): ProgressReport | undefined {
    return this.#counts?.report(undefined)
  }

  [Symbol.asyncIterator](): AsyncIterator<ProgressReport, undefined, undefined> {
    return new Reports(this.#every, async () => this.#counts ?? (await this.#begun()))
  }

  #begun(): Promise<RunCounts | undefined> {
    return new Promise((resolve) => this.#waiting.add(() => resolve(this.#counts)))
  }

  static {
    countFor = (progress, plan, flow) => {
      const counts = new RunCounts(plan, flow.runtime)
      flow.onEnd((reason) => counts.ended(reason))
      progress.#counts = counts
      for (const resume of progress.#waiting) resume()
      progress.#waiting.clear()
      return counts
    }
  }
}

const DONE: IteratorReturnResult<undefined> = { done: true, value: undefined }

/** No generator: it can be left while it waits. */
class Reports implements AsyncIterator<ProgressReport, undefined, undefined> {
  readonly #every: number
  readonly #begun: () => Promise<RunCounts | undefined>
  #counts: RunCounts | undefined = undefined
  #last: ProgressReport | undefined = undefined
  #over = false
  #wake: (() => void) | undefined = undefined

  constructor(every: number, begun: () => Promise<RunCounts | undefined>) {
    this.#every = every
    this.#begun = begun
  }

  async next(): Promise<IteratorResult<ProgressReport, undefined>> {
    if (this.#over) return DONE
    this.#counts ??= await this.#begun()
    const counts = this.#counts
    if (counts === undefined) return DONE
    if (!counts.over) await this.#pause(counts)
    if (this.#over) return DONE
    this.#over = counts.over
    this.#last = counts.report(this.#last)
    return { done: false, value: this.#last }
  }

  return(): Promise<IteratorResult<ProgressReport, undefined>> {
    this.#over = true
    this.#wake?.()
    return Promise.resolve(DONE)
  }

  /** Until the next report is due, the run is over, or nobody wants to know any more. */
  async #pause(counts: RunCounts): Promise<void> {
    let timer: Timer | undefined
    let forget: (() => void) | undefined
    await new Promise<void>((resolve) => {
      this.#wake = resolve
      // The program need not live for it.
      timer = counts.runtime.clock.setTimer(this.#every, resolve, false)
      forget = counts.onEnd(resolve)
    })
    timer?.cancel()
    forget?.()
  }
}
