/** What a processor does with its producers and their messages, wherever it stands: the stage around it only says where they go then. */

import type { ExitReason } from '../../process/exit-reason.ts'
import type { manual } from '../../stage/stage-behaviour.ts'
import type { Subscription } from '../../stage/subscription.ts'
import type { Message } from '../message.ts'
import type { CheckedProcessors } from '../options/checked-options.ts'
import type { PipelineStage } from '../options/pipeline-options.ts'
import { MessageWork } from './message-work.ts'
import { Here, type Place } from './place.ts'
import { Retries, type RetryingStage } from './retries.ts'
import { RETRY } from './retry-policy.ts'
import { type Subscriber, Upstream, type UpstreamOptions } from './upstream.ts'
import { WorkerHandling } from './worker-handling.ts'

export type Handled = readonly Message[] | Promise<readonly Message[]>

const NONE: readonly Message[] = []

export interface ProcessorArgument {
  readonly place: Place
  readonly upstream: UpstreamOptions
  readonly processors: CheckedProcessors
}

export class Processing {
  readonly here: Here
  readonly #retries: Retries | undefined
  readonly #work: { handle(messages: readonly Message[], from: Subscription): Handled }
  readonly #worker: WorkerHandling | undefined
  readonly #upstream: Upstream
  readonly #done: () => void

  /** `done` is called when it has left all producers and nothing is left to be handled; it may be called again. */
  constructor(
    stage: RetryingStage & Subscriber & PipelineStage,
    { place, upstream, processors: given }: ProcessorArgument,
    batchers: ReadonlySet<string> | undefined,
    done: () => void,
  ) {
    const { retry, worker } = given
    this.#worker = worker && new WorkerHandling(stage, place, worker)
    const processors = this.#worker === undefined ? given : { ...given, handleMessage: this.#worker.handleMessage }
    this.here = new Here(stage, place)
    this.#retries = retry && new Retries(stage, this.here, processors, batchers, retry)
    this.#work = this.#retries ?? new MessageWork(this.here, processors, batchers)
    this.#upstream = new Upstream(stage, upstream)
    this.#done = done
  }

  /** Starts the worker, if there is one, and subscribes to the producers. */
  begin(): void | Promise<void> {
    const begun = this.#worker?.begin()
    return begun === undefined ? this.#upstream.begin() : begun.then(() => this.#upstream.begin())
  }

  /** The stage ends: so does its worker. */
  end(): void | Promise<void> {
    return this.#worker?.stop()
  }

  /** A subscription to a producer has begun; with retries it is asked by hand. */
  subscribed(subscription: Subscription): typeof manual | undefined {
    return this.#retries?.begin(subscription)
  }

  /** Handles messages that came together; gives those that go on. */
  handle(messages: readonly Message[], from: Subscription): Handled {
    return this.#work.handle(messages, from)
  }

  /** A subscription has ended, maybe one to a producer. */
  cancelled(subscription: Subscription, reason: ExitReason): void {
    if (!this.#upstream.gone(subscription, reason)) return
    this.#retries?.forget(subscription)
    this.#endIfDone()
  }

  /** Takes a message that is for it, and gives what goes on; `undefined` when it is for somebody else. */
  handleInfo(message: unknown): Handled | undefined {
    if (this.#upstream.handleInfo(message)) return NONE
    return message === RETRY ? this.#retry() : undefined
  }

  /** The pipeline ends: producers that go do not come back. */
  leave(): void {
    this.#upstream.leave()
    this.#retries?.end()
    this.#endIfDone()
  }

  /** Others take its place: it leaves its producers, and finishes what it has. */
  letGo(): void {
    this.#upstream.letGo()
    this.#endIfDone()
  }

  /** Calls `go` when what it has now has been handled: the mailbox is its queue, and only what is to be handled again is left. */
  whenHandled(go: () => void): void {
    if (this.#retries === undefined) go()
    else this.#retries.whenLeft(go)
  }

  #retry(): Handled {
    const handled = this.#retries?.retry() ?? NONE
    if (handled instanceof Promise) return handled.then((goOn) => this.#retried(goOn))
    return this.#retried(handled)
  }

  #retried(goOn: readonly Message[]): readonly Message[] {
    this.#endIfDone()
    return goOn
  }

  #endIfDone(): void {
    if (this.#upstream.ended && this.#retries?.empty !== false) this.#done()
  }
}
