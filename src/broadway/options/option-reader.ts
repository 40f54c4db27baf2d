/** Reads options of a pipeline. */

import { OptionReader } from '../../stage/option-reader.ts'
import { BroadwayError } from '../errors.ts'

const OWNER = { name: 'a pipeline', refusal: (text: string) => new BroadwayError('bad_options', text) }

/** @throws `BroadwayError` `bad_options` when it is no object, or has a key that is not known. */
export function pipelineOptions(given: unknown, known: readonly string[], path = ''): OptionReader {
  return new OptionReader(OWNER, given, known, path)
}
