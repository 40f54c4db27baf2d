/** What the stages of one run of a flow count, and what that says about it. */

import { type ExitReason, isOrderly } from '../../process/exit-reason.ts'
import type { Runtime } from '../../process/runtime.ts'
import { SourceMeter } from '../../stage/interop/source-meter.ts'
import type { Group, Plan } from '../plan.ts'

/** Events in and out. */
export interface Counts {
  readonly in: number
  readonly out: number
}

/** One step, in the order in which events go through them. */
export interface StepProgress extends Counts {
  /** What it does, as `map, filter`; empty when it only hands on. */
  readonly operations: string
  /** Each of its stages. */
  readonly stages: readonly Counts[]
}

/** How far a flow is. */
export interface ProgressReport {
  /** `stopped`: it was told to stop, or nobody wanted more of it. */
  readonly state: 'running' | 'ended' | 'failed' | 'stopped'
  /** Milliseconds that it has run. */
  readonly elapsed: number
  /** Events that it took from its sources. */
  readonly read: number
  /** Events that came out at its end. */
  readonly emitted: number
  /** Events that were read in a second, since the report before. */
  readonly rate: number
  /** How much of the sources was read, from 0 to 1; `undefined` where the size is not known of all of them. */
  readonly done: number | undefined
  /** Milliseconds until its end, if it goes on as until now; `undefined` as `done`, and before anything was read. */
  readonly remaining: number | undefined
  readonly steps: readonly StepProgress[]
}

/** What one stage counts, once for each batch. */
export class StageCounts implements Counts {
  in = 0
  out = 0
}

export class RunCounts {
  readonly runtime: Runtime
  readonly #groups: readonly Group[]
  readonly #last: readonly number[]
  /** Of each group of iterables. */
  readonly #meters: SourceMeter[][]
  /** Of each layer. */
  readonly #stages: StageCounts[][]
  readonly #started: number
  #endedAt: number | undefined = undefined
  #finished = false
  #state: ProgressReport['state'] = 'running'
  readonly #listeners = new Set<() => void>()

  constructor({ groups, last }: Plan, runtime: Runtime) {
    this.runtime = runtime
    this.#groups = groups
    this.#last = last
    this.#meters = groups.map(() => [])
    this.#stages = groups.map(() => [])
    this.#started = runtime.clock.now()
  }

  get over(): boolean {
    return this.#endedAt !== undefined
  }

  // ---- For the flow

  /** For one more source of a group. */
  source(place: number): SourceMeter {
    const meter = new SourceMeter()
    this.#meters[place]?.push(meter)
    return meter
  }

  /** For one more stage of a layer. */
  stage(place: number): StageCounts {
    const counts = new StageCounts()
    this.#stages[place]?.push(counts)
    return counts
  }

  /** It came to its end, before anybody stopped it. */
  finished(): void {
    this.#finished = true
  }

  failed(): void {
    this.#state = 'failed'
  }

  ended(reason: ExitReason): void {
    if (!isOrderly(reason)) this.#state = 'failed'
    if (this.#state === 'running') this.#state = this.#finished ? 'ended' : 'stopped'
    this.#endedAt = this.runtime.clock.now()
    for (const listener of this.#listeners) listener()
    this.#listeners.clear()
  }

  // ---- For who wants to know

  /** Calls back at the end of the run, which is still to come; gives what takes that back. */
  onEnd(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** How far it is now; the rate is that since `before`, or since the start. */
  report(before: ProgressReport | undefined): ProgressReport {
    const elapsed = (this.#endedAt ?? this.runtime.clock.now()) - this.#started
    const read = this.#read
    const done = this.#done
    const interval = elapsed - (before?.elapsed ?? 0)
    return {
      state: this.#state,
      elapsed,
      read,
      emitted: this.#emitted,
      rate: interval > 0 ? ((read - (before?.read ?? 0)) * 1000) / interval : 0,
      done,
      remaining: done === undefined || done === 0 ? undefined : (elapsed * (1 - done)) / done,
      steps: this.#groups.flatMap((group, place) => {
        if (group.kind !== 'layer') return []
        const stages = (this.#stages[place] ?? []).map((counts) => ({ in: counts.in, out: counts.out }))
        const operations = group.step.operations.map(({ kind }) => kind).join(', ')
        return [{ operations, in: sum(stages, 'in'), out: sum(stages, 'out'), stages }]
      }),
    }
  }

  get #read(): number {
    return this.#groups.reduce((read, group, place) => {
      if (group.kind === 'iterables') return read + this.#given(place)
      // Stages that are not ours count nothing, so those behind them do.
      return group.kind === 'layer' && group.inputs.every((input) => this.#isForeign(input))
        ? read + sum(this.#stages[place] ?? [], 'in')
        : read
    }, 0)
  }

  get #emitted(): number {
    return this.#last.reduce((emitted, place) => {
      const iterables = this.#groups[place]?.kind === 'iterables'
      return emitted + (iterables ? this.#given(place) : sum(this.#stages[place] ?? [], 'out'))
    }, 0)
  }

  /** Each source has its share in it by its size; where some are counted in bytes and some in events all have the same. */
  get #done(): number | undefined {
    const meters = this.#meters.flat()
    if (meters.length === 0 || this.#groups.some((_, place) => this.#isForeign(place))) return undefined
    const alike = meters.every(({ bytes }) => (bytes === undefined) === (meters[0]?.bytes === undefined))
    let done = 0
    let weights = 0
    for (const meter of meters) {
      if (meter.done === undefined || meter.size === undefined) return undefined
      const weight = alike ? meter.size : 1
      done += meter.done * weight
      weights += weight
    }
    return weights === 0 ? 1 : done / weights
  }

  #given(place: number): number {
    return (this.#meters[place] ?? []).reduce((given, { events }) => given + events, 0)
  }

  #isForeign(place: number): boolean {
    const kind = this.#groups[place]?.kind
    return kind === 'stages' || kind === 'specs'
  }
}

function sum(counts: readonly Counts[], of: 'in' | 'out'): number {
  return counts.reduce((all, each) => all + each[of], 0)
}
