/** Subscribing, and the other requests that stages take from outside. */

import { serverOf } from '../otp/gen-server.ts'
import { call } from '../process/call.ts'
import { ProcessError } from '../process/errors.ts'
import type { ExitReason } from '../process/exit-reason.ts'
import { Later } from '../process/later.ts'
import { CAST, type Method, STOP, Tag } from '../process/message.ts'
import type { Process } from '../process/process.ts'
import { processOf, type Ref } from '../process/ref.ts'
import { ConsumingBehaviour } from './consuming-behaviour.ts'
import { DistantSubscription } from './distant-subscription.ts'
import { StageError } from './errors.ts'
import type { Replaced } from './inlet.ts'
import type { DemandMode } from './producer-options.ts'
import type { Stage } from './stage.ts'
import type { StageInfo } from './stage-info.ts'
import { kindOfStage } from './stage-kind.ts'
import * as requests from './stage-requests.ts'
import { asMethod } from './stage-requests.ts'
import type { Subscription } from './subscription.ts'
import { checkSubscription, type Handles, type SubscribeTo, type SubscriptionOptions } from './subscription-options.ts'
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
  return await prepare(consumer, rest).wait('subscribe', timeout)
}

/**
 * Subscribes a running consumer to a producer and does not wait. A temporary subscription to a name that nobody bears does
 * nothing.
 *
 * @throws `StageError` as `syncSubscribe`. Elixir: `GenStage.async_subscribe`.
 */
export function asyncSubscribe<In>(consumer: Ref<Handles<In>>, options: SubscribeTo<NoInfer<In>>): void {
  try {
    prepare(consumer, options).send()
  } catch (error) {
    if (!(options.cancel === 'temporary' && error instanceof StageError && error.code === 'noproc')) throw error
  }
}

/**
 * Subscribes a running consumer in place of an older subscription, to the same producer or another one; the older one is
 * cancelled with `reason`. The consumer's cancel mode of the old subscription applies: use `temporary` or `transient`.
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
  return await prepare(consumer, rest, { subscription: old, reason }).wait('resubscribe', timeout)
}

/** What a consumer is going to do, when it is told. */
interface Prepared {
  wait(what: string, timeout: number): Promise<Subscription>
  send(): void
}

function prepare<In>(consumer: Ref<Handles<In>>, given: SubscribeTo<In>, replaced?: Replaced): Prepared {
  const process = processOf(consumer)
  const kind = kindOfStage(process)
  if (kind === undefined || kind === 'producer') {
    throw new StageError(
      'not_a_consumer',
      `${process} cannot subscribe: it is no Consumer or ProducerConsumer, it handles no events`,
    )
  }
  const { to, options } = subscribing(given)
  const { cancel } = checkSubscription(options)
  try {
    const producer = producerBehind(process, to, options)
    const { behaviour } = process
    return behaviour instanceof ConsumingBehaviour
      ? preparedHere(behaviour, producer, options, replaced)
      : preparedThere(process, producer, options, replaced)
  } catch (error) {
    if (cancel !== 'temporary' && error instanceof StageError && error.code === 'noproc')
      process.deliver(STOP, 'noproc')
    throw error
  }
}

function preparedHere(
  behaviour: ConsumingBehaviour,
  producer: Process,
  options: SubscriptionOptions<never>,
  replaced: Replaced | undefined,
): Prepared {
  const { process } = behaviour
  const run = (): Subscription | Later<Subscription> => {
    const subscription = behaviour.subscribe(producer, options, replaced)
    // Who stops instead never answers: the caller fails with the reason.
    return behaviour.stopRequested ? new Later(process) : subscription
  }
  return {
    wait: (what, timeout) => inside(process, what, run, [], timeout),
    send: () => process.deliver(new Tag(CAST, run), []),
  }
}

/** The consumer is in another thread. */
function preparedThere(
  process: Process,
  producer: Process,
  options: SubscriptionOptions<never>,
  replaced: Replaced | undefined,
): Prepared {
  const old = replaced?.subscription
  if (old !== undefined && !(old instanceof DistantSubscription && old.ends.consumer === process)) {
    const text = `resubscribe: expected a subscription that syncSubscribe gave for ${process}, got ${old}`
    throw new StageError('bad_options', text)
  }
  const local = Object.entries(options).find(([, value]) => typeof value === 'function')
  if (local !== undefined) {
    const text = `${local[0]} of a subscription: ${process} is in another thread, which functions cannot be sent to; let it subscribe itself, with this.subscribe`
    throw new StageError('bad_options', text)
  }
  const args: [requests.SubscribeRequest] = [
    {
      to: producer.ref,
      options,
      replaced: replaced && { subscription: replaced.subscription.id, reason: replaced.reason },
    },
  ]
  return {
    async wait(what, timeout) {
      const answer = await inside<requests.SubscribeAnswer>(process, what, asMethod(requests.subscribe), args, timeout)
      if ('refused' in answer) throw new StageError(answer.refused.code, answer.refused.message)
      return new DistantSubscription(answer.subscription, process, producer, options)
    },
    send: () => process.deliver(new Tag(CAST, asMethod(requests.subscribeUnawaited)), args),
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
  return inside(stageBehind(stage), 'stageInfo', asMethod(requests.stageInfo), [], timeout)
}

/** How many events wait in the buffer of a stage. Elixir: `GenStage.estimate_buffered_count`. */
export function estimateBufferedCount(stage: Ref, timeout = 5000): Promise<number> {
  return inside(stageBehind(stage), 'estimateBufferedCount', asMethod(requests.estimateBufferedCount), [], timeout)
}

/** Whether a producer hands demand on at once or keeps it. Elixir: `GenStage.demand/1`. */
export function demand(stage: Ref, timeout = 5000): Promise<DemandMode> {
  return inside(stageBehind(stage), 'demand', asMethod(requests.demand), [], timeout)
}

/** Makes a producer hand demand on at once, or keep it until it is set to `forward`. Elixir: `GenStage.demand/2`. */
export function setDemand(stage: Ref, mode: DemandMode): void {
  stageBehind(stage).deliver(new Tag(CAST, asMethod(requests.setDemand)), [mode])
}

/** Delivers a message to `handleInfo` behind the events that are buffered now, and waits until it is queued. */
export async function syncInfo(stage: Ref, message: unknown, timeout = 5000): Promise<void> {
  await inside(stageBehind(stage), 'syncInfo', asMethod(requests.syncInfo), [message], timeout)
}

/** Delivers a message to `handleInfo` behind the events that are buffered now. Elixir: `GenStage.async_info`. */
export function asyncInfo(stage: Ref, message: unknown): void {
  stageBehind(stage).deliver(new Tag(CAST, asMethod(requests.syncInfo)), [message])
}

/** The process of a stage, in this thread or another one. */
function stageBehind(ref: Ref): Process {
  const process = processOf(ref)
  if (kindOfStage(process) !== undefined) return process
  throw new StageError('not_a_producer', `${ref} is no stage`)
}

/** Runs work inside a stage, in the order of its mailbox. */
function inside<T>(
  process: Process,
  what: string,
  work: Method,
  args: readonly unknown[],
  timeout: number,
): Promise<T> {
  return call(process, what, work, args, timeout, undefined) as Promise<T>
}
