/** Which of the messages that a callback was given it has returned: each of them is acknowledged, once, whatever it returns. */

import { type Message, originOf } from '../message.ts'

const NONE: readonly Message[] = []

export interface Returned {
  /** What was returned, each message once. */
  readonly messages: readonly Message[]
  /** Those that were given and not returned. */
  readonly missing: readonly Message[]
  /** How many were returned that were not given, or had been returned before. */
  readonly extra: number
}

export function sortReturned(given: readonly Message[], returned: readonly Message[]): Returned {
  // Nearly always they are all there, in the same order.
  if (sameInOrder(given, returned)) return { messages: returned, missing: NONE, extra: 0 }
  const left = new Map<Message, Message[]>()
  for (const message of given) {
    const origin = originOf(message)
    const copies = left.get(origin)
    if (copies === undefined) left.set(origin, [message])
    else copies.push(message)
  }
  const messages = returned.filter((message) => left.get(originOf(message))?.shift() !== undefined)
  return { messages, missing: [...left.values()].flat(), extra: returned.length - messages.length }
}

function sameInOrder(given: readonly Message[], returned: readonly Message[]): boolean {
  if (given.length !== returned.length) return false
  for (let index = 0; index < given.length; index++) {
    const message = given[index]
    const other = returned[index]
    if (message === undefined || other === undefined) return false
    if (other !== message && originOf(other) !== originOf(message)) return false
  }
  return true
}

/** What is wrong with what a callback returned; `undefined` when it is just what it was given. */
export function mismatch(callback: string, given: number, { missing, extra }: Returned): string | undefined {
  if (missing.length === 0 && extra === 0) return undefined
  const problems = [
    ...(missing.length === 0 ? [] : [`${missing.length} are missing, and are acknowledged as failed`]),
    ...(extra === 0 ? [] : [`${extra} it did not get or had returned before, and these are not acknowledged`]),
  ]
  return `${callback} got ${given} messages and has to return each of them once, as it is or made from it: ${problems.join('; ')}`
}
