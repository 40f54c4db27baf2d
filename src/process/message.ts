/**
 * What lies in a mailbox: pairs of a tag, which says what kind of message it is, and a payload. Tags are shared, so that
 * sending allocates nothing; only a call has an object of its own, which is its tag.
 *
 * | kind | subject of the tag | payload |
 * |---|---|---|
 * | info | - | the value sent |
 * | cast | the method | its arguments |
 * | cast one | the method | its only argument |
 * | call | the method | its arguments (the tag is a `Call`, which adds the reply) |
 * | exit | - | an `Exit` |
 * | down | - | a `Down` |
 * | stop, drain | - | the reason |
 * | timer | - | a token of the behaviour |
 * | errand | what the library itself does in the process | its arguments |
 *
 * Layers above number their own kinds, from `FIRST_FREE_KIND` on those that bring something, from `FIRST_UPKEEP_KIND` on those that
 * only keep things going.
 */

import type { ExitReason } from './exit-reason.ts'
import type { Down, Exit } from './signals.ts'

/** A message handler of a class, found once when its stubs are made. */
export type Method = (...args: readonly unknown[]) => unknown

export const CALL = 0
const INFO_KIND = 1
export const CAST = 2
export const CAST_ONE = 3
const EXIT_KIND = 4
const DOWN_KIND = 5
const STOP_KIND = 6
const DRAIN_KIND = 7
const TIMER_KIND = 8
const ERRAND_KIND = 9
export const FIRST_FREE_KIND = 16
export const FIRST_UPKEEP_KIND = 24

export class Tag<Payload = unknown, Subject = unknown> {
  /** The type of the payload that belongs to it; exists for the compiler only. */
  declare readonly $payload?: Payload
  readonly kind: number
  readonly subject: Subject

  constructor(kind: number, subject: Subject) {
    this.kind = kind
    this.subject = subject
  }
}

/** The payload of a message, typed by its tag. */
export function payloadOf<Payload>(_tag: Tag<Payload>, payload: unknown): Payload {
  return payload as Payload
}

export const INFO: Tag = new Tag(INFO_KIND, undefined)
export const EXIT: Tag<Exit> = new Tag(EXIT_KIND, undefined)
export const DOWN: Tag<Down> = new Tag(DOWN_KIND, undefined)
export const STOP: Tag<ExitReason> = new Tag(STOP_KIND, undefined)
export const DRAIN: Tag<ExitReason> = new Tag(DRAIN_KIND, undefined)
export const TIMER: Tag<number> = new Tag(TIMER_KIND, undefined)

/** A method to be run with its arguments, or with its only argument; nobody waits for it. */
export function isCast(tag: Tag): tag is Tag<unknown[], Method> {
  return tag.kind === CAST || tag.kind === ERRAND_KIND
}

export function isCastOne(tag: Tag): tag is Tag<unknown, Method> {
  return tag.kind === CAST_ONE
}

/** A message with which the library does something inside of a process, and which nobody misses when the process has ended. */
export function errand(work: Method): Tag<unknown[], Method> {
  return new Tag(ERRAND_KIND, work)
}

/** Nothing is lost when nobody handles it: the runtime, or a stage, keeps things going with it. */
export function isUpkeep({ kind }: Tag): boolean {
  return kind >= FIRST_UPKEEP_KIND || (kind >= EXIT_KIND && kind < FIRST_FREE_KIND)
}
