/** Reads the options of a connector, and knows what is often written there by mistake. */

import { OptionReader } from '../stage/option-reader.ts'

/** What a pipeline itself takes of its producer. */
const BESIDE = ['concurrency', 'transformer', 'rateLimiting']

/** @throws what `refusal` makes when it is no object, or has a key that is not known. */
export function optionsOf(
  name: string,
  refusal: (text: string) => Error,
  given: unknown,
  known: readonly string[],
  path = '',
): OptionReader {
  const elsewhere = (key: string): string | undefined =>
    BESIDE.includes(key) ? `it belongs to a pipeline: producer: { module, arg, ${key} }` : undefined
  return new OptionReader({ name, refusal, elsewhere }, given, known, path)
}
