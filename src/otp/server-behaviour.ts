/**
 * The loop of a server: takes a message, runs the callback to its end, answers, then does what the callback asked for
 * (stop, continue, wait with a timeout). Stages build on it. Callbacks that return synchronously are never awaited.
 */

import { type Call, isCall } from '../process/call.ts'
import type { Timer } from '../process/clock.ts'
import { type ExitReason, reasonOf } from '../process/exit-reason.ts'
import { Later } from '../process/later.ts'
import { DRAIN, EXIT, isCast, isCastOne, type Method, payloadOf, STOP, type Tag, TIMER } from '../process/message.ts'
import type { Behaviour, Cause, Process } from '../process/process.ts'
import { Exit } from '../process/signals.ts'
import type { Definition } from './definition.ts'
import type { GenServer } from './gen-server.ts'
import type { Starting } from './start.ts'

/** Arrives at `handleInfo` when nothing else did for as long as `this.idleTimeout(ms)` said. */
export const timeout: unique symbol = Symbol('timeout')

/** True for anything with a `then`. */
export function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'
}

/** What a callback has asked to end with. */
interface StopRequest {
  readonly reason: ExitReason
  readonly cause: Cause
  /** The reply of the call that asked for it goes out after `terminate`. */
  reply?: (() => void) | undefined
}

/** The wish to be told when nothing comes. */
class IdleTimeout {
  /** Milliseconds, as long as the callback that asked for it runs. */
  ms: number | undefined = undefined
  timer: Timer | undefined = undefined
  /** Tells a timeout that was disarmed, but already lies in the mailbox, from the current one. */
  round = 0
}

export class ServerBehaviour implements Behaviour {
  readonly process: Process
  readonly definition: Definition
  /** Set when the constructor has run, before anything else. */
  instance!: GenServer
  /** A callback asked for something: to stop, to continue, to be told when nothing comes. */
  #asked = false
  #continues: unknown[] | undefined = undefined
  /** Only of those that have asked for an idle timeout. */
  #idle: IdleTimeout | undefined = undefined
  #stop: StopRequest | undefined = undefined
  #terminating = false
  /** While it starts, a failure rejects `start` and nothing is terminated. */
  #starting: Starting | undefined = undefined

  constructor(process: Process, definition: Definition) {
    this.process = process
    this.definition = definition
  }

  /** It will be drained: until then it does not end because others, in whose work it has a part, have finished. */
  drainAnnounced = false

  announceDrain(): void {
    this.drainAnnounced = true
  }

  /** Events flow through it, to others: these are drained after it. */
  get flows(): boolean {
    return false
  }

  /** The processes whose events it takes: these are drained before it. */
  get upstream(): readonly Process[] {
    return []
  }

  // ---- Start

  /** Takes the options that the base class and the starter gave; refuses by throwing. */
  configure(_instance: GenServer, _options: Readonly<Record<string, unknown>>): void {}

  /** Runs `init` and tells the start how that went. */
  begin(instance: GenServer, starting: Starting): void {
    this.instance = instance
    if (this.definition.hasTerminate && this.process.trap === 'none') this.process.trap = 'parent'
    this.#starting = starting
    const initialising = this.definition.hasInit ? instance.init() : undefined
    if (isPromise(initialising)) {
      this.process.awaiting = 'init'
      this.process.await(initialising, () => this.#ready(starting))
    } else this.#ready(starting)
  }

  #ready(starting: Starting): void {
    this.initialised()
    this.#starting = undefined
    starting.started()
    if (this.#asked) this.process.schedule(() => this.finish())
  }

  /** `init` is done, the start not yet reported: what a layer above does now may still refuse by throwing. */
  protected initialised(): void {}

  // ---- Messages

  receive(tag: Tag, payload: unknown): void {
    if (tag !== TIMER) this.disarmIdle()
    if (isCall(tag)) this.#handleCall(tag, payloadOf(tag, payload))
    else if (isCastOne(tag)) this.#handleCast(tag.subject, [payload])
    else if (isCast(tag)) this.#handleCast(tag.subject, payloadOf(tag, payload))
    else this.#handleOther(tag, payload)
  }

  #handleOther(tag: Tag, payload: unknown): void {
    if (tag === STOP) return this.stopped(payloadOf(STOP, payload), 'stopped')
    if (tag === DRAIN) return this.drain(payloadOf(DRAIN, payload))
    if (payload instanceof Exit && tag === EXIT && payload.from === this.process.parent?.ref) {
      return this.stopped(payload.reason, 'signalled')
    }
    if (tag !== TIMER) this.#handleInfo(payload)
    else if (payload === this.#idle?.round) this.#handleInfo(timeout)
  }

  #handleCall(call: Call, args: unknown[]): void {
    const result = call.subject.apply(this.instance, args)
    if (isPromise(result)) {
      this.process.awaiting = `${call.method}()`
      this.process.await(result, (value) => this.#answer(call, value))
    } else this.#answer(call, result)
  }

  #answer(call: Call, value: unknown): void {
    if (value instanceof Later) Later.bind(value, call)
    else if (this.#stop !== undefined) this.#stop.reply = () => call.reply(value)
    else call.reply(value)
    this.finish()
  }

  #handleCast(method: Method, args: unknown[]): void {
    const result = method.apply(this.instance, args)
    if (isPromise(result)) {
      this.process.awaiting = `${method.name}()`
      this.process.await(result, (value) => this.#finishCast(value))
    } else this.#finishCast(result)
  }

  #finishCast(value: unknown): void {
    if (value instanceof Later) Later.bind(value, undefined)
    this.finish()
  }

