/** A message that is delivered later. */

import type { Timer } from './clock.ts'
import { INFO } from './message.ts'
import { asName, type Class, isName, type Name } from './name.ts'
import { type Process, spent } from './process.ts'
import { processOf, type Ref } from './ref.ts'

/**
 * Delivers a message after `ms` milliseconds. To a ref the timer dies with the receiver; a name is resolved when the time
 * has come, and nothing happens when nobody bears it. The dead send nothing.
 */
export function sendAfter(owner: Process, message: unknown, ms: number, to?: Ref | Class | Name): Timer {
  if (!owner.alive) return spent
  if (to !== undefined && isName(to)) {
    const name = asName(to)
    return owner.setTimer(ms, () => name.holder(owner.runtime)?.deliver(INFO, message))
  }
  const receiver = to === undefined ? owner : processOf(to)
  return receiver.setTimer(ms, () => receiver.deliver(INFO, message))
}
