/**
 * What became of each page. It knows of a page when the process that visits it has been started again, so it is the one to
 * tell that a page is done: once, however often that process is.
 */

import { GenServer, whereis } from 'sluice'
import { type Answer, isBroken, type Page, type Visit } from './page.ts'
import { Results } from './results.ts'

export interface VisitsOptions {
  /** How often a page is tried. */
  readonly attempts: number
  /** Takes a line about a page that is tried again. */
  readonly tell: (line: string) => void
  /** Takes a page that is done, and its links. */
  readonly done: (page: Page, links: readonly string[]) => void
  /** Takes all that is known, at the end. */
  readonly finish: (summary: Summary) => void
}

export interface Summary {
  readonly visits: readonly Visit[]
  /** Pages that robots.txt keeps robots out of. */
  readonly keptOut: number
  /** Pages that were found and not visited. */
  readonly leftOver: number
  readonly mostAtOnce: number
}

/** How it goes. */
export interface Totals {
  readonly visited: number
  readonly broken: number
  readonly running: number
  /** The page that was begun last. */
  readonly latest: string
}

/** A page that was begun and is not done. */
interface Running {
  readonly began: number
  attempts: number
  /** Why the last attempt failed; `undefined` while it runs, and when it was killed. */
  failure: string | undefined
}

export class Visits extends GenServer {
  readonly #options: VisitsOptions
  readonly #visits: Visit[] = []
  readonly #running = new Map<string, Running>()
  readonly #closed = new Set<string>()
  #mostAtOnce = 0
  #keptOut = 0
  #leftOver = 0
  #latest = ''

  constructor(options: VisitsOptions) {
    super()
    this.#options = options
  }

  /** Somebody begins to visit a page: which attempt is it? `undefined` when the page is done, or is now: there were enough. */
  begin(page: Page): number | undefined {
    const { url } = page
    if (this.#closed.has(url)) return undefined
    const running = this.#running.get(url) ?? { began: performance.now(), attempts: 0, failure: undefined }
    const { failure = 'timed out', began, attempts } = running
    if (attempts === this.#options.attempts) {
      const ms = performance.now() - began
      this.#close({ ...page, status: undefined, outcome: failure, title: '', links: 0, bytes: 0, ms, attempts }, [])
      return undefined
    }
    if (attempts > 0) this.#options.tell(`${pathOf(url)}: ${failure}, it is tried again`)
    running.attempts++
    running.failure = undefined
    this.#running.set(url, running)
    this.#mostAtOnce = Math.max(this.#mostAtOnce, this.#running.size)
    this.#latest = url
    return running.attempts
  }

  /** An attempt failed. */
  failed(url: string, failure: string) {
    const running = this.#running.get(url)
    if (running !== undefined) running.failure = failure
  }

  visited(page: Page, { links, ...answer }: Answer) {
    const attempts = this.#running.get(page.url)?.attempts ?? 1
    this.#close({ ...page, ...answer, links: links.length, attempts }, links)
  }

  keptOut(_page: Page) {
    this.#keptOut++
  }

  leftOver(pages: number) {
    this.#leftOver += pages
  }

  totals(): Totals {
    return {
      visited: this.#visits.length,
      broken: this.#visits.filter(isBroken).length,
      running: this.#running.size,
      latest: this.#latest,
    }
  }

  override terminate() {
    this.#options.finish({
      visits: this.#visits,
      keptOut: this.#keptOut,
      leftOver: this.#leftOver + this.#running.size,
      mostAtOnce: this.#mostAtOnce,
    })
  }

  #close(visit: Visit, links: readonly string[]) {
    this.#running.delete(visit.url)
    this.#closed.add(visit.url)
    this.#visits.push(visit)
    whereis(Results)?.cast.enqueue(`${JSON.stringify(visit)}\n`)
    this.#options.done(visit, links)
  }
}

/** The part of an address behind the host. */
export function pathOf(url: string): string {
  const { pathname, search } = new URL(url)
  return `${pathname}${search}`
}
