/** Passes on the pages that are online. */

import { ProducerConsumer } from 'sluice'
import { PageProducer } from './page-producer.ts'
import { list, type Web } from './web.ts'

export class OnlinePageProducerConsumer extends ProducerConsumer<string, string> {
  readonly #web: Web

  constructor({ web }: { readonly web: Web }) {
    super({ subscribeTo: [{ to: PageProducer, minDemand: 0, maxDemand: 1 }] })
    this.#web = web
    web.log('OnlinePageProducerConsumer init')
  }

  override async handleEvents(pages: readonly string[]) {
    this.#web.log(`OnlinePageProducerConsumer received ${list(pages)}`)
    const online = await Promise.all(pages.map((page) => this.#web.isOnline(page, this.signal)))
    return pages.filter((_, index) => online[index])
  }
}
