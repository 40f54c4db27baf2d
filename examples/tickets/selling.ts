/** The pipeline that sells: buyers are looked up for several bookings at once, tickets are sold in bulk, each kind on its own. */

import { type BatcherOptions, Broadway, type Failure, type Message, type PipelineStage } from 'sluice'
import type { Booking, Confirmation, Kind, User } from './booking.ts'
import type { BrokerQueue, Delivery } from './broker/broker.ts'
import type { Fault } from './faults.ts'
import { Refusal, refusalOf } from './refusal.ts'
import type { Tally } from './tally.ts'
import type { Availability, Tickets } from './tickets.ts'

export interface SellingOptions {
  readonly bookings: BrokerQueue<Booking>
  readonly confirmations: Pick<BrokerQueue<Confirmation>, 'publish'>
  readonly tickets: Tickets
  readonly tally: Tally
  readonly processors: number
  readonly maxRestarts: number
  /** What goes wrong on purpose. */
  readonly fault: Fault
}

/** A booking, with what is known of it. */
interface Order {
  /** `undefined`: the message says something else. */
  readonly booking: Booking | undefined
  /** `undefined`: unknown. */
  readonly buyer: User | undefined
  /** Of the show; `undefined`: unknown. */
  readonly availability: Availability | undefined
  /** It came before, and has its ticket. */
  readonly sold: boolean
}

/** A booking that may have a ticket. */
interface Sale {
  readonly booking: Booking
  readonly buyer: User
}

type OrderMessage = Message<Order, 'default', Delivery>

export function selling(options: SellingOptions) {
  const { source, retry, deadLetter } = options.bookings
  const sale = (batchSize: number, concurrency = 1): BatcherOptions<Message<Sale>, SellingOptions> => ({
    batchSize,
    concurrency,
    batchTimeout: 100,
    handleBatch: sell,
  })
  return Broadway.child({
    name: 'selling',
    context: options,
    maxRestarts: options.maxRestarts,
    producer: { module: source.module, transformer: (event: unknown) => toOrder(source.read(event)) },
    retry: retry && { ...retry, when: (failure) => triesAgain(failure, options.tally) },
    processors: {
      default: { concurrency: options.processors, maxDemand: 20, prepareMessages: lookUp, handleMessage: route },
    },
    // Cinemas sell most.
    batchers: { cinema: sale(75, 2), musical: sale(50), default: sale(25) },
    handleFailed: refuse,
    deadLetter: deadLetter && openOnes(deadLetter),
  })
}

/** What was refused is refused for good. */
function triesAgain({ reason }: Failure, tally: Tally) {
  if (reason instanceof Refusal) return false
  tally.retried++
  return true
}

function toOrder(message: Message<Booking | undefined, string, Delivery>): Message<Order, string, Delivery> {
  return message.updateData((booking) => ({ booking, buyer: undefined, availability: undefined, sold: false }))
}

/** Three questions to the database for all bookings that came together, instead of three for each. */
async function lookUp(messages: readonly OrderMessage[], { tickets }: SellingOptions) {
  const bookings = messages.flatMap(({ data }) => data.booking ?? [])
  const [users, shows, sold] = await Promise.all([
    tickets.usersById(bookings.map(({ user }) => user)),
    tickets.availability(bookings.map(({ show }) => show)),
    tickets.sold(bookings.map(({ id }) => id)),
  ])
  return messages.map((message) =>
    message.updateData(({ booking }) => ({
      booking,
      buyer: booking && users.get(booking.user),
      availability: booking && shows.get(booking.show),
      sold: booking !== undefined && sold.has(booking.id),
    })),
  )
}

function route(message: OrderMessage, { fault }: SellingOptions, stage: PipelineStage) {
  const { booking, buyer, availability, sold } = message.data
  if (booking === undefined) return message.failed('no booking')
  // Deliveries and attempts: some brokers try again, for others the pipeline does.
  fault(booking, message.metadata.attempts + message.attempts - 1, stage)
  if (buyer === undefined) return message.failed(new Refusal('unknown user'))
  if (availability === undefined) return message.failed(new Refusal('unknown show'))
  if (availability.left === 0 && !sold) return message.failed(new Refusal('sold out'))
  return message.putData({ booking, buyer }).putBatcher(batcherOf(availability.kind))
}

function batcherOf(kind: Kind) {
  return kind === 'cinema' || kind === 'musical' ? kind : 'default'
}

/** The seats that were left a moment ago may be gone, so this decides. */
async function sell(
  messages: readonly Message<Sale>[],
  _info: unknown,
  { tickets, tally, confirmations }: SellingOptions,
) {
  const outcomes = await tickets.sell(messages.map(({ data }) => data.booking))
  const sold = messages.filter(({ data }) => outcomes.get(data.booking.id) !== 'sold out')
  // A ticket that was there already may be one whose buyer never heard of it.
  await confirmations.publish(
    sold.map(({ data: { booking, buyer } }) => ({ booking: booking.id, buyer: buyer.id, recipient: buyer.email })),
  )
  const booked = [...outcomes.values()].filter((outcome) => outcome === 'booked').length
  tally.booked += booked
  tally.repeated += sold.length - booked
  return messages.map((message) => (sold.includes(message) ? message : message.failed(new Refusal('sold out'))))
}

/** Refused for good: it is noted down, and not delivered again. Whatever else has failed is. */
async function refuse(messages: readonly Message<Order | Sale>[], { tickets, tally, bookings }: SellingOptions) {
  for (const why of ['sold out', 'unknown user', 'unknown show'] as const) {
    const refused = messages.filter((message) => refusalOf(message)?.why === why)
    if (refused.length === 0) continue
    const ids = refused.flatMap(({ data }) => data.booking?.id ?? [])
    const noted = await tickets.refuse(ids, why)
    tally.refused += noted
  }
  return messages.map((message) => {
    const refusal = refusalOf(message)
    if (refusal === undefined) return message
    // Where failed messages go to `deadLetter`, it is not among them.
    return bookings.deadLetter === undefined
      ? message.configureAck({ onFailure: 'ack' })
      : message.failed(new Refusal(refusal.why, true))
  })
}

/** What was refused is in good hands once it is noted down. */
function openOnes(deadLetter: NonNullable<BrokerQueue<Booking>['deadLetter']>): typeof deadLetter {
  const isOpen = (message: Message) => !refusalOf(message)?.isNoted
  return (failed, context, stage) => deadLetter(failed.filter(isOpen), context, stage)
}
