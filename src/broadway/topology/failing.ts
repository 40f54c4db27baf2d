/** What happens to messages that have failed: they are marked, given to `handleFailed`, and stay failed. */

import { TaskError } from '../../otp/errors.ts'
import { isPromise } from '../../otp/server-behaviour.ts'
import { CallError } from '../../process/errors.ts'
import { show } from '../../stage/show.ts'
import { acknowledgedNow, type Failure, Message, wasAcknowledged, withFailure } from '../message.ts'
import type { HandleFailed } from '../options/checked-options.ts'
import type { Here } from './place.ts'
import { mismatch, sortReturned } from './returned.ts'

/** What was thrown, as the failure of a message. */
export function failureOf(thrown: unknown): Failure & { readonly kind: 'error' | 'throw' | 'exit' } {
  // Another process ended, or did not answer: in Elixir this is an exit and no error.
  if (thrown instanceof TaskError || thrown instanceof CallError) return { kind: 'exit', reason: thrown }
  return { kind: thrown instanceof Error ? 'error' : 'throw', reason: thrown }
}

/** The message as it came, failed. Was it acknowledged before, its acknowledger is not told again. */
export function fail(message: Message, failure: Failure): Message {
  const failed = withFailure(message, failure)
  return wasAcknowledged(message) ? acknowledgedNow(failed) : failed
}

/** Gives failed messages to `handleFailed`, and what it gives to `then`: at once, or when it has answered. */
export function handleFailed<T>(
  here: Here,
  failed: readonly Message[],
  then: (failed: readonly Message[]) => T | Promise<T>,
): T | Promise<T> {
  if (here.handleFailed === undefined || failed.length === 0) return then(failed)
  const rejected = (error: unknown): readonly Message[] => {
    here.report('handleFailed threw, the messages are acknowledged as they were', error)
    return failed
  }
  let result: unknown
  try {
    result = callHandleFailed(here, here.handleFailed, failed)
  } catch (error) {
    return then(rejected(error))
  }
  if (!isPromise(result)) return then(checked(here, failed, result))
  here.waitsFor = 'handleFailed'
  return Promise.resolve(result)
    .then((value) => checked(here, failed, value), rejected)
    .then(then)
}

function callHandleFailed(
  { telemetry, context, stage }: Here,
  callback: HandleFailed,
  failed: readonly Message[],
): unknown {
  if (!telemetry.watchesHandleFailed) return callback(failed, context, stage)
  return telemetry.handleFailed(failed, () => callback(failed, context, stage))
}

function checked(here: Here, failed: readonly Message[], result: unknown): readonly Message[] {
  if (!isMessages(result)) {
    const text = `handleFailed returned ${show(result)}, expected an array of messages; the messages are acknowledged as they were`
    here.report(text)
    return failed
  }
  const returned = sortReturned(failed, result)
  const text = mismatch('handleFailed', failed.length, returned)
  if (text === undefined) return result
  here.report(text)
  return [...returned.messages, ...returned.missing]
}

/** An array, and nothing but messages in it. */
export function isMessages(value: unknown): value is readonly Message[] {
  return Array.isArray(value) && value.every((each) => each instanceof Message)
}
