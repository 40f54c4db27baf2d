/**
 * The loop of a ConsumerSupervisor: it starts a child for each event, counts the places that children leave free, and asks
 * for as many events. The children themselves are those of any dynamic supervisor.
 */

import { StartError } from '../../otp/errors.ts'
import { DynamicChildren } from '../../otp/supervision/dynamic-children.ts'
import type { ChildCounts, ChildInfo } from '../../otp/supervision/supervised-child.ts'
import { type ExitReason, isOrderly } from '../../process/exit-reason.ts'
import { EXIT, INFO, type Tag } from '../../process/message.ts'
import { Process } from '../../process/process.ts'
import type { Ref } from '../../process/ref.ts'
import { Exit } from '../../process/signals.ts'
import type { Info } from '../buffer.ts'
import { ConsumingBehaviour } from '../consuming-behaviour.ts'
import { StageError } from '../errors.ts'
import { type Replaced, reportExcess } from '../inlet.ts'
import { optionsOf, type Stage } from '../stage.ts'
import type { Subscription } from '../subscription.ts'
import type { SubscriptionOptions } from '../subscription-options.ts'
import { type ConsumerSupervisorOptions, checkConsumerSupervisorOptions } from './consumer-supervisor-options.ts'
import { ChildDeadline, type EventChild } from './event-child.ts'
import { EventTasks, type EventTasksHost } from './event-tasks.ts'
import type { EventWork } from './event-work.ts'
import { Intake } from './intake.ts'

export class ConsumerSupervisorBehaviour extends ConsumingBehaviour implements EventTasksHost {
  override readonly outlet = undefined
  readonly #intakes = new WeakMap<Subscription, Intake>()
  /** Milliseconds that a child may take. */
  timeout: number = Infinity
  #work!: EventWork
  #children!: DynamicChildren<EventChild>
  /** For a function that wants no context. */
  #tasks: EventTasks | undefined = undefined
  /** Ends a drain that takes too long. */
  #drainTimed = false

  // ---- Start

