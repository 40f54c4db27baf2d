/** Names that users give to triggers. */

import { show } from '../../stage/show.ts'
import { FlowError } from '../errors.ts'
import type { TriggerName } from './window.ts'

/** @throws `FlowError` `bad_return` for what is no text or object, and for the names of windows. */
export function checkTriggerName(what: string, name: unknown): TriggerName {
  if (typeof name === 'object' && name !== null) return name
  if (typeof name === 'string' && name !== 'done' && name !== 'watermark') return name
  const reserved = typeof name === 'string' ? `, which is what windows say when time has passed them or they close` : ''
  throw new FlowError(
    'bad_return',
    `${what} was given the name ${show(name)}${reserved}: expected another text, or an object`,
  )
}
