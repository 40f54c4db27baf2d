/**
 * A process: a mailbox, the behaviour that handles its messages one at a time, and its bonds with others. The kernel only
 * knows this class; what a server or a stage does with a message is its behaviour's business.
 *
 * Life: it is made, runs when it has messages, may be held by a promise that its behaviour awaits, and ends once, by
 * `exit`. From then on it is dead for everyone, whatever its callback in hand still does.
 */

import { setMaxListeners } from 'node:events'
import { channels } from '../telemetry/channels.ts'
import { type Call, isCall } from './call.ts'
import type { Timer } from './clock.ts'
import { describeReason, type ExitReason, reasonOf } from './exit-reason.ts'
import { Mailbox } from './mailbox.ts'
import { EXIT, type Tag } from './message.ts'
import type { Name } from './name.ts'
import { ProcessRef } from './ref.ts'
import type { Runtime } from './runtime.ts'
import { Down, Exit, type Monitor } from './signals.ts'
import type { Stubs } from './stubs.ts'
import { Watch } from './watch.ts'

/** What runs inside a process. */
export interface Behaviour {
  /** Handles one message; a throw is passed to `crashed`. May hold the mailbox with `Process.await`. */
  receive(tag: Tag, payload: unknown): void
  /** A callback threw or rejected: ends the process, after what has to be done first. */
  crashed(thrown: unknown): void
  /** The process is dead: lets go of what the behaviour holds. Runs no user code. */
  ended(reason: ExitReason): void
}

/** Which exit signals become messages instead of ending the process. */
export type Trap = 'none' | 'parent' | 'all'

/** How the process came to its end: it decides what is reported. */
export type Cause = 'stopped' | 'crashed' | 'signalled'

/** Called once when a process is dead. */
type EndListener = (reason: ExitReason) => void

const ALIVE = 0
const HELD = 1
const DEAD = 2
const BURIED = 3

export class Process {
  readonly id: number
  readonly runtime: Runtime
  /** What people call it: its class, or its name. */
  label: string
  readonly parent: Process | undefined
  readonly ref: ProcessRef
  /** Set right after the process is made, before anything can reach it. */
  behaviour!: Behaviour
  stubs: Stubs | undefined = undefined
  name: Name | undefined = undefined
  trap: Trap = 'none'
  /** A stop was requested, by a message or by the parent's exit. */
  stopping = false
  /** Whoever requested the stop has set a deadline for it. */
  stopTimed = false
  exitReason: ExitReason | undefined = undefined
  readonly mailbox: Mailbox
  /** How often a supervisor started it again. */
  restarts = 0
  /** What holds the process up, in words for reports: the callback that is awaited. */
  awaiting: string | undefined = undefined
  /** Sleeps that have not ended. */
  sleeping = 0
  nextRunnable: Process | undefined = undefined
  /** What its supervisor knows of it; nothing to the kernel. */
  supervised: unknown = undefined

  #state = ALIVE
  /** In the run queue, running, or held: no need to enqueue. */
  #scheduled = false
  #continuation: ((value: unknown) => void) | undefined = undefined
  #settledValue: unknown = undefined
  #onSettled: ((value: unknown) => void) | undefined = undefined
  #onFailed: ((error: unknown) => void) | undefined = undefined

  // Bonds, made when first needed: most processes have few.
  // Links between parent and child stand in a ring of the parent. Children come and go, and a set is made anew after every
  // few that have gone: 0.06 microseconds of 0.9 for a start and a stop.
  #firstChild: Process | undefined = undefined
  /** Only while linked to the parent. */
  #nextSibling: Process | undefined = undefined
  #previousSibling: Process | undefined = undefined
  /** The other links: the only one, or all. */
  #links: Process | Set<Process> | undefined = undefined
  #watchers: Set<Watch> | undefined = undefined
  #watches: Set<Watch> | undefined = undefined
  #timers: Set<Timer> | undefined = undefined
  #unanswered: Set<Call> | undefined = undefined
  #controller: AbortController | undefined = undefined
  /** The only one, or all. */
  #onEnd: EndListener | Set<EndListener> | undefined = undefined

  constructor(runtime: Runtime, parent: Process | undefined, label: string) {
    this.id = runtime.nextId()
    this.runtime = runtime
    this.parent = parent
    this.label = label
    this.mailbox = new Mailbox()
    this.ref = new ProcessRef(this)
    runtime.onProcess?.(this)
  }

  get alive(): boolean {
    return this.#state < DEAD
  }

