/** The options of a registry, checked. */

import { asName, type Class, isName, type Name } from '../../process/name.ts'
import { ProcessRef, type Ref } from '../../process/ref.ts'
import { RegistryError } from '../errors.ts'
import { unknownKey, unknownOptionText } from '../unknown-option.ts'

/** Whether a key has one holder at most, or any number of entries, of the same process even. */
export type RegistryKeys = 'unique' | 'duplicate'

export interface RegistryOptions {
  readonly keys: RegistryKeys
  /** Into how many groups `dispatch` divides the entries, by process: each group is one call. Default 1. */
  readonly partitions?: number | undefined
  /** Who is told, with `Registered` and `Unregistered` messages; a name that nobody bears is passed over. Default: nobody. */
  readonly listeners?: readonly (Ref | Class | Name)[] | undefined
  /** What `meta` finds from the start. */
  readonly meta?: Readonly<Record<string, unknown>> | undefined
}

/** The options with their defaults. */
export type CheckedRegistryOptions = {
  readonly [K in keyof RegistryOptions]-?: Exclude<RegistryOptions[K], undefined>
}

const OPTIONS = ['keys', 'partitions', 'listeners', 'meta']

/** @throws `RegistryError` `bad_options`, which names the option, the value and what is allowed. */
export function checkRegistryOptions(options: RegistryOptions): CheckedRegistryOptions {
  if (typeof options !== 'object' || options === null) throw bad('the options', options, '{ keys }')
  const unknown = unknownKey(options, OPTIONS)
  if (unknown !== undefined) throw new RegistryError('bad_options', unknownOptionText('Registry', unknown, OPTIONS))
  const { keys, partitions = 1, listeners = [], meta = {} } = options
  if (keys !== 'unique' && keys !== 'duplicate') throw bad('keys', keys, 'unique or duplicate')
  if (!Number.isInteger(partitions) || partitions < 1) throw bad('partitions', partitions, 'an integer >= 1')
  if (!Array.isArray(listeners)) throw bad('listeners', listeners, 'an array of refs and names')
  for (const listener of listeners) {
    if (isName(listener)) asName(listener)
    else if (!(listener instanceof ProcessRef)) throw bad('listeners', listener, 'refs and names')
  }
  if (typeof meta !== 'object' || meta === null) throw bad('meta', meta, 'an object')
  return { keys, partitions, listeners, meta }
}

function bad(option: string, value: unknown, expected: string): RegistryError {
  return new RegistryError('bad_options', `${option} of Registry: expected ${expected}, got ${String(value)}`)
}
