/** What an error says about an option that there is not: the nearest that there is, and all of them. */

import { closest } from './closest.ts'

/** Edits from one word to another that may be a slip of the hand; in short words they make another word. */
const SLIPS = 3

export function unknownOptionText(owner: string, key: string, known: readonly string[]): string {
  const nearest = closest(key, known)
  const hint = nearest.distance <= Math.min(SLIPS, key.length / 2) ? `did you mean ${nearest.name}? Known` : 'known'
  return `${owner} has no option ${key}: ${hint} ${known.length === 1 ? 'is' : 'are'} ${known.join(', ')}`
}

/** The first key of an object that is not known; `undefined` when all are. */
export function unknownKey(options: object, known: readonly string[]): string | undefined {
  return Object.keys(options).find((key) => !known.includes(key))
}
