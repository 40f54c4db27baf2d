/**
 * What stages are asked from outside, beside the messages of their classes. Each request is a method with a name, so that a stage in
 * another thread can be asked as well: there it is found again by that name. What goes over is plain data and refs.
 */

import { serverOf } from '../otp/gen-server.ts'
import type { ExitReason } from '../process/exit-reason.ts'
import { Later } from '../process/later.ts'
import type { Method } from '../process/message.ts'
import type { Process } from '../process/process.ts'
import type { Ref } from '../process/ref.ts'
import { ConsumingBehaviour } from './consuming-behaviour.ts'
import { StageError, type StageErrorCode } from './errors.ts'
import type { DemandMode } from './producer-options.ts'
import type { Stage } from './stage.ts'
import { StageBehaviour } from './stage-behaviour.ts'
import type { StageInfo } from './stage-info.ts'
import type { Subscription } from './subscription.ts'
import type { SubscriptionOptions } from './subscription-options.ts'
import { producerBehind } from './subscription-target.ts'

/** What a consumer in another thread is to subscribe to. */
export interface SubscribeRequest {
  readonly to: Ref
  readonly options: SubscriptionOptions<never>
  /** The number of the subscription that this one replaces, and why. */
  readonly replaced: { readonly subscription: number; readonly reason: ExitReason } | undefined
}

/** What it answers: the number of the subscription, or why there is none. */
export type SubscribeAnswer =
  | { readonly subscription: number }
  | { readonly refused: { readonly code: StageErrorCode; readonly message: string } }

/** Anything that a stage can be asked. */
type Request = (this: Stage, ...args: never[]) => unknown

export function stageInfo(this: Stage): StageInfo {
  return behaviourOf(this).describe()
}

export function estimateBufferedCount(this: Stage): number {
  return behaviourOf(this).bufferedCount()
}

export function demand(this: Stage): DemandMode {
  return behaviourOf(this).demandMode
}

export function setDemand(this: Stage, mode: DemandMode): void {
  behaviourOf(this).setDemandMode(mode)
}

export function syncInfo(this: Stage, message: unknown): void {
  behaviourOf(this).queueInfo(message)
}

/** For a consumer in another thread than who asks. */
export function subscribe(
  this: Stage,
  { to, options, replaced }: SubscribeRequest,
): SubscribeAnswer | Later<SubscribeAnswer> {
  const behaviour = consumerOf(this)
  let producer: Process
  try {
    producer = producerBehind(behaviour.process, to, options)
  } catch (error) {
    if (!(error instanceof StageError)) throw error
    return { refused: { code: error.code, message: error.message } }
  }
  // One that has ended meanwhile is not replaced.
  const old = replaced && numbered(behaviour, replaced.subscription)
  const { id } = behaviour.subscribe(producer, options, old && { subscription: old, reason: replaced.reason })
  // Who stops instead never answers: the caller fails with the reason.
  return behaviour.stopRequested ? new Later(behaviour.process) : { subscription: id }
}

/** The same when nobody waits for it. */
export function subscribeUnawaited(this: Stage, request: SubscribeRequest): void {
  const answer = subscribe.call(this, request)
  if (!('refused' in answer)) return
  const { process } = behaviourOf(this)
  process.runtime.logger.error({ process: `${process}` }, answer.refused.message)
}

/** Ends the subscription with this number, if there still is one. */
export function cancelSubscription(this: Stage, subscription: number, reason: ExitReason): void {
  numbered(consumerOf(this), subscription)?.cancel(reason)
}

/** Asks for more by the subscription with this number, if there still is one. */
export function askSubscription(this: Stage, subscription: number, more: number): void {
  numbered(consumerOf(this), subscription)?.ask(more)
}

const requests: Readonly<Record<string, Request>> = {
  stageInfo,
  estimateBufferedCount,
  demand,
  setDemand,
  syncInfo,
  subscribe,
  subscribeUnawaited,
  cancelSubscription,
  askSubscription,
}

/** No method of a class is called so. */
const PREFIX = 'stage '
const names = new Map<unknown, string>(Object.entries(requests).map(([name, request]) => [request, PREFIX + name]))
const byName = new Map(Object.entries(requests).map(([name, request]) => [PREFIX + name, asMethod(request)]))

/** A request as the message that it is. */
export function asMethod(request: Request): Method {
  return request as Method
}

/** The name by which a request is known in all threads; `undefined` for the messages of a class. */
export function nameOfRequest(method: Method): string | undefined {
  return names.get(method)
}

/** The request of that name. */
export function requestNamed(name: string): Method | undefined {
  return byName.get(name)
}

function behaviourOf(stage: Stage): StageBehaviour {
  const behaviour = serverOf(stage)
  if (behaviour instanceof StageBehaviour) return behaviour
  throw new StageError('not_a_producer', `${stage} is no stage`)
}

function consumerOf(stage: Stage): ConsumingBehaviour {
  const behaviour = serverOf(stage)
  if (behaviour instanceof ConsumingBehaviour) return behaviour
  throw new StageError('not_a_consumer', `${stage} cannot subscribe: it handles no events`)
}

function numbered({ inlet }: ConsumingBehaviour, id: number): Subscription | undefined {
  return inlet.producers.find((subscription) => subscription.id === id)
}
