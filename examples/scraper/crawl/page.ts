/** What flows, and what becomes of it. */

/** A page to visit. */
export interface Page {
  readonly url: string
  /** The page with the first link to it; `undefined` for the first one. */
  readonly from: string | undefined
}

/** What a server says. */
export interface Answer {
  readonly status: number
  /** `200 OK`, `404 Not Found`, ... */
  readonly outcome: string
  readonly title: string
  /** Pages of the same site. */
  readonly links: readonly string[]
  readonly bytes: number
  /** Milliseconds, without the attempts before. */
  readonly ms: number
}

/** What became of a page. */
export interface Visit extends Page, Omit<Answer, 'status' | 'links'> {
  /** `undefined` when there was no whole answer; `outcome` says why. */
  readonly status: number | undefined
  readonly links: number
  readonly attempts: number
}

/** Links to it lead nowhere. */
export function isBroken({ status }: Visit): boolean {
  return status === undefined || status >= 400
}
