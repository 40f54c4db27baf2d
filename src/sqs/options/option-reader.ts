/** Reads options of the connector. */

import { optionsOf } from '../../connector/options-of.ts'
import { badValue, type OptionReader } from '../../stage/option-reader.ts'
import { SqsError } from '../errors.ts'

/** @throws `SqsError` `bad_options` when it is no object, or has a key that is not known. */
export function sqsOptions(name: string, given: unknown, known: readonly string[]): OptionReader {
  return optionsOf(name, refusal, given, known)
}

/**
 * Milliseconds that are whole seconds, which is all that SQS knows; a number of seconds by mistake is refused.
 *
 * @throws `SqsError` `bad_options`.
 */
export function readSeconds(options: OptionReader, key: string, max: number): number | undefined {
  const value = options.get(key)
  if (value === undefined || isSeconds(value, max)) return value
  throw options.bad(key, `milliseconds that are whole seconds, from 0 to ${max * 1000}`)
}

export function isSeconds(value: unknown, max: number): value is number {
  return typeof value === 'number' && value >= 0 && value % 1000 === 0 && value <= max * 1000
}

/** @throws `SqsError` `bad_options`. */
export function readQueueUrl(options: OptionReader): string {
  const url = options.string('queueUrl')
  // Servers that speak as SQS does have hosts such as sqs.us-east-1.127.0.0.1, with which no URL can be parsed.
  if (url !== undefined && /^https?:\/\/[^/]+\/./.test(url)) return url
  throw options.bad('queueUrl', 'the URL of a queue, as https://sqs.<region>.amazonaws.com/<account>/<queue>')
}

/**
 * The settings of the client, of which nothing is ever shown: they may hold secrets.
 *
 * @throws `SqsError` `bad_options`.
 */
export function readConfig(options: OptionReader): object {
  const config = options.get('config') ?? {}
  if (typeof config === 'object' && !Array.isArray(config)) return config
  throw options.bad('config', 'an object of settings of the client', `a ${typeof config}`)
}

export function badOption(what: string, expected: string, value: unknown): SqsError {
  return refusal(badValue(what, expected, value))
}

export function refusal(text: string): SqsError {
  return new SqsError('bad_options', text)
}
