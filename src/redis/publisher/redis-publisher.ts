/** A process that adds entries to streams and lists, and knows what the server has. */

import { Publisher } from '../../connector/publisher.ts'
import { Publishing } from '../../connector/publishing.ts'
import type { Process } from '../../process/process.ts'
import { RedisRefusal } from '../client/port.ts'
import { withoutPassword } from '../connection/failure.ts'
import { Link } from '../connection/link.ts'
import { RedisError } from '../errors.ts'
import type { Publication, Trim } from './publication.ts'
import {
  type CheckedPublisherOptions,
  type RedisPublisherOptions,
  readPublisherOptions,
  readTrim,
} from './publisher-options.ts'

/**
 * Adds entries to streams (XADD) and values to lists (RPUSH): a call is answered when the server has all of them. At most
 * `maxUnconfirmed` are under way, so that who awaits its calls publishes no faster than the server takes. While there is no
 * connection entries wait; those that nobody answered are sent again, so that one may arrive twice and none is lost.
 *
 * A call that fails says so in the `cause` of its `CallError`, a `RedisError` `refused`, `bad_publication` or `full`, with
 * `failures` for each entry.
 *
 * @example
 * ```ts
 * import { startLink } from 'sluice'
 * import { RedisPublisher } from 'sluice/redis'
 *
 * async function main() {
 *   const publisher = await startLink(RedisPublisher, { arg: { stream: 'orders', trim: { maxLength: 100_000 } } })
 *   await publisher.call.publish({ fields: { id: '1', kind: 'book' } })
 *   await publisher.call.publish({ list: 'mails', value: 'hello' })
 *   await publisher.stop({ drain: true })
 * }
 * ```
 */
export class RedisPublisher extends Publisher<Publication> {
  #link: Link | undefined = undefined

  /** @throws `RedisError` `bad_options`. */
  constructor(options: RedisPublisherOptions = {}) {
    const owner = new.target.name
    const checked = readPublisherOptions(owner, options)
    let made: Link | undefined
    super((process) => {
      made = new Link(process, checked.server)
      return publishing(process, owner, checked, made)
    })
    this.#link = made
  }

  override async terminate(): Promise<void> {
    await this.#link?.close()
  }
}

function publishing(process: Process, owner: string, options: CheckedPublisherOptions, link: Link) {
  return new Publishing<Publication, RedisError>(process, {
    maxBatch: options.maxUnconfirmed,
    // One request at a time keeps the order.
    maxRequests: 1,
    maxWaiting: options.maxWaiting,
    backoff: options.server.backoff,
    send: (publications) => send(owner, link, options, publications),
    isFinal: (error) => error instanceof RedisError && error.code === 'missing_package',
    refusal: (text, failures) => new RedisError(failures[0]?.error.code ?? 'refused', text, undefined, failures),
    full: (text) => new RedisError('full', text),
    safe: (error) => withoutPassword(error, options.server.target.password),
    failed: (error) => (error instanceof RedisError ? error : new RedisError('refused', String(error), error)),
  })
}

async function send(
  owner: string,
  link: Link,
  options: CheckedPublisherOptions,
  publications: readonly Publication[],
): Promise<readonly (RedisError | undefined)[]> {
  const connection = await link.connection('commands')
  const sendOne = async (publication: Publication): Promise<RedisError | undefined> => {
    try {
      await connection.command(...commandFor(owner, options, publication))
      return undefined
    } catch (error) {
      if (error instanceof RedisError) return error
      // Of anything else nobody knows what became of the entry.
      if (!(error instanceof RedisRefusal)) throw error
      return new RedisError('refused', `the server refused an entry: ${error.message}`, error)
    }
  }
  const results = await Promise.allSettled(publications.map(sendOne))
  const unknown = results.find((result) => result.status === 'rejected')
  if (unknown !== undefined) throw unknown.reason
  return results.map((result) => (result.status === 'fulfilled' ? result.value : undefined))
}

/** @throws `RedisError` `bad_publication`. */
function commandFor(
  owner: string,
  options: CheckedPublisherOptions,
  publication: Publication,
): readonly (string | Buffer)[] {
  const { fields, value, id = '*' } = publication
  if ((fields === undefined) === (value === undefined))
    throw bad('it needs either fields, for a stream, or a value, for a list')
  if (value !== undefined) {
    const list = publication.list ?? options.list
    if (list === undefined) throw bad('it names no list, and the publisher has none either')
    return [options.push === 'right' ? 'RPUSH' : 'LPUSH', list, value]
  }
  const stream = publication.stream ?? options.stream
  if (stream === undefined) throw bad('it names no stream, and the publisher has none either')
  const pairs = Object.entries(fields ?? {}).flat()
  if (pairs.length === 0) throw bad('it has no fields')
  const trim = publication.trim === undefined ? options.trim : readTrim(owner, publication.trim)
  return ['XADD', stream, ...trimming(trim), id, ...pairs]
}

function trimming(trim: Trim | undefined): readonly string[] {
  if (trim === undefined) return []
  const { maxLength, minId, exact = false } = trim
  const [by, bound] = maxLength === undefined ? ['MINID', minId ?? '0'] : ['MAXLEN', `${maxLength}`]
  return [by, exact ? '=' : '~', bound]
}

function bad(why: string): RedisError {
  return new RedisError('bad_publication', `an entry cannot be published: ${why}`)
}
