/** Reads options of the connector. */

import { optionsOf } from '../../connector/options-of.ts'
import type { OptionReader } from '../../stage/option-reader.ts'
import { PubSubError } from '../errors.ts'

/** @throws `PubSubError` `bad_options` when it is no object, or has a key that is not known. */
export function pubSubOptions(name: string, given: unknown, known: readonly string[]): OptionReader {
  return optionsOf(name, refusal, given, known)
}

/**
 * A name as `projects/p/topics/t`.
 *
 * @throws `PubSubError` `bad_options`.
 */
export function readResource(options: OptionReader, key: 'subscription' | 'topic'): string {
  const name = options.string(key)
  const [projects, project, kind, id, ...more] = name?.split('/') ?? []
  if (projects === 'projects' && project && kind === `${key}s` && id && more.length === 0) return `${name}`
  throw options.bad(key, `a name as projects/<project>/${key}s/<${key}>`)
}

/**
 * The settings of the client, of which nothing is ever shown: they may hold secrets.
 *
 * @throws `PubSubError` `bad_options`.
 */
export function readConfig(options: OptionReader): object {
  const config = options.get('config') ?? {}
  if (typeof config === 'object' && !Array.isArray(config)) return config
  throw options.bad('config', 'an object of settings of the client', `a ${typeof config}`)
}

export function refusal(text: string): PubSubError {
  return new PubSubError('bad_options', text)
}
