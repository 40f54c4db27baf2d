/** The end of messages that have failed for good: `handleFailed` hears of them, then `deadLetter` takes them, if there is one. */

import { isPromise } from '../../otp/server-behaviour.ts'
import type { Message } from '../message.ts'
import { handleFailed } from './failing.ts'
import type { Here } from './place.ts'

const NONE: readonly Message[] = []

/** Goes on with messages that are to be acknowledged as failed, and with those that are in good hands now. */
type Then<T> = (failed: readonly Message[], taken: readonly Message[]) => T | Promise<T>

/** Ends messages that have failed, and gives them to `then`: at once, or when the callbacks have answered. */
export function endFailed<T>(here: Here, failed: readonly Message[], then: Then<T>): T | Promise<T> {
  if (here.deadLetter === undefined) return handleFailed(here, failed, (handled) => then(handled, NONE))
  return handleFailed(here, failed, (handled) => deadLetter(here, handled, then))
}

function deadLetter<T>(here: Here, failed: readonly Message[], then: Then<T>): T | Promise<T> {
  if (here.deadLetter === undefined || failed.length === 0) return then(failed, NONE)
  const refused = (error: unknown): T | Promise<T> => {
    here.report(`deadLetter threw, ${failed.length} messages are acknowledged as failed`, error)
    return then(failed, NONE)
  }
  let result: unknown
  try {
    result = here.deadLetter(failed, here.context, here.stage)
  } catch (error) {
    return refused(error)
  }
  if (!isPromise(result)) return then(NONE, failed)
  here.waitsFor = 'deadLetter'
  return Promise.resolve(result).then(() => then(NONE, failed), refused)
}