  override configure(instance: Stage, options: Readonly<Record<string, unknown>>): void {
    const given = optionsOf(instance) as ConsumerSupervisorOptions<unknown>
    const { work, timeout, ...intensity } = checkConsumerSupervisorOptions(this.definition.name, given)
    this.#work = work
    this.timeout = timeout
    this.#children = new DynamicChildren<EventChild>(
      instance,
      { maxChildren: Infinity, ...intensity },
      (child, restarts) => this.#start(child, restarts),
      (child) => this.#gone(child),
    )
    if (work.bare !== undefined) this.#tasks = new EventTasks(this, work.bare)
    super.configure(instance, options)
  }

  protected override initialised(): void {
    this.#children.begin(() => this.#tasks?.materialise())
    super.initialised()
  }

  // ---- Messages

  override receive(tag: Tag, payload: unknown): void {
    const ofChild = tag === EXIT ? payload instanceof Exit && payload.from !== this.process.parent?.ref : tag === INFO
    const handled = ofChild ? this.#children.handle(payload) : 'no child'
    if (handled === 'no child') super.receive(tag, payload)
    else this.callback('the restart of a child', handled, () => this.finish())
  }

  protected override info(info: Info): void {
    info()
  }

  protected override returned(_callback: string, value: unknown): void {
    this.handled(value)
  }

  override handled(result: unknown): void {
    if (result === undefined) return
    const text = `${this.process} is a consumer and returned something from a callback; it was dropped. A ProducerConsumer emits`
    this.process.runtime.logger.error({ process: `${this.process}` }, text)
  }

  // ---- Demand

  override subscribe(producer: Process, options: SubscriptionOptions, replaced?: Replaced): Subscription {
    const subscription = super.subscribe(producer, options, replaced)
    const { inflow } = subscription
    if (inflow === undefined) return subscription
    if (!inflow.automatic && !this.stopRequested) {
      const text = `handleSubscribe of ${this.process} returned manual, expected nothing: it asks as its children end`
      throw new StageError('bad_return', text)
    }
    this.#intakes.set(subscription, new Intake(subscription, inflow.min, inflow.max))
    return subscription
  }

  // ---- Events

  protected override eventsArrived(subscription: Subscription, events: readonly unknown[]): void {
    const intake = this.#intakes.get(subscription)
    if (intake === undefined) return
    const excess = intake.begin(events.length)
    if (excess > 0) reportExcess(this.process, subscription, excess)
    this.#startFrom(0, events, intake)
  }

  /** Starts the children of the events from an index on, one after another. */
  #startFrom(index: number, events: readonly unknown[], intake: Intake): void {
    const { process } = this
    for (let next = index; next < events.length; next++) {
      const starting = this.#startFor(events[next], intake)
      if (starting !== undefined) {
        process.awaiting = 'the start of a child'
        return process.await(starting, () => this.#startFrom(next + 1, events, intake))
      }
      // A callback asked to stop, or the process was killed: nobody would stop what is started now.
      if (this.stopRequested || !process.alive) break
    }
    intake.end()
    this.settled()
  }

  /** Starts the child of an event; a promise when that takes time. */
  #startFor(event: unknown, intake: Intake): Promise<void> | undefined {
    if (this.#tasks !== undefined) {
      this.#tasks.start(event, intake)
      return undefined
    }
    let child: EventChild | undefined
    try {
      child = this.#work.childFor(event, intake)
      const added = this.#children.add(child)
      if (!(added instanceof Promise)) return this.#added(added, intake)
      return added.then(
        (ref) => this.#added(ref, intake),
        (error: unknown) => this.#notStarted(error, intake),
      )
    } catch (error) {
      // A specification that is refused would be for every event.
      if (child === undefined && error instanceof StartError) throw error
      return this.#notStarted(error, intake)
    }
  }

  #added(ref: Ref | undefined, intake: Intake): undefined {
    // Who declined to run is done.
    if (ref === undefined) intake.free()
  }

  #notStarted(error: unknown, intake: Intake): undefined {
    const { process } = this
    const text = `${process} could not start a child for an event, which is lost: ${error instanceof Error ? error.message : String(error)}`
    process.runtime.logger.error({ process: `${process}`, err: error }, text)
    intake.free()
  }

  // ---- Children

  /** Starts the process of a child, at first or again. */
  #start(child: EventChild, restarts: number): Process | Promise<Process> {
    const started = this.#work.start(child, this.process, restarts)
    if (this.timeout === Infinity) return started
    return started instanceof Process ? this.#limited(started) : started.then((process) => this.#limited(process))
  }

  #limited(process: Process): Process {
    const deadline = new ChildDeadline(this.process, this.timeout, () => process)
    process.onEnd(() => deadline.cancel())
    return process
  }

  #gone({ intake }: EventChild): void {
    if (intake !== undefined) this.taskDone(intake)
    else if (this.draining !== undefined) this.#endWhenDone()
  }

  taskDone(intake: Intake): void {
    intake.free()
    if (this.draining !== undefined) this.#endWhenDone()
  }

  adopt(process: Process, event: unknown, intake: Intake): void {
    this.#children.adopt(this.#work.childFor(event, intake), process)
  }

  // ---- API

  startChild(event: unknown): Ref | undefined | Promise<Ref | undefined> {
    return this.#children.add(this.#work.childFor(event, undefined))
  }

  terminateChild(ref: Ref): void | Promise<void> {
    return this.#children.terminate(ref)
  }

  whichChildren(): readonly ChildInfo<undefined>[] {
    this.#tasks?.materialise()
    return this.#children.which()
  }

  /** One specification, however many children were made from it. */
  countChildren(): ChildCounts {
    const { active, supervisors, workers } = this.#children.count()
    const tasks = this.#tasks?.running ?? 0
    return { specs: 1, active: active + tasks, supervisors, workers: workers + tasks }
  }

  // ---- End

  /** When a producer ends in order, so do the children: what it sent is not lost. */
  protected override follow(reason: ExitReason): void {
    if (!isOrderly(reason)) return super.follow(reason)
    this.draining = reason
    for (const subscription of this.inlet.producers) subscription.cancel('normal')
  }

  protected override drain(reason: ExitReason): void {
    this.#drainTimed = true
    super.drain(reason)
  }

  protected override settled(): void {
    this.#endWhenDone()
    this.finish()
  }

  /** A stage that drains ends with its last child, when no more events can come. */
  #endWhenDone(): void {
    if (this.draining === undefined || !this.inlet.empty) return
    const reason = this.draining
    if (this.#children.size === 0 && (this.#tasks === undefined || this.#tasks.running === 0)) {
      return this.requestStop(reason)
    }
    if (!this.#drainTimed) return
    this.#drainTimed = false
    this.#tasks?.materialise()
    this.process.setTimer(this.#children.expectEnds(), () => this.requestStop(reason))
  }

  /** Stops all children at once, each within its own time. */
  stopChildren(): Promise<void> {
    this.#tasks?.materialise()
    return this.#children.stopAll()
  }

  /** The children are linked to it, so they end with it. */
  override ended(reason: ExitReason): void {
    this.#tasks?.materialise()
    super.ended(reason)
  }
}
