/** The program, with its surroundings given to it. */

import { CallError, name, run, startLink } from 'sluice'
import { QueueStore } from 'sluice/queue'
import { InputError } from '../command-line/input-error.ts'
import type { Output } from '../command-line/output.ts'
import { Screen } from '../command-line/screen.ts'
import { MailServer } from '../sender/mail-server.ts'
import { type Arguments, readArguments, USAGE } from './arguments.ts'
import type { Booking, Confirmation } from './booking.ts'
import { Customers } from './customers.ts'
import type { Database } from './database/database.ts'
import { openDatabase } from './database/open.ts'
import { smtp } from './digest.ts'
import { logger } from './log.ts'
import type { ProgressOptions } from './progress.ts'
import { Bookings, Confirmations } from './queues.ts'
import { balanceOf, type Outcome, report, whole } from './report.ts'
import { Tally } from './tally.ts'
import { MAILS } from './telling.ts'
import { Tickets } from './tickets.ts'
import { tree } from './tree.ts'
import { showsFor, usersOf } from './world.ts'

/** Runs the program and returns its exit code. */
export async function program(
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
  out: Output,
  errors: Output,
): Promise<number> {
  try {
    const given = readArguments(args, environment['DATABASE_URL'])
    if (given.help) {
      out.write(USAGE)
      return 0
    }
    const screen = new Screen(out)
    screen.status('Opening the database ...')
    await using database = await openDatabase({ url: given.database, schema: given.schema })
    screen.status('')
    return await sellTickets(given, database, screen, errors)
  } catch (error) {
    if (!(error instanceof InputError)) throw error
    errors.write(`tickets: ${error.message}\n`)
    return 1
  }
}

async function sellTickets(given: Arguments, database: Database, screen: Screen, errors: Output): Promise<number> {
  const { bookings, chaos } = given
  const count = bookings === Infinity ? 'until it is stopped' : `${whole(bookings)} bookings`
  screen.line(`Selling tickets: ${count}, ${database.name}${chaos ? ', with chaos' : ''}\n`)
  const began = performance.now()
  const tickets = new Tickets(database)
  await tickets.open(usersOf(given.users), showsFor(given.bookings))
  // No part of the application: it is there until the last e-mail has been sent.
  await using post = await startLink(MailServer, { arg: { answer: () => 'accepted' } })
  const mail = smtp(await post.call.url(), MAILS)
  const tally = new Tally()
  const stores = { bookings: new QueueStore<Booking>(), confirmations: new QueueStore<Confirmation>() }
  const children = tree({
    given,
    database,
    tickets,
    tally,
    stores,
    send: mail.send,
    progress: { tally: () => tally, count: given.bookings, ...progressOn(screen) },
  })
  const app = await run(children, {
    strategy: 'rest_for_one',
    shutdown: given.deadline,
    exitCode: 'zero_when_drained',
    logger: logger(screen, errors, given.verbose || !given.chaos),
  })
  void everythingSold().then(() => app.stop(), ignoreEnded)
  const { exitCode } = await app.done
  mail.close()
  const outcome: Outcome = {
    accepted: stores.bookings.totals.enqueued,
    sales: await tickets.sales(),
    stored: stores.bookings.messages(),
    settled: await tickets.settled(stores.bookings.messages().map(({ data }) => data.id)),
    retried: stores.bookings.totals.returned + stores.bookings.totals.expired,
    tally,
    ms: performance.now() - began,
  }
  screen.line(report(outcome))
  return balanceOf(outcome).missing === 0 ? exitCode : 1
}

/** Every booking is in the queue, and out of it; so is every confirmation. */
async function everythingSold(): Promise<void> {
  const patiently = { timeout: Infinity }
  await name(Customers).with(patiently).call.finished()
  await name(Bookings).with(patiently).call.idle()
  await name(Confirmations).with(patiently).call.idle()
}

/** Whoever was asked has been stopped before. */
function ignoreEnded(error: unknown): void {
  if (!(error instanceof CallError)) throw error
}

/** A terminal gets one line that changes, anything else a line a second. */
function progressOn(screen: Screen): Pick<ProgressOptions, 'every' | 'show'> {
  if (screen.changes) return { every: 50, show: (line) => screen.status(line) }
  const show = (line: string) => {
    if (line !== '') screen.line(line)
  }
  return { every: 1000, show }
}
