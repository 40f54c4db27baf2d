/** What a site asks of robots. */

import robotsParser from 'robots-parser'
import { InputError } from '../../command-line/input-error.ts'

/** The package says of its types that the function is `default` of the module; it is the module. */
const parseRobots = robotsParser as unknown as typeof robotsParser.default

/** Who asks. */
export const USER_AGENT = 'sluice-scraper'

export interface Robots {
  allows(url: string): boolean
  /** Milliseconds between two pages. */
  readonly delay: number | undefined
}

/** @throws `InputError` when there is no such site. */
export async function readRobots(start: string, timeout: number): Promise<Robots> {
  const url = new URL('/robots.txt', start).href
  try {
    const response = await fetch(url, { headers: { 'user-agent': USER_AGENT }, signal: AbortSignal.timeout(timeout) })
    // Without rules everything is allowed.
    const robots = parseRobots(url, response.ok ? await response.text() : '')
    const delay = robots.getCrawlDelay(USER_AGENT)
    return {
      allows: (page) => robots.isAllowed(page, USER_AGENT) !== false,
      delay: delay === undefined ? undefined : delay * 1000,
    }
  } catch (error) {
    throw new InputError(`${url}: ${reasonFor(error)}`, { cause: error })
  }
}

/** Why a request failed, in a few words; what `fetch` throws hides it in its cause. */
export function reasonFor(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if (error.name === 'TimeoutError') return 'timed out'
  const cause: { readonly code?: unknown; readonly message?: unknown } =
    error.cause instanceof Error ? error.cause : error
  return CODES[String(cause.code)] ?? String(cause.message)
}

const CODES: Readonly<Record<string, string>> = {
  EAI_AGAIN: 'no answer from the name service',
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'cut off',
  ENOTFOUND: 'no such host',
  UND_ERR_SOCKET: 'cut off',
}
