/** Passes on the pages that robots.txt allows. */

import { name, ProducerConsumer } from 'sluice'
import { Frontier } from './frontier.ts'
import type { Page } from './page.ts'
import type { Robots } from './robots.ts'
import { Visits } from './visits.ts'

export interface AllowedPagesOptions {
  readonly robots: Robots
}

export class AllowedPages extends ProducerConsumer<Page, Page> {
  readonly #robots: Robots

  constructor({ robots }: AllowedPagesOptions) {
    // What it has fetched ahead is still visited after Ctrl-C, so that is little.
    super({ subscribeTo: [{ to: Frontier, maxDemand: 2, minDemand: 0 }] })
    this.#robots = robots
  }

  override handleEvents(pages: readonly Page[]) {
    return pages.filter((page) => {
      const allowed = this.#robots.allows(page.url)
      if (!allowed) {
        name(Visits).cast.keptOut(page)
        name(Frontier).cast.finished(page, [])
      }
      return allowed
    })
  }
}
