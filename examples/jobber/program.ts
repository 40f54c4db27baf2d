/** The program, with its surroundings given to it. */

import { formatTree, name, run, Supervisor, startLink } from 'sluice'
import { InputError } from '../command-line/input-error.ts'
import type { Output } from '../command-line/output.ts'
import { progressOn } from '../command-line/progress.ts'
import { Screen } from '../command-line/screen.ts'
import { type Arguments, readArguments, USAGE } from './arguments.ts'
import type { Event } from './board.ts'
import { importTable } from './import-table.ts'
import { logger } from './log.ts'
import { Loopback } from './loopback.ts'
import type { JobRecord } from './order.ts'
import { askedOrders, demonstration } from './orders.ts'
import { eventLine, summary, table } from './report.ts'
import { sendEmail } from './send-email.ts'
import { tree } from './tree.ts'

/** Runs the program and returns its exit code. */
export async function program(args: readonly string[], out: Output, errors: Output): Promise<number> {
  try {
    const given = readArguments(args)
    if (given.help) {
      out.write(USAGE)
      return 0
    }
    return await runJobs(given, new Screen(out), errors)
  } catch (error) {
    if (!(error instanceof InputError)) throw error
    errors.write(`jobber: ${error.message}\n`)
    return 1
  }
}

/** What the deadline of the whole program adds to that of the jobs: the rest stops at once. */
const REST = 1000

const root = name(Supervisor, 'jobber')

async function runJobs(given: Arguments, screen: Screen, errors: Output): Promise<number> {
  const { jobs, quota, maxJobs, retry, latency, deadline, verbose } = given
  const began = performance.now()
  const ms = () => performance.now() - began
  // No part of the application: the world that it works in. It ends when the application has ended.
  await using world = await startLink(Loopback, { arg: { latency } })
  const orders = jobs.length > 0 ? askedOrders(jobs) : demonstration(given, await world.call.feeds())
  screen.line(`${orders.length} jobs; at most ${quota} imports and ${maxJobs} jobs at a time\n`)
  let records: readonly JobRecord[] = []
  const children = tree({
    orders,
    works: { import: importTable, send_email: sendEmail(await world.call.mailService()) },
    quotas: { import: quota },
    maxJobs,
    retry,
    grace: deadline,
    tell: (id: string, event: Event, remark: string) => screen.line(eventLine(ms(), id, event, remark)),
    finish: (all) => {
      records = all
    },
    busy: () => screen.line(`\n${formatTree(root)}\n`),
    progress: progressOn(screen, (line) => screen.line(eventLine(ms(), '', '', line))),
  })
  const app = await run(children, {
    name: root,
    strategy: 'rest_for_one',
    // The submitter says when all is done.
    autoShutdown: 'any_significant',
    shutdown: deadline + REST,
    logger: logger({
      show: (line) => screen.line(eventLine(ms(), '', '', line)),
      report: (text) => errors.write(text),
      verbose,
    }),
  })
  const { by, exitCode } = await app.done
  screen.line(['', ...table(records), '', ...summary(records, ms())].join('\n'))
  if (by !== 'finished') return exitCode
  // Some jobs of the demonstration are meant to fail.
  return jobs.length === 0 || records.every(({ status }) => status === 'done') ? 0 : 1
}
