/** What a stage with an outlet does with the messages of its consumers; used by both kinds that emit. */

import type { ExitReason } from '../process/exit-reason.ts'
import { payloadOf, Tag } from '../process/message.ts'
import { StageError } from './errors.ts'
import type { Replaced } from './inlet.ts'
import type { Outlet } from './outlet.ts'
import type { StageBehaviour } from './stage-behaviour.ts'
import { CANCELLED, isAsk, isCancel, isSubscribe, type ProtocolTag, type Subscription } from './subscription.ts'

/** The stage, as far as its consumers are concerned. */
export interface ProducingStage extends Pick<StageBehaviour, 'process' | 'instance' | 'stopRequested' | 'crashed'> {
  readonly outlet: Outlet
  /** Runs a callback and gives what it returns to `then`, at once or when its promise settles. */
  callback(name: string, result: unknown, then: (value: unknown) => void): void
  eventsOf(callback: string, value: unknown): readonly unknown[]
  /** A message is handled. */
  finish(): void
}

/** Handles a message of the protocol that is for a producer; false when it is for a consumer. */
export function receiveFromConsumer(stage: ProducingStage, tag: ProtocolTag, payload: unknown): boolean {
  const subscription = tag.subject
  if (isAsk(tag)) {
    if (subscription.accepted) stage.outlet.ask(subscription, payloadOf(tag, payload))
    else tell(subscription, 'unknown_subscription')
    stage.finish()
  } else if (isSubscribe(tag)) subscribed(stage, subscription, payloadOf(tag, payload))
  else if (isCancel(tag)) consumerGone(stage, subscription, 'cancel', payloadOf(tag, payload))
  else return false
  return true
}

function subscribed(stage: ProducingStage, subscription: Subscription, replaced: Replaced | undefined): void {
  if (subscription.accepted) {
    const text = `${stage.process} got ${subscription} twice; the second was cancelled`
    stage.process.runtime.logger.error({ process: `${stage.process}` }, text)
    return tell(subscription, 'duplicated_subscription')
  }
  if (replaced === undefined) return accept(stage, subscription)
  consumerGone(stage, replaced.subscription, 'cancel', replaced.reason, () => {
    if (!stage.stopRequested) accept(stage, subscription)
  })
}

function accept(stage: ProducingStage, subscription: Subscription): void {
  // Its end would be noticed behind what waits in the mailbox, maybe the subscription of the one that replaces it.
  if (!subscription.ends.consumer.alive) return stage.finish()
  stage.outlet.register(subscription)
  const answer = stage.instance.handleSubscribe('consumer', subscription)
  if (answer !== undefined) {
    throw new StageError(
      'bad_return',
      `handleSubscribe of ${stage.process} returned ${String(answer)} for a consumer, expected nothing: only consumers may choose manual`,
    )
  }
  if (!stage.stopRequested) {
    const refused = stage.outlet.accept(subscription)
    if (refused !== undefined) return leave(stage, subscription, 'cancel', refused, false)
  }
  stage.finish()
}

/** `emit` of the user: the stage ends with what the dispatcher threw, also when the caller is a promise of its own. */
export function emitFor(stage: ProducingStage, events: readonly unknown[]): void {
  const { process, outlet } = stage
  try {
    outlet.emit(events)
  } catch (thrown) {
    if (process.runtime.current !== process) stage.crashed(thrown)
    throw thrown
  }
}

/** A consumer cancelled, ended, or is replaced; a subscription that is not known changes nothing. */
export function consumerGone(
  stage: ProducingStage,
  subscription: Subscription,
  kind: 'cancel' | 'down',
  reason: ExitReason,
  then?: () => void,
): void {
  if (subscription.accepted) leave(stage, subscription, kind, reason, true, then)
  else then?.()
}

function leave(
  stage: ProducingStage,
  subscription: Subscription,
  kind: 'cancel' | 'down',
  reason: ExitReason,
  known: boolean,
  then?: () => void,
): void {
  stage.outlet.unregister(subscription, reason)
  // Before the callback, so that what it emits goes to those who stay. A dispatcher that refused a subscription never knew it.
  const freed = known ? stage.outlet.release(subscription) : 0
  const returned = stage.instance.handleCancel({ kind, reason }, subscription)
  stage.callback('handleCancel', returned, (value) => {
    stage.outlet.emit(stage.eventsOf('handleCancel', value))
    if (!stage.stopRequested) stage.outlet.demand(freed)
    then?.()
    stage.finish()
  })
}

function tell(subscription: Subscription, reason: string): void {
  subscription.ends.consumer.deliver(new Tag(CANCELLED, subscription), reason)
}
