/** A web server of this program, on loopback: it answers as its pages say. */

import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { setTimeout } from 'node:timers/promises'
import { GenServer } from 'sluice'

/** How a page is answered. */
export interface WebPage {
  /** Default 200. */
  readonly status?: number
  /** Default `text/html`. */
  readonly type?: string
  readonly body?: string
  /** Where it has moved to. */
  readonly location?: string
  /** Milliseconds before the answer; `Infinity` for never. */
  readonly delay?: number
  /** So many of the first answers break off in the middle. */
  readonly brokenAnswers?: number
}

export interface WebServerOptions {
  /** The pages by their paths; all others are not found. */
  readonly pages: () => ReadonlyMap<string, WebPage>
}

const NOT_FOUND: WebPage = { status: 404, body: '<title>Not found</title><p>There is no such page.</p>' }

export class WebServer extends GenServer {
  readonly #pages: ReadonlyMap<string, WebPage>
  readonly #server = createServer((request, response) => void this.#answer(request, response))
  /** Requests by their paths. */
  readonly #requests = new Map<string, number>()
  #atOnce = 0
  #mostAtOnce = 0

  constructor({ pages }: WebServerOptions) {
    super()
    this.#pages = pages()
  }

  override async init() {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    this.signal.addEventListener('abort', () => {
      this.#server.close()
      this.#server.closeAllConnections()
    })
  }

  /** Where it is: `http://127.0.0.1:8080`. */
  origin(): string {
    const address = this.#server.address()
    return typeof address === 'object' ? `http://127.0.0.1:${address?.port}` : ''
  }

  /** How often each path was asked for, and how many requests there were at the same time. */
  requests(): { readonly paths: ReadonlyMap<string, number>; readonly mostAtOnce: number } {
    return { paths: new Map(this.#requests), mostAtOnce: this.#mostAtOnce }
  }

  async #answer({ url = '/', method }: IncomingMessage, response: ServerResponse) {
    const count = (this.#requests.get(url) ?? 0) + 1
    this.#requests.set(url, count)
    this.#mostAtOnce = Math.max(this.#mostAtOnce, ++this.#atOnce)
    try {
      const page = this.#pages.get(url) ?? NOT_FOUND
      await this.#rest(page, response)
      if (!response.destroyed) this.#write(page, method === 'HEAD', count, response)
    } catch {
      // Whoever asked has gone, or the server has.
      response.destroy()
    } finally {
      this.#atOnce--
    }
  }

  async #rest({ delay = 0 }: WebPage, response: ServerResponse) {
    const gone = new AbortController()
    response.once('close', () => gone.abort())
    const signal = AbortSignal.any([this.signal, gone.signal])
    // No timer is as long as that.
    if (delay === Infinity) await once(signal, 'abort')
    else if (delay > 0) await setTimeout(delay, undefined, { signal })
  }

  #write(
    { status = 200, type = 'text/html', body = '', location, brokenAnswers = 0 }: WebPage,
    head: boolean,
    count: number,
    response: ServerResponse,
  ) {
    const bytes = Buffer.from(body)
    response.writeHead(status, {
      'content-type': type,
      'content-length': bytes.length,
      ...(location === undefined ? {} : { location }),
    })
    if (head) response.end()
    else if (count > brokenAnswers) response.end(bytes)
    // The client sees a connection that was closed too early.
    else response.write(bytes.subarray(0, bytes.length / 2), () => response.destroy())
  }
}
