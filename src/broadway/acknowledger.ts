/** Who is told how messages ended, and telling them. */

import { isPromise } from '../otp/server-behaviour.ts'
import { currentRuntime } from '../process/runtime.ts'
import type { PipelinePlace } from '../telemetry/broadway-events.ts'
import { channels } from '../telemetry/channels.ts'
import { acknowledgedNow, Message } from './message.ts'
import { noopAcknowledger } from './noop-acknowledger.ts'

/**
 * Tells a source how its messages ended. A producer puts one into each message that it emits.
 *
 * Messages that ended together and have the same acknowledger and the same `ackRef` are acknowledged in one call. It may be
 * async: the stage waits for all of its calls before it takes more messages, so that a slow acknowledger slows the pipeline down,
 * and what one stage acknowledges keeps its order. Other stages go on, and may acknowledge at the same time. A call that
 * throws or rejects is logged and not repeated; it does not touch the other calls.
 *
 * Elixir: the behaviour `Broadway.Acknowledger`.
 */
export interface Acknowledger<AckRef = unknown, AckData = unknown> {
  /** Each list is in the order of the messages, and may be empty; not both are. */
  ack(ackRef: AckRef, successful: readonly Message[], failed: readonly Message[]): void | PromiseLike<void>
  /** The `ackData` of a message for options that `message.configureAck` was given; throws when it cannot use them. */
  configure?(ackRef: AckRef, ackData: AckData, options: unknown): AckData
}

/** Messages that are acknowledged in one call. */
export interface AckGroup {
  readonly acknowledger: Acknowledger
  readonly ackRef: unknown
  readonly successful: readonly Message[]
  readonly failed: readonly Message[]
}

/** Told of each call that failed. */
type AckFailed = (error: unknown, group: AckGroup) => void

/** Who wants to know of every call. */
export interface AckListener {
  readonly watchesAcks: boolean
  /** Milliseconds. */
  now(): number
  acknowledged(group: AckGroup, duration: number, error: unknown): void
}

/** Acknowledges messages that have ended, each group by itself; a promise when that takes time. It does not fail. */
export function acknowledge(
  successful: readonly Message[],
  failed: readonly Message[],
  onError: AckFailed,
  listener: AckListener,
): Promise<void> | undefined {
  const first = successful.length > 0 ? successful[0] : failed[0]
  if (first === undefined) return undefined
  const { acknowledger, ackRef } = first
  // Nearly always there is one source, and one group.
  if (haveAll(acknowledger, ackRef, successful) && haveAll(acknowledger, ackRef, failed)) {
    if (acknowledger === noopAcknowledger && ackRef === undefined) return undefined
    return acknowledgeGroup({ acknowledger, ackRef, successful, failed }, onError, listener)
  }
  return acknowledgeAll(groupsOf(successful, failed), onError, listener)
}

/**
 * Acknowledges messages now instead of at the end of the pipeline: those that are ok as successful, the others as failed. Return
 * what it gives, the same messages, which are acknowledged no more; also not when the callback throws afterwards. What the
 * acknowledger has to do may take time, so await it.
 *
 * Acknowledged first and then handled, a message is never handled twice, and lost when the handler fails.
 *
 * @throws what the acknowledger throws. Elixir: `Message.ack_immediately`.
 */
export function ackImmediately<M extends Message>(message: M): M | Promise<M>
export function ackImmediately<M extends Message>(messages: readonly M[]): readonly M[] | Promise<readonly M[]>
export function ackImmediately(given: Message | readonly Message[]): unknown {
  const messages = given instanceof Message ? [given] : given
  const successful = messages.filter(({ status }) => status === 'ok')
  const failed = messages.filter(({ status }) => status !== 'ok')
  const errors: unknown[] = []
  const done = (): unknown => {
    if (errors.length > 0) throw errors[0]
    return given instanceof Message ? acknowledgedNow(given) : given.map(acknowledgedNow)
  }
  const waiting = acknowledge(successful, failed, (error) => errors.push(error), immediately)
  return waiting === undefined ? done() : waiting.then(done)
}

function haveAll(acknowledger: Acknowledger, ackRef: unknown, messages: readonly Message[]): boolean {
  for (let index = 0; index < messages.length; index++) {
    const message = messages[index]
    if (message?.acknowledger !== acknowledger || message.ackRef !== ackRef) return false
  }
  return true
}

function groupsOf(successful: readonly Message[], failed: readonly Message[]): readonly AckGroup[] {
  const groups: AckGroup[] = []
  const byAcknowledger = new Map<Acknowledger, Map<unknown, { successful: Message[]; failed: Message[] }>>()
  const add = (message: Message, list: 'successful' | 'failed'): void => {
    const { acknowledger, ackRef } = message
    let byRef = byAcknowledger.get(acknowledger)
    if (byRef === undefined) byAcknowledger.set(acknowledger, (byRef = new Map()))
    let lists = byRef.get(ackRef)
    if (lists === undefined) {
      lists = { successful: [], failed: [] }
      byRef.set(ackRef, lists)
      groups.push({ acknowledger, ackRef, ...lists })
    }
    lists[list].push(message)
  }
  for (const message of successful) add(message, 'successful')
  for (const message of failed) add(message, 'failed')
  return groups
}

function acknowledgeAll(
  groups: readonly AckGroup[],
  onError: AckFailed,
  listener: AckListener,
): Promise<void> | undefined {
  const waiting: Promise<void>[] = []
  for (const group of groups) {
    const done = acknowledgeGroup(group, onError, listener)
    if (done !== undefined) waiting.push(done)
  }
  return waiting.length === 0 ? undefined : Promise.all(waiting).then(() => {})
}

/** One call, whose failure is its own. */
function acknowledgeGroup(group: AckGroup, onError: AckFailed, listener: AckListener): Promise<void> | undefined {
  const { acknowledger, ackRef, successful, failed } = group
  const told = acknowledger !== noopAcknowledger && listener.watchesAcks ? telling(group, listener) : undefined
  try {
    const done = acknowledger.ack(ackRef, successful, failed)
    if (isPromise(done)) return settled(done, group, onError, told)
    told?.(undefined)
  } catch (error) {
    onError(error, group)
    told?.(error)
  }
  return undefined
}

function settled(
  done: PromiseLike<void>,
  group: AckGroup,
  onError: AckFailed,
  told: ((error: unknown) => void) | undefined,
): Promise<void> {
  return Promise.resolve(done).then(
    () => told?.(undefined),
    (error) => {
      onError(error, group)
      told?.(error)
    },
  )
}

function telling(group: AckGroup, listener: AckListener): (error: unknown) => void {
  const begun = listener.now()
  return (error) => listener.acknowledged(group, listener.now() - begun, error)
}

/** Tells of one call; where it was made, as far as that is known. */
export function publishAck(
  group: AckGroup,
  duration: number,
  error: unknown,
  place: PipelinePlace | undefined,
  parent: number | undefined,
): void {
  if (channels.broadwayAck.hasSubscribers) channels.broadwayAck.publish({ ...group, duration, error, place, parent })
}

/** Of what is acknowledged by `ackImmediately`, nobody knows where. */
const immediately: AckListener = {
  get watchesAcks() {
    return channels.broadwayAck.hasSubscribers
  },
  now: () => currentRuntime().clock.now(),
  acknowledged: (group, duration, error) => publishAck(group, duration, error, undefined, undefined),
}
