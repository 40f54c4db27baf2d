/** The broker that a server is: `bookings_queue` and `notifications_queue`, as in the book. */

import { channels } from 'sluice/telemetry'
import { bookingIn, confirmationIn } from '../booking.ts'
import type { Broker, Patience } from './broker.ts'
import { QueueAtServer } from './queue-at-server.ts'
import type { Server } from './server.ts'

export interface AtServerOptions extends Patience {
  /** In front of the names of the queues. */
  readonly prefix: string
}

/** @throws `InputError` when the server has such queues of another kind. */
export async function atServer(server: Server, { prefix, chaos }: AtServerOptions): Promise<Broker> {
  const bookings = await QueueAtServer.open(server, {
    chaos,
    name: `${prefix}bookings_queue`,
    pipeline: 'selling',
    prefetch: 500,
    read: bookingIn,
    idOf: ({ id }) => id,
    keyOf: ({ id }) => id,
  })
  const confirmations = await QueueAtServer.open(server, {
    chaos,
    name: `${prefix}notifications_queue`,
    pipeline: 'telling',
    // The windows of many buyers are open at the same time.
    prefetch: 5_000,
    read: confirmationIn,
    idOf: ({ booking }) => booking,
    keyOf: ({ recipient }) => recipient,
  })
  const queues = [bookings, confirmations]
  const acknowledged: Parameters<typeof channels.broadwayAck.subscribe>[0] = (acknowledgement) => {
    for (const queue of queues) queue.acknowledged(acknowledgement)
  }
  channels.broadwayAck.subscribe(acknowledged)
  return {
    name: server.name,
    isShared: true,
    children: server.children,
    bookings,
    confirmations,
    close: async () => {
      channels.broadwayAck.unsubscribe(acknowledged)
      await server.close()
    },
  }
}
