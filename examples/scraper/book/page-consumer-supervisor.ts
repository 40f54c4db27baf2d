/** A process for each page, two at a time. */

import { ConsumerSupervisor, type Subscribing } from 'sluice'
import type { Web } from './web.ts'

export interface PageConsumerSupervisorOptions {
  readonly web: Web
  readonly subscribeTo: readonly Subscribing<string>[]
}

export class PageConsumerSupervisor extends ConsumerSupervisor<string> {
  constructor({ web, subscribeTo }: PageConsumerSupervisorOptions) {
    super({
      run: async function PageConsumer(page, { signal }) {
        web.log(`PageConsumer received ${page}`)
        await web.scrape(page, signal)
      },
      restart: 'transient',
      subscribeTo,
    })
    web.log('PageConsumerSupervisor init')
  }
}
