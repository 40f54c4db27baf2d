/** The program, with its surroundings given to it. */

import { run, startLink } from 'sluice'
import { InputError } from '../command-line/input-error.ts'
import type { Output } from '../command-line/output.ts'
import { progressOn } from '../command-line/progress.ts'
import { Screen } from '../command-line/screen.ts'
import { MailServer } from '../sender/mail-server.ts'
import { type Arguments, readArguments, USAGE } from './arguments.ts'
import type { Broker } from './broker/broker.ts'
import { openBroker } from './broker/open.ts'
import type { Database } from './database/database.ts'
import { openDatabase } from './database/open.ts'
import { smtp } from './digest.ts'
import { logger } from './log.ts'
import { progressLine } from './progress.ts'
import { publish } from './publish.ts'
import { balanceOf, type Outcome, report, whole } from './report.ts'
import { Tally } from './tally.ts'
import { MAILS } from './telling.ts'
import { Tickets } from './tickets.ts'
import { tree } from './tree.ts'
import { showsFor, usersOf } from './world.ts'

/** Milliseconds that a server has to say what is left in its queue, and what it has of them when there is no more time. */
const COUNTING = 5_000
const SOON = 200

/** Runs the program and returns its exit code. */
export async function program(
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
  out: Output,
  errors: Output,
): Promise<number> {
  try {
    const given = readArguments(args, { database: environment['DATABASE_URL'], broker: environment['BROKER_URL'] })
    if (given.help) {
      out.write(USAGE)
      return 0
    }
    const screen = new Screen(out)
    await using broker = await openBroker({ url: given.broker, prefix: given.prefix, chaos: given.chaos })
    if (given.command === 'publish') return await publish(given, broker, screen, errors)
    if (given.command === 'sell' && broker.bookings.waiting === undefined && !given.forever) {
      const text = `sell: ${broker.name} cannot say what waits, so nobody knows when all of it is sold; expected sell --forever`
      throw new InputError(text)
    }
    if (given.command === 'sell' && broker.bookings.waiting === 0 && !given.forever) {
      screen.line(`${broker.bookings.name} is empty: npm start -- publish 1000`)
      return 0
    }
    screen.status('Opening the database ...')
    await using database = await openDatabase({ url: given.database, schema: given.schema })
    screen.status('')
    return await sellTickets(given, broker, database, screen, errors)
  } catch (error) {
    if (!(error instanceof InputError)) throw error
    errors.write(`tickets: ${error.message}\n`)
    return 1
  }
}

async function sellTickets(
  given: Arguments,
  broker: Broker,
  database: Database,
  screen: Screen,
  errors: Output,
): Promise<number> {
  const { forever, chaos } = given
  const count = forever ? Infinity : (broker.bookings.waiting ?? 0) + given.bookings
  const places = [database.name, ...(broker.name === undefined ? [] : [broker.name])].join(', ')
  screen.line(
    `Selling tickets: ${forever ? 'until it is stopped' : `${whole(count)} bookings`}, ${places}${chaos ? ', with chaos' : ''}\n`,
  )
  const began = performance.now()
  const tickets = new Tickets(database)
  await tickets.open(usersOf(given.users), showsFor(count))
  // No part of the application: it is there until the last e-mail has been sent.
  await using post = await startLink(MailServer, { arg: { answer: () => 'accepted' } })
  const mail = smtp(await post.call.url(), MAILS)
  const tally = new Tally()
  let close = () => {}
  const closed = new Promise<void>((resolve) => {
    close = resolve
  })
  const children = tree({
    given,
    database,
    tickets,
    tally,
    broker,
    send: mail.send,
    close,
    progress: { ...progressOn(screen), line: progressLine(tally, broker, count) },
  })
  const app = await run(children, {
    strategy: 'rest_for_one',
    shutdown: given.deadline,
    exitCode: 'zero_when_drained',
    logger: logger(screen, errors, given.verbose || !given.chaos),
  })
  void closed.then(() => app.stop())
  const { exitCode, by, ms: stopping } = await app.done
  mail.close()
  // Who was told to end is ended at the deadline, or soon after.
  const patience = by === 'stop' ? COUNTING : Math.max(SOON, Math.min(COUNTING, given.deadline - stopping - SOON))
  const outcome = await outcomeOf(tickets, broker, tally, performance.now() - began, patience)
  screen.line(report(outcome))
  if (outcome.unknown !== undefined) {
    const consequence = 'the account is incomplete, and nobody knows whether a booking is missing'
    errors.write(`tickets: ${broker.name}: ${outcome.unknown}; ${consequence}\n`)
    return 1
  }
  return balanceOf(outcome).missing === 0 ? exitCode : 1
}

async function outcomeOf(
  tickets: Tickets,
  broker: Broker,
  tally: Tally,
  ms: number,
  patience: number,
): Promise<Outcome> {
  const { accepted, stored, unknown, retried } = await broker.bookings.account(patience)
  return {
    accepted,
    isShared: broker.isShared,
    sales: await tickets.sales(),
    stored,
    unknown,
    settled: await tickets.settled(stored.map(({ id }) => id)),
    retried: retried + tally.retried,
    tally,
    ms,
  }
}
