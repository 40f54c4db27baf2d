/** Visits one page: a process that ends when the page is done, and crashes when its connection does. */

import { STATUS_CODES } from 'node:http'
import { GenServer, name } from 'sluice'
import type { Answer, Page } from './page.ts'
import { linkTo, parsePage } from './parse-page.ts'
import { reasonFor, USER_AGENT } from './robots.ts'
import { Visits } from './visits.ts'

export class PageScraper extends GenServer {
  readonly #page: Page

  constructor(page: Page) {
    super()
    this.#page = page
    this.continue('visit')
  }

  override async handleContinue() {
    // What was before its restart only the visits know: it may be killed at any time, also when the page is done.
    const attempt = await name(Visits).call.begin(this.#page)
    if (attempt !== undefined) await name(Visits).call.visited(this.#page, await this.#fetch())
    this.stop()
  }

  async #fetch(): Promise<Answer> {
    const { url } = this.#page
    const began = performance.now()
    try {
      // The request ends with the process: at its timeout, and at the end of the program.
      const response = await fetch(url, {
        signal: this.signal,
        redirect: 'manual',
        headers: { 'user-agent': USER_AGENT },
      })
      const text = await response.text()
      const { status } = response
      return {
        status,
        outcome: `${status} ${STATUS_CODES[status] ?? ''}`.trim(),
        ...contentOf(response, text, url),
        bytes: Buffer.byteLength(text),
        ms: performance.now() - began,
      }
    } catch (error) {
      // Who was killed is out of time, and says no more.
      if (!this.signal.aborted) name(Visits).cast.failed(url, reasonFor(error))
      throw error
    }
  }
}

function contentOf({ ok, headers }: Response, text: string, url: string) {
  const location = headers.get('location')
  if (location !== null) return { title: '', links: [linkTo(location, url, url) ?? []].flat() }
  const isHtml = /^(text\/html|application\/xhtml\+xml)\b/.test(headers.get('content-type') ?? '')
  return ok && isHtml ? parsePage(text, url) : { title: '', links: [] }
}
