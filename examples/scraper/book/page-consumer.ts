/** A consumer that scrapes the pages it gets, one after the other. */

import { Consumer } from 'sluice'
import { list, type Web } from './web.ts'

export interface PageConsumerOptions {
  readonly web: Web
  /** What its lines call it. Default `PageConsumer`. */
  readonly label?: string
}

export class PageConsumer extends Consumer<string> {
  readonly #web: Web
  readonly #label: string

  constructor({ web, label = 'PageConsumer' }: PageConsumerOptions) {
    super()
    this.#web = web
    this.#label = label
    web.log(`${label} init`)
  }

  override async handleEvents(pages: readonly string[]) {
    this.#web.log(`${this.#label} received ${list(pages)}`)
    for (const page of pages) await this.#web.scrape(page, this.signal)
  }
}
