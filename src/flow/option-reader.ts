/** Reads options of flows. */

import { badValue, OptionReader } from '../stage/option-reader.ts'
import { FlowError } from './errors.ts'

/** @throws `FlowError` `bad_options` when it is no object, or has a key that is not known. */
export function flowOptions(name: string, given: unknown, known: readonly string[]): OptionReader {
  return new OptionReader({ name, refusal }, given, known)
}

export function badOption(what: string, expected: string, value: unknown): FlowError {
  return refusal(badValue(what, expected, value))
}

function refusal(text: string): FlowError {
  return new FlowError('bad_options', text)
}
