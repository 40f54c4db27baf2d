/** The producer of the steps: it emits the pages that it is given, whoever has asked. */

import { type Dispatcher, Producer, type ProducerOptions } from 'sluice'
import type { Web } from './web.ts'

export interface PageProducerOptions extends Pick<ProducerOptions<string>, 'bufferSize'> {
  readonly web: Web
  /** Makes the one who decides where a page goes. */
  readonly dispatcher?: () => Dispatcher<string>
}

export class PageProducer extends Producer<string> {
  readonly #web: Web

  constructor({ web, bufferSize, dispatcher }: PageProducerOptions) {
    super({ bufferSize, dispatcher: dispatcher?.() })
    this.#web = web
    web.log('PageProducer init')
  }

  /** There is nothing to emit yet. The demand is not lost: it is served when pages come. */
  override handleDemand(demand: number) {
    this.#web.log(`PageProducer received demand for ${demand} pages`)
  }

  scrapePages(pages: readonly string[]) {
    this.emit(pages)
  }
}
