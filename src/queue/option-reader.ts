/** Reads options of the queue, and arguments of its methods. */

import { optionsOf } from '../connector/options-of.ts'
import { badValue, type OptionReader } from '../stage/option-reader.ts'
import { QueueError } from './errors.ts'

/** @throws `QueueError` `bad_options` when it is no object, or has a key that is not known. */
export function queueOptions(name: string, given: unknown, known: readonly string[], path = ''): OptionReader {
  return optionsOf(name, refusal, given, known, path)
}

export function badOption(what: string, expected: string, value: unknown): QueueError {
  return refusal(badValue(what, expected, value))
}

export function refusal(text: string): QueueError {
  return new QueueError('bad_options', text)
}
