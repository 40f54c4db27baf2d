/**
 * The work of a processor that handles failed messages again. They wait here, and others go on meanwhile; only with partitions those
 * with the same number wait behind them, so that their order stays. One timer is for all that wait.
 */

import { type GenServer, serverOf } from '../../otp/gen-server.ts'
import { isPromise } from '../../otp/server-behaviour.ts'
import type { Timer } from '../../process/clock.ts'
import { manual, StageBehaviour } from '../../stage/stage-behaviour.ts'
import type { Subscription } from '../../stage/subscription.ts'
import { type Message, onAttempt, originOf } from '../message.ts'
import type { CheckedProcessors, PartitionBy } from '../options/checked-options.ts'
import type { CheckedRetry } from '../options/retry-options.ts'
import { HeldDemand } from './held-demand.ts'
import { type Gate, MessageWork } from './message-work.ts'
import type { Here } from './place.ts'
import { RETRY, RetryPolicy } from './retry-policy.ts'

const NONE: readonly Message[] = []
const NONE_HELD: readonly never[] = []

type Handled = readonly Message[] | Promise<readonly Message[]>

/** The stage, as far as its retries are concerned. */
export interface RetryingStage extends GenServer {
  sendAfter(message: unknown, ms: number): Timer
}

/** A message, and the subscription that it counts for. */
interface Held {
  readonly message: Message
  readonly from: Subscription
}

/** A message that is handled again when its time has come. */
interface Waiting extends Held {
  readonly due: number
  /** What `partitionBy` says. */
  readonly key: number | undefined
}

/** Messages that are handled together, as they came, and those of them that have not left the processor yet. */
class Pass {
  readonly messages: readonly Message[]
  readonly #from: (message: Message) => Subscription
  readonly #counts: Map<Subscription, number>
  #byOrigin: ReadonlyMap<Message, Message> | undefined = undefined

  constructor(
    messages: readonly Message[],
    counts: Map<Subscription, number>,
    from: (message: Message) => Subscription,
  ) {
    this.messages = messages
    this.#counts = counts
    this.#from = from
  }

  /** The message, which may have been prepared, as it came. */
  asItCame(message: Message): Message {
    this.#byOrigin ??= new Map(this.messages.map((each) => [originOf(each), each]))
    return this.#byOrigin.get(originOf(message)) ?? message
  }

  /** A message stays in the processor. */
  keep(message: Message): Held {
    const from = this.#from(message)
    this.#counts.set(from, (this.#counts.get(from) ?? 0) - 1)
    return { message, from }
  }

