/** One run of a stream of tasks: the iterator that a loop reads. */

import { failInCallersFrame } from '../../process/call.ts'
import { describeReason, type ExitReason, reasonOf } from '../../process/exit-reason.ts'
import type { Outcome } from '../../process/plain.ts'
import { type Behaviour, Process } from '../../process/process.ts'
import { TaskError } from '../errors.ts'
import { isPromise } from '../server-behaviour.ts'
import type { StreamFunction, StreamOutcome, StreamPlan, StreamSettings } from './async-stream.ts'
import { OutcomeRing } from './outcome-ring.ts'
import type { TaskContext } from './task-context.ts'
import { Slot, TurnDeadline } from './task-slot.ts'

/** Tasks started in one turn of the event loop while more outcomes lie unread than may run, behind a slow one. */
const BURST = 1024

type Step<T, E> = IteratorResult<StreamOutcome<T, E>, undefined>

export class TaskStream<E, T> implements AsyncIterableIterator<StreamOutcome<T, E>, undefined> {
  readonly #plan: StreamPlan
  readonly #settings: StreamSettings
  readonly #source: Iterable<E> | AsyncIterable<E>
  readonly #run: StreamFunction<E, T | PromiseLike<T>>
  /** The function wants no context: it runs without a process. */
  readonly #bare: boolean

  // Where the elements come from: one of the two, from the first `next` on.
  #iterator: Iterator<E> | undefined = undefined
  #asyncIterator: AsyncIterator<E> | undefined = undefined
  #begun = false
  /** An async source was asked and has not answered. */
  #pulling = false
  #exhausted = false
  #closed = false

  readonly #slots: Slot<E, T>[] = []
  readonly #free: Slot<E, T>[] = []
  #running = 0
  #deadline: TurnDeadline | undefined = undefined
  #burst = BURST

  /** Positions are those of the elements when it is ordered, otherwise they count who finished. */
  readonly #outcomes = new OutcomeRing<StreamOutcome<T, E>>()
  #started = 0
  #finished = 0

  // Who waits for an outcome.
  #waiting: Promise<Step<T, E>> | undefined = undefined
  #resolve: ((step: Step<T, E> | PromiseLike<Step<T, E>>) => void) | undefined = undefined
  #reject: (error: unknown) => void = ignore
  /** Who came last found an outcome, so tasks may be started for the next. Who has waited for one may want no other. */
  #ahead = false
  /** Why the stream failed, for the next reader. */
  #failure: (() => unknown) | undefined = undefined

