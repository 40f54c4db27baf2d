/** The five pages of the steps, on a server of this program. They differ in how long they take, and one is down. */

import type { WebPage } from './web-server.ts'

export const FIVE_PAGES = ['google.com', 'facebook.com', 'apple.com', 'netflix.com', 'amazon.com'] as const

/** Milliseconds; so far apart that it is clear who is free first. */
const TAKES: Readonly<Record<(typeof FIVE_PAGES)[number], number>> = {
  'google.com': 200,
  'facebook.com': 400,
  'apple.com': 500,
  'netflix.com': 150,
  'amazon.com': 400,
}

/** The one that is down. */
const DOWN = 'apple.com'

export function fivePages(): ReadonlyMap<string, WebPage> {
  return new Map(
    FIVE_PAGES.map((page) => [
      `/${page}`,
      { delay: TAKES[page], status: page === DOWN ? 503 : 200, body: `<title>${page}</title>` },
    ]),
  )
}
