/** How the run goes. */

import type { ProgressLine } from '../command-line/progress.ts'
import type { Broker } from './broker/broker.ts'
import { bar, whole } from './report.ts'
import type { Tally } from './tally.ts'

const BAR = 20

/** `count` is how many bookings there are in all; may be `Infinity`. */
export function progressLine(
  tally: Tally,
  broker: Pick<Broker, 'bookings' | 'confirmations'>,
  count: number,
): ProgressLine {
  return async (ms) => {
    const [bookings, confirmations] = await Promise.all([broker.bookings.stats(), broker.confirmations.stats()])
    const { ready = '?', inHand, delayed, dead, done } = bookings
    const of = count === Infinity ? '' : ` of ${whole(count)}`
    return [
      `${count === Infinity ? '' : `${bar(done / count, BAR)} `}${whole(done)}${of} bookings`,
      `${whole((done * 1000) / ms)}/s`,
      `${whole(tally.booked)} booked, ${whole(tally.refused)} refused, ${dead} dead`,
      `queue ${ready}, in hand ${inHand}, to retry ${delayed}`,
      `${whole(tally.digests)} e-mails, ${(confirmations.ready ?? 0) + confirmations.inHand} tickets to tell of`,
    ].join(' · ')
  }
}
