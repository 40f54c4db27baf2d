/** The pages that are known and were not visited yet: each one once, in the order in which they were found. */

import { name, Producer, whereis } from 'sluice'
import type { Page } from './page.ts'
import { Results } from './results.ts'
import { Visits } from './visits.ts'

export interface FrontierOptions {
  /** No more pages than that. */
  readonly maxPages: number
}

/**
 * It emits what it has when it is asked, and what it finds later when somebody has asked. It ends when all pages are done, and
 * with it, one after another, the stages below.
 */
export class Frontier extends Producer<Page> {
  readonly #maxPages: number
  readonly #known = new Set<string>()
  #waiting: Page[] = []
  /** Pages that somebody asked for and did not get yet. */
  #demand = 0
  /** Pages that are known and not done. */
  #open = 0

  constructor({ maxPages }: FrontierOptions) {
    super({ bufferSize: Infinity })
    this.#maxPages = maxPages
  }

  override handleDemand(demand: number): readonly Page[] {
    this.#demand += demand
    return this.#take()
  }

  /** Where it begins. */
  begin(url: string) {
    this.#found(url, undefined)
    this.emit(this.#take())
  }

  /** A page is done, and these links were on it. */
  finished(page: Page, links: readonly string[]) {
    for (const link of links) this.#found(link, page.url)
    this.emit(this.#take())
    this.#open--
    if (this.#open > 0) return
    whereis(Results)?.cast.finish()
    this.stop()
  }

  /** Pages that wait for their turn. */
  waiting(): number {
    return this.#waiting.length
  }

  override terminate() {
    name(Visits).cast.leftOver(this.#waiting.length)
  }

  #found(url: string, from: string | undefined) {
    if (this.#known.has(url) || this.#known.size >= this.#maxPages) return
    this.#known.add(url)
    this.#open++
    this.#waiting.push({ url, from })
  }

  #take() {
    const pages = this.#waiting.splice(0, this.#demand)
    this.#demand -= pages.length
    return pages
  }
}
