/** What the steps do with a page, and whom they tell. */

export interface Web {
  /** Fetches a page; the work that takes time. */
  scrape(page: string, signal: AbortSignal): Promise<void>
  /** Whether a page is there. */
  isOnline(page: string, signal?: AbortSignal): Promise<boolean>
  /** Takes a line of the log. */
  log(line: string): void
}

/** A list of pages as the lines show it. */
export function list(pages: readonly string[]): string {
  return `[${pages.map((page) => `"${page}"`).join(', ')}]`
}

/** Real pages, on a server that has them under their names. */
export function webOf(origin: string, log: (line: string) => void): Web {
  const url = (page: string) => new URL(page, origin)
  return {
    log,
    async scrape(page, signal) {
      const response = await fetch(url(page), { signal })
      await response.text()
    },
    async isOnline(page, signal) {
      const { ok } = await fetch(url(page), { method: 'HEAD', ...(signal && { signal }) })
      return ok
    },
  }
}
