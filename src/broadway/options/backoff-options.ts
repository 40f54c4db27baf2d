/** Reads how long to wait between attempts; how the wait grows is for those who wait. */

import type { OptionReader } from '../../stage/option-reader.ts'

/** Bounds of a wait in milliseconds, and how it grows from one to the other. */
export interface CheckedBackoff<Type extends string> {
  readonly type: Type
  readonly min: number
  readonly max: number
}

const MIN = 1000
const MAX = 30_000

/**
 * A bound that was not given moves with the other one. The first type is the default; `keys` are the names of the options.
 *
 * @throws what the options are refused with.
 */
export function readBackoff<const Type extends string>(
  options: OptionReader,
  types: readonly [Type, ...Type[]],
  keys = { type: 'type', min: 'min', max: 'max' },
): CheckedBackoff<Type> {
  const type = options.oneOf(keys.type, types) ?? types[0]
  const least = options.integer(keys.min, 0)
  const most = options.integer(keys.max, 0)
  const min = least ?? Math.min(MIN, most ?? MIN)
  const max = most ?? Math.max(MAX, min)
  if (max < min) throw options.bad(keys.max, `a whole number >= ${keys.min}, which is ${min}`)
  return { type, min, max }
}
