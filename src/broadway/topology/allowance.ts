/** How many messages may go through a pipeline: one number for all of its producers. */

import type { RateLimitingOptions } from '../options/pipeline-options.ts'

/** What a pipeline may let through, and what is left of it. Its producers count it down themselves. */
export class Allowance {
  /** From the next interval on. */
  settings: RateLimitingOptions
  /** Messages that may still go through in this interval. */
  left: number

  constructor(settings: RateLimitingOptions) {
    this.settings = settings
    this.left = settings.allowedMessages
  }
}
