/** Runs steps one after the other, and shows what their stages say. */

import { type Logger, name, run, startLink } from 'sluice'
import { type Screen, timed } from '../../command-line/screen.ts'
import { FIVE_PAGES, fivePages } from '../world/five-pages.ts'
import { WebServer } from '../world/web-server.ts'
import { Activity } from './activity.ts'
import { PageProducer } from './page-producer.ts'
import type { Step } from './steps.ts'
import { type Web, webOf } from './web.ts'

/** Milliseconds after which nothing more is to be expected. */
const QUIET = 200

/** Returns the exit code of the program. */
export async function demonstrate(steps: readonly Step[], screen: Screen): Promise<number> {
  await using server = await startLink(WebServer, { arg: { pages: fivePages } })
  const origin = await server.call.origin()
  for (const [index, step] of steps.entries()) {
    if (index > 0) screen.line('')
    const exitCode = await show(step, origin, screen)
    if (exitCode !== 0) return exitCode
  }
  return 0
}

async function show(step: Step, origin: string, screen: Screen): Promise<number> {
  const began = performance.now()
  const activity = new Activity()
  const log = (line: string) => {
    activity.happened()
    screen.line(timed(performance.now() - began, line))
  }
  screen.line(`${step.title}  --step ${step.name}\n`)
  const app = await run(step.children(watched(webOf(origin, log), activity)), {
    strategy: 'rest_for_one',
    logger: loggerOf(log),
  })
  const over = new AbortController()
  void app.done.then(() => over.abort())
  // As in the book: first everybody waits, then pages come.
  await activity.quiet(QUIET, over.signal)
  if (!over.signal.aborted) log(`PageProducer.scrapePages(${FIVE_PAGES.length} pages)`)
  name(PageProducer).cast.scrapePages(FIVE_PAGES)
  await activity.quiet(QUIET, over.signal)
  const { exitCode } = await app.stop()
  screen.line(`\n${step.lesson}`)
  return exitCode
}

/** The same web, whose work is known while it lasts. */
function watched(web: Web, activity: Activity): Web {
  return {
    log: web.log,
    scrape: (page, signal) => activity.during(web.scrape(page, signal)),
    isOnline: (page, signal) => activity.during(web.isOnline(page, signal)),
  }
}

/** What the runtime reports comes behind what the stages say in the same turn, as from a logger that is a process. */
function loggerOf(log: (line: string) => void): Logger {
  const report = (_fields: object, message: string) => void setImmediate(() => log(message))
  return { debug: () => {}, info: () => {}, warn: report, error: report }
}
