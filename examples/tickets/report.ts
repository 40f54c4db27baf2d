/** The result, for people. */

import type { Stored } from './broker/broker.ts'
import type { Tally } from './tally.ts'
import type { Sales, ShowSales } from './tickets.ts'

export interface Outcome {
  /** Bookings that the queue took, as far as this program knows. */
  readonly accepted: number
  /** Others may have put more into the queue. */
  readonly isShared: boolean
  readonly sales: Sales
  /** What is in the queue at the end, as far as it is known. */
  readonly stored: readonly Stored[]
  /** Why it is not known what is left in the queue; `undefined` when it is. */
  readonly unknown: string | undefined
  /** Those of the bookings in the queue that have their ticket, or were refused: they were done when their answer was lost. */
  readonly settled: ReadonlySet<string>
  /** Deliveries that came to nothing, and were repeated or given up. */
  readonly retried: number
  readonly tally: Tally
  readonly ms: number
}

/** What became of the bookings, each counted once. */
export interface Balance {
  readonly accepted: number
  readonly booked: number
  readonly refused: number
  readonly failed: readonly Stored[]
  /** `undefined`: unknown. */
  readonly left: readonly Stored[] | undefined
  /** Accepted, and nowhere to be found: more or less than 0 is a defect. Where it is unknown what is left, nothing is missing. */
  readonly missing: number
}

export function balanceOf({ accepted: known, isShared, sales, stored, settled, unknown }: Outcome): Balance {
  const open = stored.filter(({ id }) => !settled.has(id))
  const failed = open.filter(({ isDead }) => isDead)
  const left = open.filter(({ isDead }) => !isDead)
  const booked = sales.tickets
  const refused = [...sales.refusals.values()].reduce((sum, count) => sum + count, 0)
  const found = booked + refused + failed.length + left.length
  const accepted = isShared ? Math.max(known, found) : known
  if (unknown !== undefined) return { accepted, booked, refused, failed, left: undefined, missing: 0 }
  return { accepted, booked, refused, failed, left, missing: accepted - found }
}

export function report(outcome: Outcome): string {
  const { sales, retried, tally, ms } = outcome
  const { accepted, booked, refused, failed, left, missing } = balanceOf(outcome)
  const seconds = ms / 1000
  const reasons = [...sales.refusals].map(([reason, count]) => `${whole(count)} ${reason}`)
  const untold = sales.tickets - sales.confirmed
  const { repeated, thrown, killed, outages } = tally
  return [
    ...table(sales.shows),
    '',
    `${whole(accepted)} bookings accepted in ${seconds.toFixed(2)} s, ${whole(accepted / seconds)} bookings/s`,
    row(booked, 'booked'),
    row(refused, 'refused', reasons.join(', ')),
    row(failed.length, 'failed, now dead letters', some(failed)),
    left === undefined ? row('?', 'left in the queue') : row(left.length, 'left in the queue', some(left)),
    ...(missing === 0 ? [] : [row(missing, 'MISSING')]),
    '',
    `${whole(sales.confirmed)} tickets told of in ${whole(sales.digests)} e-mails, ${whole(untold)} not told of`,
    `${whole(retried)} deliveries were retried, ${whole(repeated)} came again when they had their ticket`,
    ...(thrown + killed + outages === 0
      ? []
      : [
          `chaos: ${whole(thrown)} handlers threw, ${whole(killed)} processors killed, ${whole(outages)} outages of the database`,
        ]),
    '',
  ].join('\n')
}

function row(count: number | '?', what: string, remark = ''): string {
  const shown = count === '?' ? count : whole(count)
  return `${shown.padStart(8)} ${what}${shown !== '0' && remark !== '' ? `: ${remark}` : ''}`
}

/** Bookings named in a line. */
const NAMED = 5

function some(messages: readonly Stored[]): string {
  const named = messages.slice(0, NAMED).map(({ id }) => id)
  return messages.length > NAMED ? `${named.join(', ')} ...` : named.join(', ')
}

const BAR = 24

/** More seats than that are as good as endless: then shows are compared with one another. */
const HOUSE = 1_000_000

/** How each show sold. */
function table(shows: readonly ShowSales[]): readonly string[] {
  const endless = shows.some(({ seats }) => seats > HOUSE)
  const most = Math.max(1, ...shows.map(({ sold }) => sold))
  const of = (seats: number) => (endless ? '' : ` of ${whole(seats).padStart(whole(largest).length)}`)
  const largest = Math.max(0, ...shows.map(({ seats }) => seats))
  const digits = whole(endless ? most : largest).length
  const width = Math.max(0, ...shows.map(({ title }) => title.length))
  return shows.map(({ title, kind, seats, sold }) => {
    const share = bar(sold / (endless ? most : seats), BAR)
    const full = sold === seats ? '  sold out' : ''
    return `${kind.padEnd(7)}  ${title.padEnd(width)}  ${share}  ${whole(sold).padStart(digits)}${of(seats)}${full}`
  })
}

export function bar(share: number, width: number): string {
  const full = Math.min(width, Math.floor(share * width))
  return '█'.repeat(full) + '░'.repeat(width - full)
}

/** A number with separators: 69,899. */
export function whole(value: number): string {
  return Math.round(value).toLocaleString('en')
}
