/** Amounts of time as windows and triggers are given them. */

import { show } from '../../stage/show.ts'
import { FlowError } from '../errors.ts'

/** A unit of time. There is no day, because days differ in length. */
export type TimeUnit = 'millisecond' | 'second' | 'minute' | 'hour'

const MILLISECONDS: { readonly [Unit in TimeUnit]: number } = {
  millisecond: 1,
  second: 1000,
  minute: 60_000,
  hour: 3_600_000,
}

/** An amount of time in milliseconds. @throws `FlowError` `bad_options` for an unknown unit, or an amount that is no whole number >= 1. */
export function milliseconds(what: string, amount: number, unit: TimeUnit): number {
  checkCount(what, amount)
  if (Object.hasOwn(MILLISECONDS, unit)) return amount * MILLISECONDS[unit]
  throw new FlowError(
    'bad_options',
    `${what}: unknown unit ${show(unit)}, expected 'millisecond', 'second', 'minute' or 'hour'`,
  )
}

/** @throws `FlowError` `bad_options` for what is no whole number >= 1. */
export function checkCount(what: string, count: unknown): void {
  if (Number.isSafeInteger(count) && Number(count) >= 1) return
  throw new FlowError('bad_options', `${what}: expected a whole number >= 1, got ${show(count)}`)
}
