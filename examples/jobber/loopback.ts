/** The world outside, on this machine: a server with feeds to import and a service that takes mail, neither of them reliable. */

import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { setTimeout } from 'node:timers/promises'
import { GenServer } from 'sluice'
import { type Feed, readFeeds } from './feeds.ts'

export interface LoopbackOptions {
  /** Milliseconds that an answer takes. */
  readonly latency: number
}

/** Pieces in which a feed arrives. */
const PIECES = 10

/** `GET /feeds/fr.csv` gives a feed, `POST /mail` takes a mail. */
export class Loopback extends GenServer {
  readonly #latency: number
  readonly #server = createServer((request, response) => void this.#answer(request, response))
  /** Requests so far, by what they asked for. */
  readonly #asked = new Map<string, number>()
  #feeds: ReadonlyMap<string, Feed> = new Map()

  constructor({ latency }: LoopbackOptions) {
    super()
    this.#latency = latency
  }

  override async init() {
    const feeds = await readFeeds()
    this.#feeds = new Map(feeds.map((feed) => [`/feeds/${feed.file}`, feed]))
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    this.signal.addEventListener('abort', () => this.#close())
  }

  /** Where the mail goes. */
  mailService(): string {
    return `${this.#address()}/mail`
  }

  /** Where the feeds are, the largest first. */
  feeds(): readonly string[] {
    return [...this.#feeds.keys()].map((path) => `${this.#address()}${path}`)
  }

  #address() {
    const address = this.#server.address()
    return typeof address === 'object' ? `http://127.0.0.1:${address?.port}` : ''
  }

  #close() {
    this.#server.close()
    this.#server.closeAllConnections()
  }

  async #answer(request: IncomingMessage, response: ServerResponse) {
    const { method, url = '' } = request
    try {
      const feed = this.#feeds.get(url)
      if (method === 'GET' && feed !== undefined) await this.#serve(feed, this.#count(url), response)
      else if (method === 'POST' && url === '/mail') await this.#takeMail(request, response)
      else response.writeHead(404).end()
    } catch {
      // Whoever asked has gone; if not, there is no answer.
      response.destroy()
    }
  }

  async #serve({ file, body, trouble }: Feed, count: number, response: ServerResponse) {
    if (trouble === 'down' || (trouble === 'busy' && count <= 2)) {
      await this.#rest(1 / 2)
      response.writeHead(trouble === 'down' ? 500 : 503).end()
      return
    }
    const odd = trouble === 'odd' || (trouble === 'odd once' && count === 1)
    const bytes = Buffer.from(odd ? 'null' : body)
    const type = file.endsWith('.csv') ? 'text/csv' : 'application/json'
    response.writeHead(200, { 'content-type': type, 'content-length': bytes.length })
    const size = Math.ceil(bytes.length / PIECES)
    for (let from = 0; from < bytes.length; from += size) {
      await this.#rest(1 / PIECES)
      if (trouble === 'cut off' && count === 1 && from > bytes.length / 2) throw new Error('cut off')
      response.write(bytes.subarray(from, from + size))
    }
    response.end()
  }

  /** Every other reader is told to wait at first. */
  async #takeMail(request: IncomingMessage, response: ServerResponse) {
    let text = ''
    for await (const piece of request.setEncoding('utf8')) text += piece
    const { to }: { readonly to: string } = JSON.parse(text)
    const busy = this.#count(to) === 1 && /[02468]@/.test(to)
    await this.#rest(1 / 2)
    if (!/^[^@\s]+@[^@\s]+$/.test(to)) response.writeHead(422).end()
    else if (busy) response.writeHead(429).end()
    else response.writeHead(202).end()
  }

  /** Takes a share of the time that an answer takes. */
  async #rest(share: number) {
    await setTimeout(this.#latency * share, undefined, { signal: this.signal })
  }

  #count(what: string) {
    const count = (this.#asked.get(what) ?? 0) + 1
    this.#asked.set(what, count)
    return count
  }
}