  #handleInfo(message: unknown): void {
    this.afterCallback('handleInfo', this.instance.handleInfo(message))
  }

  /** The message whose callback runs now, in its synchronous part. */
  get messageInHand(): Tag | undefined {
    const { mailbox, runtime } = this.process
    return mailbox.inHand && runtime.current === this.process ? mailbox.tag : undefined
  }

  /** Waits for what a callback returned, if it is a promise, and goes on with what it asked for. */
  protected afterCallback(callback: string, result: unknown): void {
    if (isPromise(result)) {
      this.process.awaiting = callback
      this.process.await(result, () => this.finish())
    } else this.finish()
  }

  /** A callback is done: does what it asked for, the most urgent first. */
  finish(): void {
    // One that is awaited comes back here.
    if (this.#asked && !this.process.held) this.#doWhatWasAsked()
  }

  #doWhatWasAsked(): void {
    this.#asked = false
    if (this.#stop !== undefined) return this.stopped(this.#stop.reason, this.#stop.cause)
    if (this.#continues !== undefined) {
      const step = this.#continues.shift()
      if (this.#continues.length === 0) this.#continues = undefined
      this.#asked = true
      return this.afterCallback('handleContinue', this.instance.handleContinue(step))
    }
    if (this.#idle?.ms !== undefined) this.#arm(this.#idle, this.#idle.ms)
  }

  /** The reason that a callback asked to stop with. */
  get stopReason(): ExitReason | undefined {
    return this.#stop?.reason
  }

  /** True when a callback asked to stop: nothing more is handled. */
  get stopRequested(): boolean {
    return this.#stop !== undefined
  }

  // ---- What callbacks ask for

  requestStop(reason: ExitReason, cause: Cause = 'stopped'): void {
    if (this.#stop !== undefined || this.#terminating || !this.process.alive) return
    this.#stop = { reason, cause }
    this.#asked = true
    this.process.stopping = true
    // Asked for beside a callback, as in a promise that was not awaited: nothing else would notice.
    if (this.process.runtime.current !== this.process && !this.process.held) {
      this.process.deliver(STOP, reason)
    }
  }

  requestContinue(step: unknown): void {
    ;(this.#continues ??= []).push(step)
    this.#asked = true
  }

  requestIdleTimeout(ms: number): void {
    this.#idle ??= new IdleTimeout()
    this.#idle.ms = ms
    this.#asked = true
  }

  #arm(idle: IdleTimeout, ms: number): void {
    idle.ms = undefined
    this.disarmIdle()
    if (this.process.mailbox.size > 0) return
    const round = ++idle.round
    // An idle process does not keep the program alive.
    idle.timer = this.process.setTimer(ms, () => this.process.deliver(TIMER, round), false)
  }

  /** Something came: nobody is told that nothing did. */
  protected disarmIdle(): void {
    const idle = this.#idle
    if (idle?.timer === undefined) return
    idle.timer.cancel()
    idle.timer = undefined
    idle.round++
  }

  // ---- End

  /** Finishes what is held, then stops. */
  protected drain(reason: ExitReason): void {
    this.requestStop(reason)
    this.afterCallback('handleDrain', this.instance.handleDrain())
  }

  crashed(thrown: unknown): void {
    if (!this.process.alive) return
    if (this.#starting !== undefined) {
      const starting = this.#starting
      this.#starting = undefined
      return starting.refuse(thrown)
    }
    // What `terminate` throws replaces the reason.
    if (this.#terminating) return this.process.exit(reasonOf(thrown), 'crashed')
    this.stopped(reasonOf(thrown), 'crashed')
  }

  /** Runs `terminate`, sends the last reply, and ends. */
  stopped(reason: ExitReason, cause: Cause): void {
    if (this.#terminating || !this.process.alive) return
    this.#terminating = true
    this.process.stopping = true
    const end = (): void => {
      this.#stop?.reply?.()
      this.process.exit(reason, cause)
    }
    if (!this.definition.hasTerminate) return end()
    let result: unknown
    try {
      result = this.instance.terminate(reason)
    } catch (thrown) {
      return this.process.exit(reasonOf(thrown), 'crashed')
    }
    if (!isPromise(result)) return end()
    const deadline = this.definition.stubs.stopTimeout
    // For a process that stops by itself: who requests a stop sets another deadline, which may be later.
    if (deadline !== Infinity && !this.process.stopTimed) this.process.setTimer(deadline, () => this.process.kill())
    this.process.awaiting = 'terminate'
    this.process.await(result, end)
  }

  ended(_reason: ExitReason): void {
    this.#starting?.refuse(this.process.exitReason)
    this.#starting = undefined
    this.#idle = undefined
  }
}
