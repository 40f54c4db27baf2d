/** A message on its way to the worker that handles it, and what has become of it on its way back. */

import type { WireReason } from '../../worker/wire.ts'
import { receivedReason, sendable } from '../../worker/wire-error.ts'
import type { Acknowledger } from '../acknowledger.ts'
import { BroadwayError } from '../errors.ts'
import { type BatchMode, type Failure, Message, onAttempt, withFailure } from '../message.ts'

/** What `handleMessage` needs of a message. */
export interface SentMessage {
  readonly data: unknown
  readonly metadata: unknown
  readonly batcher: string
  readonly batchKey: unknown
  readonly batchMode: BatchMode
  readonly attempts: number
}

/** What `handleMessage` has returned. */
export interface HandledMessage {
  /** `undefined` when they are the same. */
  readonly data: { readonly now: unknown } | undefined
  readonly batcher: string
  readonly batchKey: unknown
  readonly batchMode: BatchMode
  readonly failure: { readonly kind: Failure['kind']; readonly reason: WireReason } | undefined
}

export function sentMessage({ data, metadata, batcher, batchKey, batchMode, attempts }: Message): SentMessage {
  return { data, metadata, batcher, batchKey, batchMode, attempts }
}

/** The message that `handleMessage` is given. */
export function receivedMessage({ data, metadata, batcher, batchKey, batchMode, attempts }: SentMessage): Message {
  const message = new Message(data, { metadata, batcher, batchKey, batchMode, acknowledger: elsewhere })
  return attempts === 1 ? message : onAttempt(message, attempts)
}

export function handledMessage(
  given: Message,
  { data, batcher, batchKey, batchMode, status }: Message,
): HandledMessage {
  return {
    data: data === given.data ? undefined : { now: data },
    batcher,
    batchKey,
    batchMode,
    failure: status === 'ok' ? undefined : { kind: status.kind, reason: sendable(status.reason) },
  }
}

/** The message as `handleMessage` has left it. */
export function afterwards(message: Message, { data, batcher, batchKey, batchMode, failure }: HandledMessage): Message {
  let now = data === undefined ? message : message.putData(data.now)
  if (batcher !== now.batcher) now = now.putBatcher(batcher)
  // An object is told apart by its identity, which it has lost if it is the one that was sent.
  if (typeof batchKey !== 'object' && batchKey !== now.batchKey) now = now.putBatchKey(batchKey)
  if (batchMode !== now.batchMode) now = now.putBatchMode(batchMode)
  return failure === undefined ? now : withFailure(now, { kind: failure.kind, reason: reasonOf(failure.reason) })
}

function reasonOf(reason: WireReason): unknown {
  return typeof reason === 'object' && 'value' in reason ? reason.value : receivedReason(reason)
}

/** Messages are acknowledged where they came from. */
const elsewhere: Acknowledger = {
  ack() {
    const text = 'a message that is handled in a worker cannot be acknowledged there: it is when it has been handled'
    throw new BroadwayError('bad_message', text)
  },
}
