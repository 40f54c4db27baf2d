/** A process for each page, so many at a time. */

import { ConsumerSupervisor, RateLimiter } from 'sluice'
import type { Page } from './page.ts'
import { PageScraper } from './page-scraper.ts'

export interface PageScrapersOptions {
  /** Pages at the same time. */
  readonly concurrency: number
  /** Milliseconds for an attempt. */
  readonly timeout: number
}

export class PageScrapers extends ConsumerSupervisor<Page> {
  constructor({ concurrency, timeout }: PageScrapersOptions) {
    super({
      child: PageScraper,
      // A scraper that crashed, or was killed because it took too long, is started again with the same page.
      restart: 'transient',
      timeout,
      // A page gives up after its attempts, so the supervisor need not.
      maxRestarts: Number.MAX_SAFE_INTEGER,
      subscribeTo: [{ to: RateLimiter<Page>, maxDemand: concurrency, minDemand: 0 }],
    })
  }
}
