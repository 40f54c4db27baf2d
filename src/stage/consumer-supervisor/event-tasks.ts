/**
 * The tasks of a supervisor that runs a function for each event, without a process of their own: a function that wants no
 * context does not need one. A task gets its process when somebody could tell the difference: when the children are looked
 * at, when it fails or takes too long, and when the supervisor ends. From then on it is a child like any other.
 */

import { isPromise } from '../../otp/server-behaviour.ts'
import { spawnTask } from '../../otp/task/spawn-task.ts'
import { tasks } from '../../otp/task/task.ts'
import type { Process } from '../../process/process.ts'
import { ChildDeadline } from './event-child.ts'
import type { Intake } from './intake.ts'

/** A function that wants no context. */
export interface BareTask {
  /** What reports call it. */
  readonly label: string
  readonly run: (event: unknown) => unknown
}

/** What becomes of tasks. */
export interface EventTasksHost {
  readonly process: Process
  /** Milliseconds that a task may take. */
  readonly timeout: number
  /** A task is done, and never had a process. */
  taskDone(intake: Intake): void
  /** A task got a process, which is a child from now on. */
  adopt(process: Process, event: unknown, intake: Intake): void
}

export class EventTasks {
  readonly #host: EventTasksHost
  readonly #run: (event: unknown) => unknown
  readonly #label: string
  readonly #slots = new Set<Slot>()
  readonly #free: Slot[] = []
  #running = 0

  constructor(host: EventTasksHost, { run, label }: BareTask) {
    this.#host = host
    this.#run = run
    this.#label = label
  }

  /** Tasks that run without a process. */
  get running(): number {
    return this.#running
  }

  start(event: unknown, intake: Intake): void {
    const slot = this.#free.pop() ?? this.#newSlot()
    slot.event = event
    slot.intake = intake
    this.#running++
    const { timeout, process } = this.#host
    if (timeout !== Infinity)
      slot.deadline = new ChildDeadline(process, timeout, () => this.#materialise(slot)?.process)
    let result: unknown
    try {
      result = this.#run(event)
    } catch (error) {
      return this.#failed(slot, error)
    }
    if (result instanceof Promise) result.then(slot.succeed, slot.fail)
    else if (isPromise(result)) Promise.resolve(result).then(slot.succeed, slot.fail)
    else this.#done(slot)
  }

  /** Gives a process to every task that runs. */
  materialise(): void {
    for (const slot of this.#slots) if (slot.intake !== undefined) this.#materialise(slot)
  }

  #newSlot(): Slot {
    const slot = new Slot(
      () => this.#done(slot),
      (error) => this.#failed(slot, error),
    )
    this.#slots.add(slot)
    return slot
  }

  #done(slot: Slot): void {
    const { intake, task } = slot
    if (intake === undefined) return
    this.#leave(slot)
    if (task !== undefined) return task.succeed()
    this.#running--
    this.#host.taskDone(intake)
  }

  #failed(slot: Slot, error: unknown): void {
    const task = this.#materialise(slot)
    if (task === undefined) return
    this.#leave(slot)
    task.fail(error)
  }

  #materialise(slot: Slot): LateTask | undefined {
    const { intake, event } = slot
    if (intake === undefined || slot.task !== undefined) return slot.task
    const task = new LateTask(this.#host.process, this.#label, () => this.#abandon(slot, task))
    slot.task = task
    this.#running--
    this.#host.adopt(task.process, event, intake)
    return task
  }

  /** A task has ended, and its slot is free. */
  #leave(slot: Slot): void {
    slot.release()
    this.#free.push(slot)
  }

  /** The process of a task was ended by somebody. Its function still runs and may call back, so the slot is left to it. */
  #abandon(slot: Slot, task: LateTask): void {
    if (slot.task !== task) return
    slot.release()
    this.#slots.delete(slot)
  }
}

/** The place of one running task; used again and again, so that a task makes no functions of its own. */
class Slot {
  event: unknown = undefined
  /** Set while a task runs in it. */
  intake: Intake | undefined = undefined
  task: LateTask | undefined = undefined
  deadline: ChildDeadline | undefined = undefined
  readonly succeed: () => void
  readonly fail: (error: unknown) => void

  constructor(succeed: () => void, fail: (error: unknown) => void) {
    this.succeed = succeed
    this.fail = fail
  }

  release(): void {
    this.deadline?.cancel()
    this.event = this.intake = this.task = this.deadline = undefined
  }
}

/** A task that got its process while its function ran: the process waits for the function. */
class LateTask {
  readonly process: Process
  succeed!: () => void
  fail!: (error: unknown) => void

  constructor(supervisor: Process, label: string, ended: () => void) {
    const outcome = new Promise<void>((resolve, reject) => {
      this.succeed = resolve
      this.fail = reject
    })
    // When much else runs, the process comes to wait for it in a later turn of the event loop.
    outcome.catch(() => {})
    this.process = spawnTask({ owner: supervisor, parent: supervisor, label, run: () => outcome, ended }, tasks)
    supervisor.link(this.process)
  }
}
