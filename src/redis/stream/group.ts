/**
 * A consumer group of a stream, as the commands of Redis have it. What has to be looked up and changed at once is done by scripts,
 * since another source may take an entry over at any time.
 */

import { RedisRefusal, type RedisReply } from '../client/port.ts'
import type { Link } from '../connection/link.ts'
import { type Entry, entriesOf, listOf, numberOf, textOf } from '../connection/replies.ts'
import { Waiting } from '../connection/waiting.ts'
import type { CheckedStreamOptions } from '../options/stream-options.ts'

/** An entry that was received, and how often. */
export interface Received {
  readonly entry: Entry
  readonly deliveries: number
}

/** Ids of one command at most. */
const CHUNK = 1000
/**
 * Sets since when nobody has said anything about entries that are still ours: 0 milliseconds keeps them, `claimIdle` gives them
 * back. Gives those that are not ours any more.
 */
const SET_IDLE = `
local late = {}
for i = 4, #ARGV do
  local found = redis.call('XPENDING', KEYS[1], ARGV[1], ARGV[i], ARGV[i], 1)
  if found[1] and found[1][2] == ARGV[2] then
    redis.call('XCLAIM', KEYS[1], ARGV[1], ARGV[2], 0, ARGV[i], 'IDLE', ARGV[3], 'JUSTID')
  else
    late[#late + 1] = ARGV[i]
  end
end
return late`
/** Removes a consumer that has nothing: with it would go what it has. */
const REMOVE = `
if #redis.call('XPENDING', KEYS[1], ARGV[1], '-', '+', 1, ARGV[2]) > 0 then return 0 end
redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], ARGV[2])
return 1`

export class Group {
  readonly #link: Link
  readonly #options: CheckedStreamOptions
  /** Where taking over goes on. */
  #cursor = '0-0'
  readonly #waiting: Waiting

  constructor(link: Link, options: CheckedStreamOptions) {
    this.#link = link
    this.#options = options
    this.#waiting = new Waiting(link)
  }

  /** Makes the group, and the stream, when they are not there. */
  async create(start: string): Promise<void> {
    const { stream, group } = this.#options
    try {
      await this.#link.command('XGROUP', 'CREATE', stream, group, start, 'MKSTREAM')
    } catch (error) {
      if (!(error instanceof RedisRefusal && error.message.startsWith('BUSYGROUP'))) throw error
    }
  }

  /** Waits for entries that nobody has had yet, up to so many milliseconds; there are none when the connection was lost meanwhile. */
  async read(max: number, ms: number, signal: AbortSignal): Promise<readonly Received[]> {
    const { stream, group, consumer } = this.#options
    const args = ['GROUP', group, consumer, 'COUNT', `${max}`, 'BLOCK', `${Math.ceil(ms)}`, 'STREAMS', stream, '>']
    const [found] = listOf(await this.#waiting.command(signal, 'XREADGROUP', ...args))
    return entriesOf(listOf(found)[1]).map((entry) => ({ entry, deliveries: 1 }))
  }

  /** Ends the waiting at once, and loses nothing that was given already. */
  wake(): Promise<void> {
    return this.#waiting.wake()
  }

  /** Takes over entries about which nobody has said anything for `claimIdle`. */
  async claim(max: number): Promise<readonly Received[]> {
    const { stream, group, consumer, claimIdle } = this.#options
    const [next, found] = listOf(
      await this.#link.command('XAUTOCLAIM', stream, group, consumer, `${claimIdle}`, this.#cursor, 'COUNT', `${max}`),
    )
    this.#cursor = textOf(next)
    const entries = entriesOf(found)
    return Promise.all(
      entries.map(async (entry) => {
        const pending = listOf(await this.#link.command('XPENDING', stream, group, entry.id, entry.id, '1'))
        return { entry, deliveries: pending.length === 0 ? 1 : numberOf(listOf(pending[0])[3]) }
      }),
    )
  }

  /** All entries were looked at; the next claim begins again. */
  get isRoundOver(): boolean {
    return this.#cursor === '0-0'
  }

  async ack(ids: readonly string[]): Promise<void> {
    const { stream, group, deleteAcked } = this.#options
    const commands: Promise<unknown>[] = []
    for (let at = 0; at < ids.length; at += CHUNK) {
      const some = ids.slice(at, at + CHUNK)
      commands.push(this.#link.command('XACK', stream, group, ...some))
      if (deleteAcked) commands.push(this.#link.command('XDEL', stream, ...some))
    }
    await Promise.all(commands)
  }

  /** Keeps entries for another `claimIdle`; gives those that somebody else has. */
  keep(ids: readonly string[]): Promise<readonly string[]> {
    return this.#setIdle(ids, 0)
  }

  /** Has entries delivered again after so many milliseconds, to whoever takes them over. */
  giveBack(ids: readonly string[], delay: number): Promise<readonly string[]> {
    const { claimIdle } = this.#options
    return this.#setIdle(ids, Math.max(0, Math.round(claimIdle - delay)))
  }

  /** Adds a copy to the dead letters. */
  async deadLetter(to: string, { entry, deliveries }: Received, reason: string): Promise<void> {
    const { stream, group } = this.#options
    const told = ['sluice-stream', stream, 'sluice-group', group, 'sluice-id', entry.id]
    const why = ['sluice-deliveries', `${deliveries}`, 'sluice-reason', reason]
    await this.#link.command('XADD', to, '*', ...entry.pairs, ...told, ...why)
  }

  /** Leaves the group, when it has nothing in it; and has those leave that have been dead for long. */
  async leave(): Promise<void> {
    await this.#remove(this.#options.consumer)
  }

  /** Entries that the group has not got yet; `undefined` when the server does not know. */
  async lag(): Promise<number | undefined> {
    const { stream, group } = this.#options
    const groups = listOf(await this.#link.command('XINFO', 'GROUPS', stream)).map(fieldsOf)
    const lag = groups.find((value) => textOf(value('name')) === group)?.('lag')
    return lag === null || lag === undefined ? undefined : numberOf(lag)
  }

  async removeDead(prefix: string, idle: number): Promise<void> {
    const { stream, group } = this.#options
    for (const value of listOf(await this.#link.command('XINFO', 'CONSUMERS', stream, group)).map(fieldsOf)) {
      const name = textOf(value('name'))
      if (name.startsWith(prefix) && numberOf(value('pending')) === 0 && numberOf(value('idle')) > idle)
        await this.#remove(name)
    }
  }

  async #remove(consumer: string): Promise<void> {
    const { stream, group } = this.#options
    await this.#link.command('EVAL', REMOVE, '1', stream, group, consumer)
  }

  async #setIdle(ids: readonly string[], idle: number): Promise<readonly string[]> {
    const { stream, group, consumer } = this.#options
    const late: string[] = []
    for (let at = 0; at < ids.length; at += CHUNK) {
      const some = ids.slice(at, at + CHUNK)
      const reply = await this.#link.command('EVAL', SET_IDLE, '1', stream, group, consumer, `${idle}`, ...some)
      for (const id of listOf(reply)) late.push(textOf(id))
    }
    return late
  }
}

/** What stands behind a name in `[name, value, name, value ...]`. */
function fieldsOf(reply: RedisReply): (name: string) => RedisReply | undefined {
  const fields = listOf(reply)
  return (name) => {
    const at = fields.findIndex((field) => String(field) === name)
    return at === -1 ? undefined : fields[at + 1]
  }
}
