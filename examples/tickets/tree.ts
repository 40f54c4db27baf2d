/** The processes of the program, in the order of their start. They stop the other way round, each after who needs it. */

import { type ChildSpec, child } from 'sluice'
import type { QueueStore } from 'sluice/queue'
import type { Arguments } from './arguments.ts'
import type { Booking, Confirmation } from './booking.ts'
import { Customers } from './customers.ts'
import type { Database } from './database/database.ts'
import type { SendMail } from './digest.ts'
import { faults, noFaults } from './faults.ts'
import { LastMails } from './last-mails.ts'
import { Outage } from './outage.ts'
import { Progress, type ProgressOptions } from './progress.ts'
import { Bookings, Confirmations } from './queues.ts'
import { selling } from './selling.ts'
import type { Tally } from './tally.ts'
import { telling } from './telling.ts'
import type { Tickets } from './tickets.ts'
import { bookings } from './world.ts'

export interface TreeOptions {
  readonly given: Arguments
  readonly database: Database
  readonly tickets: Tickets
  readonly tally: Tally
  readonly stores: { readonly bookings: QueueStore<Booking>; readonly confirmations: QueueStore<Confirmation> }
  readonly send: SendMail
  readonly progress: ProgressOptions
}

/** Bookings that wait, or are in hand; customers wait for room. */
const CAPACITY = 500
const ATTEMPTS = 6
/** When a booking is tried again that has failed, and one whose handler is gone. */
const RETRY = {
  calm: { retryDelay: 100, visibilityTimeout: 10_000 },
  chaos: { retryDelay: 50, visibilityTimeout: 500 },
}
const OUTAGE = 300

export function tree({ given, database, tickets, tally, stores, send, progress }: TreeOptions): readonly ChildSpec[] {
  const { processors, users, seed, rate, window, chaos } = given
  // Who kills on purpose expects more restarts than anybody else should.
  const maxRestarts = chaos ? 1_000 : 3
  const retry = chaos ? RETRY.chaos : RETRY.calm
  const fault = chaos ? faults(seed, tally) : noFaults
  return [
    child(Bookings, { name: Bookings, arg: { capacity: CAPACITY, maxAttempts: ATTEMPTS, store: stores.bookings } }),
    child(Confirmations, { name: Confirmations, arg: { maxAttempts: ATTEMPTS, store: stores.confirmations } }),
    ...(chaos ? [child(Outage, { name: Outage, arg: { database, begun: () => tally.outages++, lasts: OUTAGE } })] : []),
    telling({ tickets, tally, send, window, maxRestarts, retry }),
    child(LastMails, { arg: given.deadline / 2 }),
    selling({ tickets, tally, processors, maxRestarts, fault, retry }),
    child(Customers, {
      name: Customers,
      arg: { bookings: () => bookings({ seed, users }), count: given.bookings, rate },
    }),
    child(Progress, { arg: progress }),
  ]
}
