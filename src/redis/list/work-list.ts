/**
 * A list, and beside it what each source has in hand: a list of its own, out of which an entry goes when it is answered for. A key
 * that the server forgets by itself says that a source lives; what a dead one had goes back.
 *
 * The keys have the list as their hash tag, so that a cluster keeps them together.
 */

import { RedisRefusal } from '../client/port.ts'
import type { Link } from '../connection/link.ts'
import { bytesOf, listOf, numberOf, textOf } from '../connection/replies.ts'
import { Waiting } from '../connection/waiting.ts'
import type { CheckedListOptions } from '../options/list-options.ts'

/** Takes up to so many entries at once. */
const TAKE = `
local taken = {}
for i = 1, tonumber(ARGV[1]) do
  local entry = redis.call('LMOVE', KEYS[1], KEYS[2], ARGV[2], 'RIGHT')
  if not entry then break end
  taken[i] = entry
end
return taken`
/** Puts entries out of hand: each goes to the end of another list, or nowhere. Gives how many were still in hand. */
const PUT = `
local found = 0
for i = 2, #ARGV do
  if redis.call('LREM', KEYS[1], 1, ARGV[i]) == 1 then
    found = found + 1
    if ARGV[1] ~= '' then redis.call(ARGV[1], KEYS[2], ARGV[i]) end
  end
end
return found`
/** Puts back what a source had that shows no sign of life, where it was; and forgets the source. */
const TAKE_BACK = `
if redis.call('EXISTS', KEYS[3]) == 1 then return 0 end
local count = 0
while redis.call('LMOVE', KEYS[2], KEYS[1], 'RIGHT', ARGV[1]) do count = count + 1 end
redis.call('SREM', KEYS[4], ARGV[2])
return count`
/** Entries of one command at most. */
const CHUNK = 1000

export class WorkList {
  readonly #link: Link
  readonly #options: CheckedListOptions
  readonly #inHand: string
  readonly #consumers: string
  readonly #waiting: Waiting

  constructor(link: Link, options: CheckedListOptions) {
    this.#link = link
    this.#options = options
    this.#waiting = new Waiting(link)
    this.#inHand = this.#key('in-hand', options.consumer)
    this.#consumers = this.#key('consumers')
  }

  /** Says that the source lives. */
  async live(): Promise<void> {
    const { consumer, claimIdle } = this.#options
    await Promise.all([
      this.#link.command('SADD', this.#consumers, consumer),
      this.#link.command('SET', this.#key('alive', consumer), '1', 'PX', `${Math.ceil(claimIdle)}`),
    ])
  }

  /**
   * Takes what is there; waits for one entry, when there is none, up to so many milliseconds. `undefined` when the connection was lost:
   * then something may be in hand that did not arrive.
   */
  async take(max: number, ms: number, signal: AbortSignal): Promise<readonly Buffer[] | undefined> {
    const { list, take } = this.#options
    const side = take.toUpperCase()
    const taken = await this.#once('EVAL', TAKE, '2', list, this.#inHand, `${max}`, side)
    if (taken === undefined) return undefined
    const entries = listOf(taken).map(bytesOf)
    if (entries.length > 0) return entries
    const entry = await this.#waiting.command(signal, 'BLMOVE', list, this.#inHand, side, 'RIGHT', `${ms / 1000}`)
    if (entry === undefined) return undefined
    return entry === null ? [] : [bytesOf(entry)]
  }

  /** What is in hand at the server; some of it may not have arrived here. */
  async inHand(): Promise<readonly Buffer[]> {
    return listOf(await this.#link.command('LRANGE', this.#inHand, '0', '-1')).map(bytesOf)
  }

  /** Entries of the list that nobody has in hand. */
  async size(): Promise<number> {
    return numberOf(await this.#link.command('LLEN', this.#options.list))
  }

  /** Ends the waiting at once, and loses nothing that was given already. */
  wake(): Promise<void> {
    return this.#waiting.wake()
  }

  /** They are done with. */
  ack(entries: readonly Buffer[]): Promise<void> {
    return this.#put('', this.#options.list, entries)
  }

  /** They go where new ones come from. */
  retry(entries: readonly Buffer[]): Promise<void> {
    return this.#put(this.#options.take === 'left' ? 'RPUSH' : 'LPUSH', this.#options.list, entries)
  }

  /** They go back to where they were taken from. */
  giveBack(entries: readonly Buffer[]): Promise<void> {
    return this.#put(this.#options.take === 'left' ? 'LPUSH' : 'RPUSH', this.#options.list, [...entries].reverse())
  }

  deadLetter(to: string, entries: readonly Buffer[]): Promise<void> {
    return this.#put('RPUSH', to, entries)
  }

  /** Puts back what sources had that are dead; gives how many entries. */
  async takeBack(): Promise<number> {
    const { consumer } = this.#options
    let count = 0
    for (const each of listOf(await this.#link.command('SMEMBERS', this.#consumers))) {
      const name = textOf(each)
      if (name !== consumer) count += await this.#takeBackOf(name)
    }
    return count
  }

  /** The source is no more. What it has in hand goes back. */
  async leave(): Promise<void> {
    const { consumer } = this.#options
    await this.#link.command('DEL', this.#key('alive', consumer))
    await this.#takeBackOf(consumer)
  }

  async #takeBackOf(consumer: string): Promise<number> {
    const { list, take } = this.#options
    const keys = [list, this.#key('in-hand', consumer), this.#key('alive', consumer), this.#consumers]
    return Number(await this.#link.command('EVAL', TAKE_BACK, '4', ...keys, take.toUpperCase(), consumer))
  }

  async #put(command: string, to: string, entries: readonly Buffer[]): Promise<void> {
    for (let at = 0; at < entries.length; at += CHUNK)
      await this.#link.command('EVAL', PUT, '2', this.#inHand, to, command, ...entries.slice(at, at + CHUNK))
  }

  /** Sends a command that must not be sent twice; `undefined` when nobody knows what became of it. */
  async #once(...args: readonly (string | Buffer)[]) {
    const connection = await this.#link.connection('commands')
    try {
      return await connection.command(...args)
    } catch (error) {
      if (error instanceof RedisRefusal || this.#link.isClosed) throw error
      return undefined
    }
  }

  #key(...parts: readonly string[]): string {
    const { list } = this.#options
    return `${/\{.+\}/.test(list) ? list : `{${list}}`}:${parts.join(':')}`
  }
}
