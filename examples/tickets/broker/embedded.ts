/** The broker inside this program: queues in its memory. They hand over objects as they are, and try again by themselves. */

import { child, type Message, name } from 'sluice'
import { Queue, type QueueMetadata, QueueSource, type QueueSourceOptions, QueueStore } from 'sluice/queue'
import type { Booking, Confirmation } from '../booking.ts'
import { ATTEMPTS, type Broker, type BrokerQueue, CAPACITY, type Patience } from './broker.ts'

class Bookings extends Queue<Booking> {}

class Confirmations extends Queue<Confirmation> {}

/** When a message is tried again that has failed, and one whose handler is gone. */
const RETRY = {
  calm: { retryDelay: 100, visibilityTimeout: 10_000 },
  chaos: { retryDelay: 50, visibilityTimeout: 500 },
}

export function embedded({ chaos }: Patience): Broker {
  const retry = chaos ? RETRY.chaos : RETRY.calm
  // Not in the processes, so that what is left can be read when those have ended.
  const bookings = new QueueStore<Booking>()
  const confirmations = new QueueStore<Confirmation>()
  return {
    name: undefined,
    isShared: false,
    children: [
      child(Bookings, { name: Bookings, arg: { capacity: CAPACITY, maxAttempts: ATTEMPTS, store: bookings } }),
      child(Confirmations, { name: Confirmations, arg: { maxAttempts: ATTEMPTS, store: confirmations } }),
    ],
    bookings: queueOf('bookings', Bookings, bookings, retry, ({ id }) => id),
    confirmations: queueOf('confirmations', Confirmations, confirmations, retry, ({ booking }) => booking),
    close: async () => {},
  }
}

function queueOf<T>(
  called: string,
  queue: new (...args: never[]) => Queue<T>,
  store: QueueStore<T>,
  retry: Pick<QueueSourceOptions<T>, 'retryDelay' | 'visibilityTimeout'>,
  idOf: (data: T) => string,
): BrokerQueue<T> {
  class Source extends QueueSource<T> {
    constructor() {
      super({ queue, ...retry })
    }
  }
  return {
    name: called,
    waiting: 0,
    source: { module: Source, isPartitioned: false, read: (message: Message<T, string, QueueMetadata>) => message },
    retry: undefined,
    deadLetter: undefined,
    publish: async (data, signal) => {
      const messages = data.map((each) => ({ data: each }))
      await name(queue).with({ signal, timeout: Infinity }).call.enqueueMany(messages)
    },
    // Who publishes waits for room.
    hasRoom: async () => true,
    isDone: async () => {
      const { ready, inFlight, delayed, waitingToEnqueue } = await name(queue).call.stats()
      return ready + inFlight + delayed + waitingToEnqueue === 0
    },
    stats: async () => {
      const { ready, inFlight: inHand, delayed, dead, totals } = await name(queue).call.stats()
      return { ready, inHand, delayed, dead, done: totals.acknowledged + dead }
    },
    account: async () => ({
      accepted: store.totals.enqueued,
      stored: store.messages().map(({ data, state }) => ({ id: idOf(data), isDead: state === 'dead' })),
      unknown: undefined,
      retried: store.totals.returned + store.totals.expired,
    }),
  }
}
