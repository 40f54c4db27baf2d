/** What the server answers, taken apart. */

import type { RedisReply } from '../client/port.ts'
import { RedisError } from '../errors.ts'

/** An entry of a stream. */
export interface Entry {
  readonly id: string
  /** Field, value, field, value ... */
  readonly pairs: readonly Buffer[]
}

export function listOf(reply: RedisReply | undefined): readonly RedisReply[] {
  if (reply === null || reply === undefined) return []
  if (Array.isArray(reply)) return reply
  throw unexpected('a list', reply)
}

export function bytesOf(reply: RedisReply | undefined): Buffer {
  if (Buffer.isBuffer(reply)) return reply
  if (typeof reply === 'string') return Buffer.from(reply)
  throw unexpected('bytes', reply)
}

export const textOf = (reply: RedisReply | undefined): string => String(bytesOf(reply))

export const numberOf = (reply: RedisReply | undefined): number =>
  typeof reply === 'number' ? reply : Number(textOf(reply))

/** `[[id, [field, value, ...]], ...]`; entries that were deleted meanwhile have no fields, and are left out. */
export function entriesOf(reply: RedisReply | undefined): readonly Entry[] {
  const entries: Entry[] = []
  for (const each of listOf(reply)) {
    if (each === null) continue
    const [id, pairs] = listOf(each)
    if (pairs !== null && pairs !== undefined) entries.push({ id: textOf(id), pairs: listOf(pairs).map(bytesOf) })
  }
  return entries
}

function unexpected(expected: string, reply: unknown): RedisError {
  return new RedisError('unexpected_reply', `the server answered ${typeof reply} where ${expected} was expected`)
}
