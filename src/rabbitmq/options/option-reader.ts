/** Reads options of the connector. */

import { optionsOf } from '../../connector/options-of.ts'
import { badValue, type OptionReader } from '../../stage/option-reader.ts'
import { RabbitMQError } from '../errors.ts'

/** @throws `RabbitMQError` `bad_options` when it is no object, or has a key that is not known. */
export function rabbitMQOptions(name: string, given: unknown, known: readonly string[], path = ''): OptionReader {
  return optionsOf(name, refusal, given, known, path)
}

export function badOption(what: string, expected: string, value: unknown): RabbitMQError {
  return refusal(badValue(what, expected, value))
}

export function refusal(text: string): RabbitMQError {
  return new RabbitMQError('bad_options', text)
}