  readonly #ownerEnded = (reason: ExitReason): void => {
    const text = `the stream ended with its owner ${this.#plan.owner}: ${describeReason(reason)}`
    this.#abort(() => new TaskError('exit', text, reason), reason)
  }
  readonly #pulled = (step: IteratorResult<E>): void => {
    this.#pulling = false
    if (this.#closed) return
    if (step.done === true) this.#exhausted = true
    else this.#start(step.value)
    this.#goOn()
  }
  readonly #sourceFailed = (error: unknown): void => {
    this.#pulling = false
    // A source that failed is not closed.
    this.#exhausted = true
    this.#abort(() => error)
  }

  constructor(
    plan: StreamPlan,
    source: Iterable<E> | AsyncIterable<E>,
    run: StreamFunction<E, T | PromiseLike<T>>,
    settings: StreamSettings,
  ) {
    this.#plan = plan
    this.#source = source
    this.#run = run
    this.#settings = settings
    this.#bare = plan.bare === true && run.length < 2
  }

  // ---- Reading

  next(): Promise<Step<T, E>> {
    const waiting = this.#waiting
    if (waiting !== undefined) {
      const again = (): Promise<Step<T, E>> => this.next()
      return waiting.then(again, again)
    }
    if (!this.#begun) this.#begin()
    const outcome = this.#outcomes.take()
    if (outcome !== undefined) {
      this.#ahead = true
      this.#pull()
      return Promise.resolve({ done: false, value: outcome })
    }
    const promise = new Promise<Step<T, E>>((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    this.#waiting = promise
    const failure = this.#failure
    if (failure !== undefined) {
      this.#failure = undefined
      this.#fail(failure)
    } else this.#goOn()
    return promise
  }

  /** The loop was left: what runs is killed, the source is closed. */
  return(): Promise<Step<T, E>> {
    this.#failure = undefined
    if (this.#closed) return Promise.resolve(END)
    // A source that has not answered may never do; it is closed when it does, and nobody waits for it.
    const { promise } = this.#close(this.#pulling)
    this.#answer(END)
    return promise === undefined ? Promise.resolve(END) : promise.then(() => END)
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  #answer(step: Step<T, E>): void {
    const resolve = this.#resolve
    this.#resolve = this.#waiting = undefined
    this.#ahead = false
    resolve?.(step)
  }

  #fail(error: () => unknown): void {
    const resolve = this.#resolve
    this.#resolve = this.#waiting = undefined
    if (resolve === undefined) this.#failure = error
    else failInCallersFrame(resolve, this.#reject, error)
  }

  // ---- Starting

  #begin(): void {
    this.#begun = true
    const { owner } = this.#plan
    const source = this.#source
    if (!owner.alive) return this.#ownerEnded(owner.exitReason ?? 'noproc')
    if (owner !== owner.runtime.main) owner.onEnd(this.#ownerEnded)
    try {
      if (typeof source === 'object' && Symbol.asyncIterator in source) {
        this.#asyncIterator = source[Symbol.asyncIterator]()
      } else this.#iterator = source[Symbol.iterator]()
    } catch (error) {
      this.#sourceFailed(error)
    }
  }

  /** Something has changed: starts what can be started, and ends when all is done. */
  #goOn(): void {
    this.#pull()
    if (this.#running > 0 || this.#pulling || this.#finished > this.#outcomes.head) return
    if (this.#exhausted && !this.#closed) this.#close(true)
    if (this.#closed) this.#answer(END)
  }

  #wants(): boolean {
    const { maxConcurrency } = this.#settings
    if (this.#running >= maxConcurrency || this.#exhausted || this.#pulling || this.#closed) return false
    const unread = this.#finished - this.#outcomes.head
    if (this.#resolve === undefined) return this.#ahead && unread + this.#running < maxConcurrency
    return unread < maxConcurrency || this.#mayBurst()
  }

  /** Tasks that finish at once would not let the event loop turn, and the slow one that they stand behind not finish. */
  #mayBurst(): boolean {
    if (this.#burst === 0) return false
    this.#burst--
    if (this.#burst === 0) {
      this.#plan.owner.runtime.atTurnEnd(() => {
        this.#burst = BURST
        this.#goOn()
      })
    }
    return true
  }

  #pull(): void {
    while (this.#wants()) {
      let step: IteratorResult<E> | undefined
      try {
        if (this.#asyncIterator !== undefined) {
          this.#pulling = true
          void Promise.resolve(this.#asyncIterator.next()).then(this.#pulled, this.#sourceFailed)
          return
        }
        step = this.#iterator?.next()
      } catch (error) {
        return this.#sourceFailed(error)
      }
      if (this.#closed) return
      if (step === undefined || step.done === true) this.#exhausted = true
      else this.#start(step.value)
    }
  }

  #start(element: E): void {
    const slot = this.#free.pop() ?? this.#newSlot(this.#slots.length)
    slot.position = this.#started++
    slot.busy = true
    if (this.#settings.zipInputOnExit) slot.element = element
    slot.deadline = this.#deadlineOfTurn()
    slot.deadline.running++
    this.#running++
    if (!this.#bare) return this.#startProcess(slot, element)
    let result: T | PromiseLike<T>
    try {
      result = (this.#run as (element: E) => T | PromiseLike<T>)(element)
    } catch (error) {
      if (slot.busy) this.#crashed(slot, error)
      return
    }
    if (result instanceof Promise) result.then(slot.succeed, slot.fail)
    else if (isPromise(result)) Promise.resolve(result).then(slot.succeed, slot.fail)
    else this.#settle(slot, { ok: true, value: result })
  }

  #startProcess(slot: Slot<E, T>, element: E): void {
    const { runtime } = this.#plan.owner
    const run = (context: TaskContext): unknown => this.#run(element, context)
    const ended = (outcome: Outcome): void => {
      if (slot.process !== process || !slot.busy) return
      // What follows is nothing that the dead process does.
      const outer = runtime.current
      runtime.current = undefined
      slot.process = undefined
      this.#ended(slot, process, outcome as Outcome<T>)
      this.#goOn()
      runtime.current = outer
    }
    let process: Process
    try {
      process = this.#plan.spawn(run, ended, this.#label)
    } catch (error) {
      slot.busy = false
      return this.#abort(() => error)
    }
    slot.process = process
  }

  get #label(): string {
    return this.#run.name || 'task'
  }

  #newSlot(index: number): Slot<E, T> {
    const slot = new Slot<E, T>(
      index,
      (value) => {
        if (!slot.busy) return
        this.#settle(slot, { ok: true, value })
        this.#goOn()
      },
      (error) => {
        if (!slot.busy) return
        this.#crashed(slot, error)
        this.#goOn()
      },
    )
    this.#slots[index] = slot
    return slot
  }

  // ---- Finishing

  /** A task without a process failed: it gets one, so that its end is told like that of any other. */
  #crashed(slot: Slot<E, T>, thrown: unknown): void {
    const { owner } = this.#plan
    const reason = reasonOf(thrown)
    const process = new Process(owner.runtime, owner, this.#label)
    process.behaviour = nothing
    process.exit(reason, 'crashed')
    this.#ended(slot, process, { ok: false, exit: reason })
  }

  /** A task ended. Its failure ends an owner linked to it, and so the stream; otherwise it is an element. */
  #ended(slot: Slot<E, T>, process: Process, outcome: Outcome<T>): void {
    if (outcome.ok) return this.#settle(slot, outcome)
    const { owner, linked } = this.#plan
    if (linked && owner !== owner.runtime.main && owner.trap !== 'all') {
      owner.signal(process, outcome.exit)
      if (!owner.alive) return
    }
    this.#settleFailure(slot, outcome.exit)
  }

  #settleFailure(slot: Slot<E, T>, exit: ExitReason): void {
    const { zipInputOnExit } = this.#settings
    this.#settle(slot, zipInputOnExit ? { ok: false, exit, input: slot.element } : { ok: false, exit })
  }

  /** Frees the slot and keeps the outcome, or hands it to who waits. */
  #settle(slot: Slot<E, T>, outcome: StreamOutcome<T, E>): void {
    if (this.#closed) return
    this.#release(slot)
    this.#free.push(slot)
    const position = this.#settings.ordered ? slot.position : this.#finished
    this.#finished++
    if (this.#resolve !== undefined && position === this.#outcomes.head) {
      this.#outcomes.skip()
      return this.#answer({ done: false, value: outcome })
    }
    this.#outcomes.put(position, outcome)
  }

  #release(slot: Slot<E, T>): void {
    slot.busy = false
    slot.element = undefined
    this.#running--
    const { deadline } = slot
    slot.deadline = undefined
    if (deadline !== undefined && --deadline.running === 0 && deadline !== this.#deadline)
      this.#removeDeadline(deadline)
  }

  // ---- Timeouts

  /** The tasks that are started in one turn of the event loop share one deadline. */
  #deadlineOfTurn(): TurnDeadline {
    const current = this.#deadline
    if (current !== undefined && current.deadlineList === undefined) return current
    if (current?.running === 0) this.#removeDeadline(current)
    const { runtime } = this.#plan.owner
    const deadline = new TurnDeadline((expired) => this.#expired(expired))
    this.#deadline = deadline
    runtime.deadlines.add(deadline, this.#settings.timeout)
    runtime.scheduler.markTurn()
    return deadline
  }

  #removeDeadline(deadline: TurnDeadline): void {
    this.#plan.owner.runtime.deadlines.remove(deadline)
  }

  #expired(deadline: TurnDeadline): void {
    if (this.#deadline === deadline) this.#deadline = undefined
    if (deadline.running === 0) return
    const { onTimeout, timeout } = this.#settings
    if (onTimeout === 'exit') {
      const text = `a task of the stream was not done within ${timeout} ms; the stream was closed`
      return this.#abort(() => new TaskError('timeout', text, undefined))
    }
    for (const slot of this.#slots.filter((each) => each.deadline === deadline)) {
      // Its task may still call back, so the slot is left to it.
      const fresh = this.#newSlot(slot.index)
      fresh.position = slot.position
      fresh.element = slot.element
      fresh.deadline = deadline
      slot.busy = false
      this.#end(slot)
      this.#settleFailure(fresh, 'timeout')
    }
    this.#goOn()
  }

  // ---- Closing

  #end({ process }: Slot<E, T>, reason?: ExitReason): void {
    if (process === undefined) return
    if (this.#plan.end !== undefined) this.#plan.end(process)
    else if (reason !== undefined) process.exit(reason, 'signalled')
    else process.kill()
  }

  /** The stream failed, or its owner ended with a reason, which its tasks share. */
  #abort(error: () => unknown, reason?: ExitReason): void {
    if (this.#closed) return
    this.#close(true, reason)
    this.#fail(error)
  }

  /** Ends the tasks and closes the source; `quietly`, when nobody is to hear how that went. */
  #close(quietly: boolean, reason?: ExitReason): { readonly promise: Promise<unknown> | undefined } {
    this.#closed = this.#begun = true
    this.#plan.owner.offEnd(this.#ownerEnded)
    if (this.#deadline !== undefined) this.#removeDeadline(this.#deadline)
    for (const slot of this.#slots) {
      if (slot.deadline !== undefined) this.#removeDeadline(slot.deadline)
      if (!slot.busy) continue
      slot.busy = false
      this.#end(slot, reason)
    }
    this.#running = 0
    this.#finished = this.#outcomes.head
    this.#outcomes.clear()
    const promise = this.#closeSource()
    if (!quietly || promise === undefined) return { promise }
    promise.then(ignore, ignore)
    return { promise: undefined }
  }

  #closeSource(): Promise<unknown> | undefined {
    if (this.#exhausted) return undefined
    this.#exhausted = true
    const iterator = this.#iterator ?? this.#asyncIterator
    if (iterator?.return === undefined) return undefined
    try {
      return Promise.resolve(iterator.return())
    } catch (error) {
      return Promise.reject(error)
    }
  }
}

const END = { done: true, value: undefined } as const

const nothing: Behaviour = { receive() {}, crashed() {}, ended() {} }

function ignore(): void {}
