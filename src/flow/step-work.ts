/**
 * What one stage of a layer does: a batch comes in, goes through the functions over batches, is cut by the window, goes
 * through the operations of each pane; what comes out is the stage's. The stage itself knows only this.
 */

import { isPromise } from '../otp/server-behaviour.ts'
import { batchersOf, throughBatchers } from './batchers.ts'
import type { Intake } from './intake.ts'
import type { Sides } from './join/sides.ts'
import type { BatchOperation, Eventually, FlowStage } from './operation.ts'
import { stageContext } from './stage-context.ts'
import { Output, type StepInStage, StepPane } from './step-pane.ts'
import { firings } from './window/periodic-trigger.ts'
import type { OpenWindow, WindowDefinition, WindowHost, WindowStep } from './window/window.ts'

type Events = readonly unknown[]

/** A step for one stage, with what it needs of the stage. */
export interface StepWorkOptions extends StepInStage {
  readonly definition: WindowDefinition<never>
  /** What the events are made of before the step sees them. Default: they are what arrives. */
  readonly intake?: Intake | undefined
  /** Calls back after `ms` milliseconds, between two batches. */
  readonly after: (ms: number, callback: () => Eventually<Events>) => { cancel(): void }
  /** Told of events that were dropped, because their window was over. */
  readonly late: (count: number) => void
  /** Calls back before the next batch. */
  readonly soon: (callback: () => Eventually<Events>) => void
}

export class StepWork {
  readonly #batchers: readonly BatchOperation[]
  readonly #stage: FlowStage
  readonly #intake: Intake | undefined
  readonly #join: Sides | undefined
  /** What makes one producer of all, as far as the window knows: a departition, whose events are of all of them. */
  readonly #merged: object | undefined
  readonly #output = new Output()
  readonly #window: OpenWindow<StepPane>
  readonly #timers = new Set<{ cancel(): void }>()
  /** The panes that have not closed. */
  readonly #open = new Set<StepPane>()
  #ended = false

  constructor(options: StepWorkOptions) {
    // Behind a join they get rows, which its panes make.
    this.#batchers = options.join === undefined ? batchersOf(options.operations) : []
    this.#stage = options.stage
    this.#intake = options.intake
    this.#join = options.join
    this.#merged = options.join === undefined ? options.intake : undefined
    const after: WindowHost<StepPane>['after'] = (ms, steps) => {
      const timer = options.after(ms, () => {
        this.#timers.delete(timer)
        return this.#ended ? [] : this.#perform(steps())
      })
      this.#timers.add(timer)
      return timer
    }
    const context = stageContext(options.stage, {
      now: (name) => options.soon(() => (this.#ended ? [] : this.#perform(firings(host, name)))),
      after: (ms, name) => void after(ms, () => firings(host, name)),
    })
    const host: WindowHost<StepPane> = {
      pane: (id, more) => {
        const pane = new StepPane(options, id, this.#output, context, more)
        this.#open.add(pane)
        return pane
      },
      panes: () => [...this.#open].sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0)),
      after,
      late: options.late,
    }
    this.#window = options.definition.open(host)
    if (this.#merged !== undefined) this.#window.joined?.(this.#merged)
  }

  /** What a batch from a producer becomes. */
  batch(events: Events, from: object): Eventually<Events> {
    return this.#batch(this.#intake === undefined ? events : this.#intake.batch(events, from), this.#merged ?? from)
  }

  /** A producer begins to send. */
  joined(from: object): void {
    if (this.#merged === undefined) this.#window.joined?.(from)
  }

  /** A producer will send no more, others go on. */
  left(from: object): Eventually<Events> {
    const steps = this.#merged === undefined ? this.#window.left?.(from) : undefined
    return steps === undefined ? [] : this.#perform(steps)
  }

  /** The input has ended: what is left. Nothing fires after it. */
  end(): Eventually<Events> {
    const late = this.#intake?.end() ?? []
    if (late.length === 0) return this.#close()
    const before = this.#batch(late, this.#merged ?? this)
    return isPromise(before)
      ? Promise.resolve(before).then((events) => this.#closeAfter(events))
      : this.#closeAfter(before)
  }

  /** Lets go of its timers. */
  cancel(): void {
    this.#ended = true
    for (const timer of this.#timers) timer.cancel()
    this.#timers.clear()
  }

  #closeAfter(before: Events): Eventually<Events> {
    const after = this.#close()
    return isPromise(after) ? after.then((events) => before.concat(events)) : before.concat(after)
  }

  #close(): Eventually<Events> {
    this.cancel()
    return this.#perform(this.#window.end())
  }

  #batch(given: Events, from: object): Eventually<Events> {
    if (this.#batchers.length === 0) return this.#opened(given, from)
    const events = throughBatchers(this.#batchers, given, this.#stage)
    return isPromise(events) ? events.then((later) => this.#opened(later, from)) : this.#opened(events, from)
  }

  /** What the window makes of events that have gone through the functions over batches. */
  #opened(events: Events, from: object): Eventually<Events> {
    this.#output.expect(events.length)
    return this.#perform(this.#window.batch(events, from))
  }

  /** Does what the window says, in order; what was emitted meanwhile. */
  #perform(steps: Iterable<WindowStep<StepPane>>): Eventually<Events> {
    const left = steps[Symbol.iterator]()
    for (let step = left.next(); step.done !== true; step = left.next()) {
      const pending = this.#do(step.value)
      if (pending !== undefined) return this.#performRest(pending, left)
    }
    return this.#output.take()
  }

  async #performRest(pending: PromiseLike<void>, left: Iterator<WindowStep<StepPane>>): Promise<Events> {
    await pending
    for (let step = left.next(); step.done !== true; step = left.next()) await this.#do(step.value)
    return this.#output.take()
  }

  #do(step: WindowStep<StepPane>): void | PromiseLike<void> {
    if ('events' in step) {
      if (step.from !== undefined) this.#join?.turn(step.from)
      return step.pane.feed(step.events)
    }
    if (step.closes) this.#open.delete(step.pane)
    return step.pane.fire(step)
  }
}