  /** It is dead, and everyone bound to it has been told. */
  get buried(): boolean {
    return this.#state === BURIED
  }

  /** Held by a promise that its behaviour awaits. */
  get held(): boolean {
    return this.#state === HELD
  }

  /** It has something to do, or waits for a promise. */
  get busy(): boolean {
    return this.#scheduled && this.#state < DEAD
  }

  /** Label and number, for texts. */
  toString(): string {
    return `${this.label}#${this.id}`
  }

  /** Puts a message into the mailbox; the dead drop it. */
  deliver(tag: Tag, payload: unknown): void {
    if (this.#state >= DEAD) return
    this.mailbox.push(tag, payload)
    if (!this.#scheduled) {
      this.#scheduled = true
      this.runtime.scheduler.enqueue(this)
    }
  }

  /** Like `deliver`, and handles it before it returns when nothing else runs. */
  deliverNow(tag: Tag, payload: unknown): void {
    const { runtime } = this
    if (this.#scheduled || this.#state >= DEAD || runtime.current !== undefined) return this.deliver(tag, payload)
    this.mailbox.push(tag, payload)
    this.#scheduled = true
    runtime.scheduler.runNow(this)
  }

  // ---- Running

  /** Handles up to `limit` messages and says how many; called by the scheduler only. */
  run(limit: number): number {
    const { runtime, mailbox } = this
    let handled = 0
    runtime.current = this
    try {
      if (this.#continuation !== undefined) {
        handled++
        this.#continue()
        if (this.#state === ALIVE && mailbox.inHand) this.#messageDone()
      }
      while (this.#state === ALIVE && handled < limit && !mailbox.empty) {
        handled++
        mailbox.inHand = true
        this.behaviour.receive(mailbox.tag, mailbox.payload)
        if (this.#state !== ALIVE) break
        mailbox.inHand = false
        mailbox.drop()
      }
    } catch (thrown) {
      this.#crashed(thrown)
      if (this.#state === ALIVE && mailbox.inHand) this.#messageDone()
    }
    runtime.current = undefined
    if (this.#state === ALIVE) {
      if (mailbox.empty) this.#scheduled = false
      else runtime.scheduler.enqueue(this)
    }
    return handled
  }

  /** What fails while a failure is handled ends the process too: the scheduler must go on. */
  #crashed(thrown: unknown): void {
    try {
      this.behaviour.crashed(thrown)
    } catch (worse) {
      this.exit(reasonOf(worse), 'crashed')
    }
  }

  #messageDone(): void {
    this.mailbox.inHand = false
    this.mailbox.drop()
  }

  /**
   * Holds the mailbox until the promise settles, then goes on with `then`, or crashes. When the process dies meanwhile, the
   * outcome is ignored. A running callback has this called at most once before it returns.
   */
  await(promise: PromiseLike<unknown>, then: (value: unknown) => void): void {
    if (this.#state >= DEAD) {
      promise.then(ignore, ignore)
      return
    }
    this.#state = HELD
    this.#scheduled = true
    this.#continuation = then
    this.#onSettled ??= (value) => this.#settle(value, false)
    this.#onFailed ??= (error) => this.#settle(error, true)
    promise.then(this.#onSettled, this.#onFailed)
  }

  /** Runs `then` inside the process before any message that waits. */
  schedule(then: (value: unknown) => void): void {
    this.#continuation = then
    if (this.#scheduled) return
    this.#scheduled = true
    this.runtime.scheduler.enqueue(this)
  }

  #settle(value: unknown, failed: boolean): void {
    if (this.#state !== HELD) return
    this.#state = ALIVE
    this.#settledValue = value
    if (failed) this.#continuation = rethrow
    this.runtime.scheduler.resume(this)
  }

  #continue(): void {
    const then = this.#continuation
    const value = this.#settledValue
    this.#continuation = this.#settledValue = undefined
    this.awaiting = undefined
    then?.(value)
  }

  // ---- Ending

  /** Ends the process. Everyone bound to it is told; nothing that its callbacks still do counts. */
  exit(reason: ExitReason, cause: Cause = 'stopped'): void {
    if (this.#state >= DEAD) return
    this.#state = DEAD
    this.exitReason = reason
    this.runtime.reportExit(this, reason, cause)
    this.runtime.bury(this)
  }

  /** Tells everyone that the process is dead and lets go of all it held; called by `Runtime.bury` only. */
  release(): void {
    const reason = this.exitReason ?? 'normal'
    this.#continuation = this.#settledValue = undefined
    this.name?.release(this)
    // Most processes hold little, and to go through nothing costs something too.
    if (this.#timers !== undefined) for (const timer of this.#timers) timer.cancel()
    this.#timers = undefined
    if (this.#watches !== undefined) for (const watch of this.#watches) watch.target?.unwatched(watch)
    this.#watches = undefined
    this.behaviour.ended(reason)
    this.#controller?.abort(new DOMException(`${this} ended: ${describeReason(reason)}`, 'AbortError'))
    this.#failCalls(reason)
    this.#breakLinks(reason)
    const watchers = this.#watchers
    this.#watchers = undefined
    if (watchers !== undefined) for (const watch of watchers) watch.fire(reason)
    const onEnd = this.#onEnd
    this.#onEnd = undefined
    if (onEnd instanceof Set) for (const listener of onEnd) listener(reason)
    else onEnd?.(reason)
    this.#state = BURIED
    if (channels.processExit.hasSubscribers) {
      channels.processExit.publish({ id: this.id, process: this.label, reason })
    }
  }

  /** The message in hand fails first, then the mailbox, then the replies that were promised for later. */
  #failCalls(reason: ExitReason): void {
    const { mailbox } = this
    if (!mailbox.empty) {
      const messages = mailbox.entries()
      mailbox.clear()
      for (const [tag] of messages) if (isCall(tag)) tag.targetEnded(reason)
    }
    if (this.#unanswered !== undefined) for (const call of this.#unanswered) call.targetEnded(reason)
    this.#unanswered = undefined
  }

  /** Calls back once when the process is dead; at once when it is. */
  onEnd(listener: EndListener): void {
    const others = this.#onEnd
    if (this.#state >= DEAD) listener(this.exitReason ?? 'normal')
    else if (others === undefined) this.#onEnd = listener
    else if (others instanceof Set) others.add(listener)
    else this.#onEnd = new Set([others, listener])
  }

  /** A listener of `onEnd` that is not to be called any more. */
  offEnd(listener: EndListener): void {
    const listeners = this.#onEnd
    if (listeners === listener) this.#onEnd = undefined
    else if (listeners instanceof Set) listeners.delete(listener)
  }

  /** Fires when the process is dead or must be dead. */
  get signalOfEnd(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController()
      // It is meant for all that the process waits for, which may be much at a time.
      setMaxListeners(0, this.#controller.signal)
      if (this.#state >= DEAD) this.#controller.abort()
    }
    return this.#controller.signal
  }

  // ---- Exit signals

  /** An exit signal arrives, over a link or sent: it becomes a message, ends the process, or is ignored. */
  signal(from: Process, reason: ExitReason): void {
    if (this.#state >= DEAD) return
    const fromParent = from === this.parent
    if (this.trap === 'all' || (this.trap === 'parent' && fromParent)) {
      if (fromParent) this.stopping = true
      this.deliver(EXIT, new Exit(from.ref, reason))
    } else if (reason !== 'normal' || from === this) this.exit(reason, 'signalled')
  }

  /** An exit signal that somebody sent: like one over a link, but `kill` cannot be trapped. */
  signalSent(from: Process, reason: ExitReason): void {
    // What a callback still does after its process was killed counts for nobody.
    if (!from.alive) return
    if (reason === 'kill') this.kill()
    else this.signal(from, reason)
  }

  /** Ends the process whether it traps or not; others see `killed`. */
  kill(): void {
    this.exit('killed', 'signalled')
  }

  // ---- Links and monitors

  link(peer: Process): void {
    if (peer === this) return
    if (!peer.alive) return this.signal(peer, 'noproc')
    if (peer.parent === this) this.#addChild(peer)
    else if (this.parent === peer) peer.#addChild(this)
    else {
      this.#addLink(peer)
      peer.#addLink(this)
    }
  }

  unlink(peer: Process): void {
    if (peer.parent === this) this.#removeChild(peer)
    else if (this.parent === peer) peer.#removeChild(this)
    else {
      this.#removeLink(peer)
      peer.#removeLink(this)
    }
  }

  #addChild(child: Process): void {
    if (child.#nextSibling !== undefined) return
    const first = this.#firstChild
    if (first === undefined) {
      this.#firstChild = child.#nextSibling = child.#previousSibling = child
      return
    }
    const last = first.#previousSibling ?? first
    child.#previousSibling = last
    child.#nextSibling = first
    last.#nextSibling = first.#previousSibling = child
  }

  #removeChild(child: Process): void {
    const next = child.#nextSibling
    const previous = child.#previousSibling
    if (next === undefined || previous === undefined) return
    child.#nextSibling = child.#previousSibling = undefined
    if (next === child) this.#firstChild = undefined
    else {
      previous.#nextSibling = next
      next.#previousSibling = previous
      if (this.#firstChild === child) this.#firstChild = next
    }
  }

  #addLink(peer: Process): void {
    const links = this.#links
    if (links === undefined) this.#links = peer
    else if (links instanceof Set) links.add(peer)
    else if (links !== peer) this.#links = new Set([links, peer])
  }

  #removeLink(peer: Process): void {
    const links = this.#links
    if (links === peer) this.#links = undefined
    else if (links instanceof Set) links.delete(peer)
  }

  /** The process is dead: tells its parent first, then the others, its children last. */
  #breakLinks(reason: ExitReason): void {
    if (this.#nextSibling !== undefined && this.parent !== undefined) {
      this.parent.#removeChild(this)
      this.parent.signal(this, reason)
    }
    const links = this.#links
    this.#links = undefined
    if (links instanceof Set) for (const peer of links) peer.#linkBroken(this, reason)
    else if (links !== undefined) links.#linkBroken(this, reason)
    for (let child = this.#firstChild; child !== undefined; child = this.#firstChild) {
      this.#removeChild(child)
      child.signal(this, reason)
    }
  }

  #linkBroken(peer: Process, reason: ExitReason): void {
    this.#removeLink(peer)
    this.signal(peer, reason)
  }

  /** The processes linked to this one: its parent, others, its children. */
  get links(): readonly Process[] {
    const linked: Process[] = []
    if (this.#nextSibling !== undefined && this.parent !== undefined) linked.push(this.parent)
    if (this.#links instanceof Set) linked.push(...this.#links)
    else if (this.#links !== undefined) linked.push(this.#links)
    let child = this.#firstChild
    while (child !== undefined) {
      linked.push(child)
      child = child.#nextSibling === this.#firstChild ? undefined : child.#nextSibling
    }
    return linked
  }

  /** The processes that this one watches. */
  get watching(): readonly Process[] {
    return Array.from(this.#watches ?? []).flatMap((watch) => watch.target ?? [])
  }

  /** Watches another process: one `Down` message when it ends, at once when it has. */
  monitor(target: Process | undefined): Watch {
    const watch = new Watch(this.runtime.nextId(), this, target)
    if (target?.alive) {
      ;(target.#watchers ??= new Set()).add(watch)
      ;(this.#watches ??= new Set()).add(watch)
    } else watch.deliver(target?.ref, 'noproc')
    return watch
  }

  /** Ends a watch; `flush` also removes a `Down` that already waits in the mailbox. */
  demonitor(watch: Monitor, flush = false): void {
    if (!(watch instanceof Watch)) return
    watch.target?.unwatched(watch)
    this.#watches?.delete(watch)
    if (flush) this.mailbox.remove((payload) => payload instanceof Down && payload.monitor === watch)
  }

  /** A watcher lost interest, or its life. */
  unwatched(watch: Watch): void {
    this.#watchers?.delete(watch)
  }

  /** Forgets a watch that has fired. */
  forget(watch: Watch): void {
    this.#watches?.delete(watch)
  }

  // ---- What the process owns

  /** A timer that dies with the process; the dead get one that never fires. */
  setTimer(ms: number, fire: () => void, holds = true): Timer {
    if (this.#state >= DEAD) return spent
    const timers = (this.#timers ??= new Set())
    const timer = this.runtime.clock.setTimer(
      ms,
      () => {
        timers.delete(owned)
        fire()
      },
      holds,
    )
    const owned: Timer = {
      cancel: () => {
        timers.delete(owned)
        return timer.cancel()
      },
      remaining: () => timer.remaining(),
    }
    timers.add(owned)
    return owned
  }

  /** Resolves after `ms` milliseconds on the runtime's clock; never, when the process ends before. */
  sleep(ms: number): Promise<void> {
    this.sleeping++
    return new Promise((resolve) => {
      this.setTimer(ms, () => {
        this.sleeping--
        resolve()
      })
    })
  }

  /** Remembers a call whose reply was promised for later, so that it fails when the process ends. */
  promise(call: Call): void {
    ;(this.#unanswered ??= new Set()).add(call)
  }

  /** The promised reply was given. */
  answered(call: Call): void {
    this.#unanswered?.delete(call)
  }
}

/** A timer for somebody who is gone already. */
export const spent: Timer = { cancel: () => undefined, remaining: () => undefined }

function ignore(): void {}

function rethrow(thrown: unknown): never {
  throw thrown
}
