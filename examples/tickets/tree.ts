/** The processes of the program, in the order of their start. They stop the other way round, each after who needs it. */

import { type ChildSpec, child } from 'sluice'
import { Progress, type ProgressLine, type ProgressOptions } from '../command-line/progress.ts'
import type { Arguments } from './arguments.ts'
import type { Broker } from './broker/broker.ts'
import { ClosingTime } from './closing-time.ts'
import { Customers } from './customers.ts'
import type { Database } from './database/database.ts'
import type { SendMail } from './digest.ts'
import { faults, noFaults } from './faults.ts'
import { LastMails } from './last-mails.ts'
import { Outage } from './outage.ts'
import { selling } from './selling.ts'
import type { Tally } from './tally.ts'
import { telling } from './telling.ts'
import type { Tickets } from './tickets.ts'
import { bookings, seriesOf } from './world.ts'

export interface TreeOptions {
  readonly given: Arguments
  readonly database: Database
  readonly tickets: Tickets
  readonly tally: Tally
  readonly broker: Broker
  readonly send: SendMail
  /** Ends the program, when all is sold. */
  readonly close: () => void
  readonly progress: ProgressOptions & { readonly line: ProgressLine }
}

/** Milliseconds. */
const OUTAGE = 300

export function tree({
  given,
  database,
  tickets,
  tally,
  broker,
  send,
  close,
  progress,
}: TreeOptions): readonly ChildSpec[] {
  const { command, processors, users, seed, rate, window, chaos } = given
  const { bookings: queue, confirmations } = broker
  // Who kills on purpose expects more restarts than anybody else should.
  const maxRestarts = chaos ? 1_000 : 3
  const fault = chaos ? faults(seed, tally) : noFaults
  return [
    ...broker.children,
    ...(chaos ? [child(Outage, { name: Outage, arg: { database, begun: () => tally.outages++, lasts: OUTAGE } })] : []),
    telling({ confirmations, tickets, tally, send, window, maxRestarts }),
    child(LastMails, { shutdown: given.deadline, arg: { queue: () => confirmations, patience: given.deadline / 2 } }),
    selling({ bookings: queue, confirmations, tickets, tally, processors, maxRestarts, fault }),
    ...(command === 'sell'
      ? []
      : [
          child(Customers, {
            name: Customers,
            arg: {
              queue: () => queue,
              bookings: () => bookings({ seed, users, series: seriesOf(broker) }),
              count: given.bookings,
              rate,
            },
          }),
        ]),
    ...(given.forever
      ? []
      : [child(ClosingTime, { arg: { broker: () => broker, customers: command !== 'sell', close } })]),
    child(Progress, { name: Progress, arg: progress }),
  ]
}