  /** How many have not stayed in the processor. */
  get open(): number {
    let open = 0
    for (const count of this.#counts.values()) open += count
    return open
  }

  /** It is over: the others have left. */
  end(demand: HeldDemand): void {
    for (const [from, count] of this.#counts) demand.done(from, count)
  }
}

/** Waits until messages, of which these are the origins, have left the processor. */
interface Watcher {
  readonly origins: ReadonlySet<Message>
  readonly then: () => void
}

export class Retries implements Gate {
  readonly #demand: HeldDemand
  readonly #stage: RetryingStage
  readonly #here: Here
  readonly #policy: RetryPolicy
  readonly #partitionBy: PartitionBy | undefined
  readonly #work: MessageWork
  /** Soonest first. */
  #waiting: readonly Waiting[] = []
  /** For each number that one waits of: those behind it, in order. */
  readonly #behind = new Map<number, Held[]>()
  #pass: Pass | undefined = undefined
  /** Messages that are handled now, and waited before. */
  #inHand: Pass | undefined = undefined
  /** Who waits until certain messages have left. */
  #watchers: readonly Watcher[] = []
  #timer: { readonly due: number; readonly timer: Timer } | undefined = undefined

  constructor(
    stage: RetryingStage,
    here: Here,
    processors: CheckedProcessors,
    batchers: ReadonlySet<string> | undefined,
    retry: CheckedRetry,
  ) {
    this.#stage = stage
    this.#here = here
    this.#policy = new RetryPolicy(here, retry)
    this.#partitionBy = processors.partitionBy
    this.#work = new MessageWork(here, processors, batchers, this)
    this.#demand = new HeldDemand(processors.minDemand, processors.maxDemand)
    // For those who look at what a stage has.
    const behaviour = serverOf(stage)
    if (behaviour instanceof StageBehaviour) {
      behaviour.held = () => this.#held.length + (this.#inHand?.open ?? 0)
    }
  }

  /** Nothing waits. */
  get empty(): boolean {
    return this.#waiting.length === 0
  }

  /** Calls `then` when all that waits now has left the processor, and what goes on of it has been emitted. */
  whenLeft(then: () => void): void {
    if (this.empty) then()
    else this.#watchers = [...this.#watchers, { origins: this.#origins(), then }]
  }

  /** A producer has come; it is asked here, and not by the stage. */
  begin(subscription: Subscription): typeof manual {
    this.#demand.begin(subscription)
    return manual
  }

  /** A producer has gone. */
  forget(subscription: Subscription): void {
    this.#demand.forget(subscription)
  }

  /** Handles messages of a producer; gives those that go on to a batcher. */
  handle(messages: readonly Message[], from: Subscription): Handled {
    this.#demand.arrived(from, messages.length)
    return this.#run(new Pass(messages, new Map([[from, messages.length]]), () => from))
  }

  /** Handles the messages whose time has come, and those behind them. */
  retry(): Handled {
    this.#timer?.timer.cancel()
    this.#timer = undefined
    this.#tellWatchers()
    const now = this.#here.runtime.clock.now()
    const held: Held[] = []
    const isDue = ({ due }: Waiting): boolean => due <= now || this.#policy.over
    for (const each of this.#waiting) {
      if (!isDue(each)) continue
      held.push(each)
      if (each.key === undefined) continue
      held.push(...(this.#behind.get(each.key) ?? NONE_HELD))
      this.#behind.delete(each.key)
    }
    this.#waiting = this.#waiting.filter((each) => !isDue(each))
    this.#arm()
    if (held.length === 0) return NONE
    const from = new Map(held.map((each) => [each.message, each.from]))
    const counts = new Map<Subscription, number>()
    for (const each of held) counts.set(each.from, (counts.get(each.from) ?? 0) + 1)
    const sourceOf = (message: Message): Subscription => {
      const source = from.get(message)
      if (source === undefined) throw new Error('a message is handled again that did not wait')
      return source
    }
    this.#inHand = new Pass([...from.keys()], counts, sourceOf)
    return this.#run(this.#inHand)
  }

  /** The pipeline ends: what waits is handled now, and not once more. */
  end(): void {
    this.#policy.end()
    this.#stage.self.send(RETRY)
  }

  // ---- What the work asks

  parks(message: Message): boolean {
    if (this.#behind.size === 0 || this.#pass === undefined) return false
    const came = this.#pass.asItCame(message)
    const key = this.#keyOf(came)
    const behind = key === undefined ? undefined : this.#behind.get(key)
    if (behind === undefined) return false
    behind.push(this.#pass.keep(came))
    return true
  }

  keeps(message: Message, failed: Message): boolean {
    if (this.#pass === undefined) return false
    const came = this.#pass.asItCame(message)
    const delay = this.#policy.delay(came, failed)
    if (delay === undefined) return false
    const { from } = this.#pass.keep(came)
    const key = this.#keyOf(came)
    const due = this.#here.runtime.clock.now() + delay
    const waiting: Waiting = { message: onAttempt(came, came.attempts + 1), from, due, key }
    const later = this.#waiting.findIndex((each) => each.due > due)
    this.#waiting = this.#waiting.toSpliced(later < 0 ? this.#waiting.length : later, 0, waiting)
    if (key !== undefined) this.#behind.set(key, [])
    this.#arm()
    return true
  }

  // ---- Insides

  #run(pass: Pass): Handled {
    this.#pass = pass
    const open = this.#behind.size === 0 ? pass.messages : pass.messages.filter((message) => !this.parks(message))
    if (open.length === 0) return this.#over(pass, NONE)
    const handled = this.#work.handle(open)
    return isPromise(handled)
      ? Promise.resolve(handled).then((goOn) => this.#over(pass, goOn))
      : this.#over(pass, handled)
  }

  #over(pass: Pass, goOn: readonly Message[]): readonly Message[] {
    this.#pass = this.#inHand = undefined
    pass.end(this.#demand)
    // Behind what is emitted now.
    if (this.#watchers.length > 0) this.#stage.self.send(RETRY)
    // What comes next counts its own attempts.
    return goOn.map((message) => (message.attempts > 1 ? onAttempt(message, 1) : message))
  }

  get #held(): readonly Held[] {
    return [...this.#waiting, ...[...this.#behind.values()].flat()]
  }

  #origins(): ReadonlySet<Message> {
    return new Set(this.#held.map(({ message }) => originOf(message)))
  }

  #tellWatchers(): void {
    if (this.#watchers.length === 0) return
    const held = this.#origins()
    const done = this.#watchers.filter(({ origins }) => ![...origins].some((origin) => held.has(origin)))
    this.#watchers = this.#watchers.filter((watcher) => !done.includes(watcher))
    for (const { then } of done) then()
  }

  /** The partition of a message, as long as partitionBy works. */
  #keyOf(message: Message): number | undefined {
    if (this.#partitionBy === undefined) return undefined
    try {
      return this.#partitionBy(message)
    } catch {
      return undefined
    }
  }

  /** One timer, for the next that is due. */
  #arm(): void {
    const [next] = this.#waiting
    if (next === undefined || this.#timer?.due === next.due) return
    this.#timer?.timer.cancel()
    const ms = Math.max(0, Math.ceil(next.due - this.#here.runtime.clock.now()))
    this.#timer = { due: next.due, timer: this.#stage.sendAfter(RETRY, ms) }
  }
}
