/** The processes of a crawl, in the order of their start. */

import { createWriteStream } from 'node:fs'
import { type ChildSpec, child, name, RateLimiter, WritableConsumer, whereis } from 'sluice'
import { Progress, type ProgressOptions } from '../../command-line/progress.ts'
import { AllowedPages, type AllowedPagesOptions } from './allowed-pages.ts'
import { Frontier, type FrontierOptions } from './frontier.ts'
import type { Page } from './page.ts'
import { PageScrapers, type PageScrapersOptions } from './page-scrapers.ts'
import { progressLine } from './report.ts'
import { Results } from './results.ts'
import { Visits, type VisitsOptions } from './visits.ts'

export interface TreeOptions
  extends Omit<VisitsOptions, 'done'>,
    FrontierOptions,
    AllowedPagesOptions,
    PageScrapersOptions {
  /** Pages a second. */
  readonly rate: number
  readonly progress: ProgressOptions
  /** The file for the results. */
  readonly save: string | undefined
}

/** Milliseconds in which a limit of more than one page is spread. */
const SHORTEST = 20

/**
 * The stages end one after another when the frontier has no more pages; the last ones are significant. What they all tell
 * stands before them, so it stops after them. For `rest_for_one` and `all_significant`.
 */
export function tree({ save, progress, rate, ...options }: TreeOptions): readonly ChildSpec[] {
  const { attempts, tell, finish, maxPages, robots, concurrency, timeout } = options
  const done: VisitsOptions['done'] = (page, links) => name(Frontier).cast.finished(page, links)
  const last = { restart: 'transient', significant: true } as const
  return [
    child(Visits, { name: Visits, arg: { attempts, tell, done, finish } }),
    child(Frontier, { name: Frontier, arg: { maxPages }, restart: 'transient' }),
    child(AllowedPages, { name: AllowedPages, arg: { robots }, restart: 'transient' }),
    child(RateLimiter<Page>, {
      name: RateLimiter,
      arg: limitOf(rate),
      subscribeTo: [AllowedPages],
      restart: 'transient',
    }),
    child(PageScrapers, { arg: { concurrency, timeout }, ...last }),
    ...(save === undefined
      ? []
      : [
          child(Results, { name: Results, restart: 'transient' }),
          child(WritableConsumer<string>, {
            arg: { sink: () => createWriteStream(save) },
            subscribeTo: [Results],
            ...last,
          }),
        ]),
    child(Progress, { arg: { ...progress, line } }),
  ]
}

async function line(ms: number) {
  const totals = await whereis(Visits)?.call.totals()
  // The frontier ends before the last pages do.
  const waiting = await whereis(Frontier)
    ?.call.waiting()
    .catch(() => 0)
  return totals && progressLine(totals, waiting ?? 0, ms)
}

/** Spread as evenly as timers can do it. */
function limitOf(rate: number) {
  const limit = Math.max(1, Math.round((rate * SHORTEST) / 1000))
  return { limit, interval: (limit * 1000) / rate }
}
