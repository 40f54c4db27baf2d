/** Reads options of the connector. */

import { optionsOf } from '../../connector/options-of.ts'
import type { OptionReader } from '../../stage/option-reader.ts'
import { RedisError } from '../errors.ts'

/** @throws `RedisError` `bad_options` when it is no object, or has a key that is not known. */
export function redisOptions(name: string, given: unknown, known: readonly string[], path = ''): OptionReader {
  return optionsOf(name, refusal, given, known, path)
}

export function refusal(text: string): RedisError {
  return new RedisError('bad_options', text)
}
