/** One crawl of a site, from its first page to the table at the end. */

import { type Logger, name, run } from 'sluice'
import { progressOn } from '../../command-line/progress.ts'
import { type Screen, timed } from '../../command-line/screen.ts'
import { Frontier } from './frontier.ts'
import { isBroken } from './page.ts'
import { report } from './report.ts'
import { readRobots } from './robots.ts'
import { tree } from './tree.ts'
import type { Summary } from './visits.ts'

export interface CrawlOptions {
  readonly start: string
  /** Pages a second, at most; robots.txt may ask for less. */
  readonly rate: number
  /** Pages at the same time. */
  readonly concurrency: number
  readonly maxPages: number
  /** Milliseconds for an attempt. */
  readonly timeout: number
  /** How often a page is tried. */
  readonly attempts: number
  /** The file for the results. */
  readonly save: string | undefined
}

/** Returns the exit code of the program: 1 when not even the first page was there. @throws `InputError` */
export async function crawl(options: CrawlOptions, screen: Screen): Promise<number> {
  const { start, timeout } = options
  const robots = await readRobots(start, timeout)
  const rate = robots.delay === undefined ? options.rate : Math.min(options.rate, 1000 / robots.delay)
  screen.line(`${start}: at most ${rate} pages a second, ${options.concurrency} at a time\n`)
  const began = performance.now()
  const ms = () => performance.now() - began
  const tell = (line: string) => screen.line(timed(ms(), line))
  let summary: Summary | undefined
  const children = tree({
    ...options,
    rate,
    robots,
    tell,
    finish: (all) => {
      summary = all
    },
    progress: progressOn(screen, tell),
  })
  const app = await run(children, {
    strategy: 'rest_for_one',
    autoShutdown: 'all_significant',
    // Only pages are tried again.
    maxRestarts: 0,
    shutdown: timeout + REST,
    logger: loggerOf(tell),
  })
  name(Frontier).cast.begin(start)
  const { by, exitCode } = await app.done
  if (summary === undefined) return exitCode
  screen.line(['', ...report(summary, ms())].join('\n'))
  const [first] = summary.visits
  return by !== 'finished' ? exitCode : first === undefined || isBroken(first) ? 1 : 0
}

/** Milliseconds for the end, beyond what a page may take. */
const REST = 1000

/** The visits tell of pages that fail. */
function loggerOf(tell: (line: string) => void): Logger {
  const report = ({ process }: { readonly process?: string }, message: string) => {
    if (!process?.startsWith('PageScraper#')) tell(message)
  }
  return { debug: () => {}, info: () => {}, warn: report, error: report }
}
