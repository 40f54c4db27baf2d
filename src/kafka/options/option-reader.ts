/** Reads options of the connector. */

import { optionsOf } from '../../connector/options-of.ts'
import type { OptionReader } from '../../stage/option-reader.ts'
import { KafkaError } from '../errors.ts'

/** @throws `KafkaError` `bad_options` when it is no object, or has a key that is not known. */
export function kafkaOptions(name: string, given: unknown, known: readonly string[], path = ''): OptionReader {
  return optionsOf(name, refusal, given, known, path)
}

function refusal(text: string): KafkaError {
  return new KafkaError('bad_options', text)
}
