/** Subscribing, and the other requests that stages take from outside. */

import { serverOf } from '../otp/gen-server.ts'
import { call } from '../process/call.ts'
import { ProcessError } from '../process/errors.ts'
import type { ExitReason } from '../process/exit-reason.ts'
import { Later } from '../process/later.ts'
import { CAST, STOP, Tag } from '../process/message.ts'
import type { Process } from '../process/process.ts'
import { processOf, type Ref } from '../process/ref.ts'
import { ConsumingBehaviour } from './consuming-behaviour.ts'
import { StageError } from './errors.ts'
import type { Replaced } from './inlet.ts'
import type { DemandMode } from './producer-options.ts'
import type { Stage } from './stage.ts'
import { StageBehaviour } from './stage-behaviour.ts'
import type { StageInfo } from './stage-info.ts'
import type { Subscription } from './subscription.ts'
import { checkSubscription, type Handles, type SubscribeTo } from './subscription-options.ts'
import { producerBehind, subscribing } from './subscription-target.ts'

/** Subscribes a running consumer and waits until its `handleSubscribe` has run; the producer may still refuse. */
export interface SyncSubscribeOptions<In> extends SubscribeTo<In> {
  /** Milliseconds for the consumer to answer. Default 5000. */
  readonly timeout?: number | undefined
}

/**
 * Subscribes a running consumer to a producer.
 *
 * @throws `StageError` `bad_options`, `not_a_consumer`, `not_a_producer`, or `noproc` when nobody bears the name (unless the
 * subscription is temporary, the consumer then ends with `noproc`); `CallError` when the consumer does not answer.
 *
 * Elixir: `GenStage.sync_subscribe`.
 */
export async function syncSubscribe<In>(
  consumer: Ref<Handles<In>>,
  options: SyncSubscribeOptions<NoInfer<In>>,
): Promise<Subscription> {
  const { timeout = 5000, ...rest } = options
  const request = prepare(consumer, rest)
  return await inside(request.process, 'subscribe', request.run, timeout)
}

/**
 * Subscribes a running consumer to a producer and does not wait. A temporary subscription to a name that nobody bears does
 * nothing.
 *
 * @throws `StageError` as `syncSubscribe`. Elixir: `GenStage.async_subscribe`.
 */
export function asyncSubscribe<In>(consumer: Ref<Handles<In>>, options: SubscribeTo<NoInfer<In>>): void {
  try {
    const { process, run } = prepare(consumer, options)
    process.deliver(new Tag(CAST, run), [])
  } catch (error) {
    if (!(options.cancel === 'temporary' && error instanceof StageError && error.code === 'noproc')) throw error
  }
}

/**
 * Subscribes a running consumer in place of an older subscription, which the new producer cancels with `reason`. The
 * consumer's cancel mode of the old subscription applies: use `temporary` or `transient`.
 *
 * @throws `StageError` and `CallError` as `syncSubscribe`. Elixir: `GenStage.sync_resubscribe`.
 */
export async function resubscribe<In>(
  consumer: Ref<Handles<In>>,
  old: Subscription,
  reason: ExitReason,
  options: SyncSubscribeOptions<NoInfer<In>>,
): Promise<Subscription> {
  const { timeout = 5000, ...rest } = options
  const { process, run } = prepare(consumer, rest, { subscription: old, reason })
  return await inside(process, 'resubscribe', run, timeout)
}

function prepare<In>(
  consumer: Ref<Handles<In>>,
  given: SubscribeTo<In>,
  replaced?: Replaced,
): { readonly process: Process; readonly run: () => Subscription | Later<Subscription> } {
  const process = processOf(consumer)
  const { behaviour } = process
  if (!(behaviour instanceof ConsumingBehaviour)) {
    throw new StageError(
      'not_a_consumer',
      `${process} cannot subscribe: it is no Consumer or ProducerConsumer, it handles no events`,
    )
  }
  const { to, options } = subscribing(given)
  const { cancel } = checkSubscription(options)
  try {
    const producer = producerBehind(process, to, options)
    const run = (): Subscription | Later<Subscription> => {
      const subscription = behaviour.subscribe(producer, options, replaced)
      // Who stops instead never answers: the caller fails with the reason.
      return behaviour.stopRequested ? new Later(process) : subscription
    }
    return { process, run }
  } catch (error) {
    if (cancel !== 'temporary' && error instanceof StageError && error.code === 'noproc')
      process.deliver(STOP, 'noproc')
    throw error
  }
}

/** `this.subscribe` of the stages that have it. */
export function subscribeFromInside(this: Stage, given: SubscribeTo<never>): Subscription {
  const behaviour = serverOf(this)
  if (!(behaviour instanceof ConsumingBehaviour)) {
    throw new ProcessError(
      'not_running',
      `${this} was made with new, it cannot subscribe; start it with start or startLink`,
    )
  }
  const { to, options } = subscribing(given)
  checkSubscription(options)
  return behaviour.subscribe(producerBehind(behaviour.process, to, options), options)
}

/** What a stage is doing: its subscriptions, demand, buffer. */
export function stageInfo(stage: Ref, timeout = 5000): Promise<StageInfo> {
  const behaviour = stageBehind(stage)
  return inside(behaviour.process, 'stageInfo', () => behaviour.describe(), timeout)
}

/** How many events wait in the buffer of a stage. Elixir: `GenStage.estimate_buffered_count`. */
export function estimateBufferedCount(stage: Ref, timeout = 5000): Promise<number> {
  const behaviour = stageBehind(stage)
  return inside(behaviour.process, 'estimateBufferedCount', () => behaviour.bufferedCount(), timeout)
}

/** Whether a producer hands demand on at once or keeps it. Elixir: `GenStage.demand/1`. */
export function demand(stage: Ref, timeout = 5000): Promise<DemandMode> {
  const behaviour = stageBehind(stage)
  return inside(behaviour.process, 'demand', () => behaviour.demandMode, timeout)
}

/** Makes a producer hand demand on at once, or keep it until it is set to `forward`. Elixir: `GenStage.demand/2`. */
export function setDemand(stage: Ref, mode: DemandMode): void {
  const behaviour = stageBehind(stage)
  behaviour.process.deliver(new Tag(CAST, () => behaviour.setDemandMode(mode)), [])
}

/** Delivers a message to `handleInfo` behind the events that are buffered now, and waits until it is queued. */
export async function syncInfo(stage: Ref, message: unknown, timeout = 5000): Promise<void> {
  const behaviour = stageBehind(stage)
  await inside(behaviour.process, 'syncInfo', () => behaviour.queueInfo(message), timeout)
}

/** Delivers a message to `handleInfo` behind the events that are buffered now. Elixir: `GenStage.async_info`. */
export function asyncInfo(stage: Ref, message: unknown): void {
  const behaviour = stageBehind(stage)
  behaviour.process.deliver(new Tag(CAST, () => behaviour.queueInfo(message)), [])
}

function stageBehind(ref: Ref): StageBehaviour {
  const { behaviour } = processOf(ref)
  if (behaviour instanceof StageBehaviour) return behaviour
  throw new StageError('not_a_producer', `${ref} is no stage`)
}

/** Runs work inside a stage, in the order of its mailbox. */
function inside<T>(process: Process, what: string, work: () => T | Later<T>, timeout: number): Promise<T> {
  return call(process, what, work, [], timeout, undefined) as Promise<T>
}
