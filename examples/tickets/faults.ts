/** What goes wrong on purpose, the same for each seed: the handler of a booking throws, or is killed. */

import { name, type PipelineStage, whereis } from 'sluice'
import { Progress } from '../command-line/progress.ts'
import { chanceFrom } from '../random.ts'
import type { Booking } from './booking.ts'
import { Outage } from './outage.ts'
import type { Tally } from './tally.ts'

/** Called with each delivery of a booking, by who handles it. */
export type Fault = (booking: Booking, attempts: number, stage: PipelineStage) => void

/** Shares of the bookings whose handler throws the first time, and each time. */
const ONCE = 0.05
const ALWAYS = 0.002
/** So often a processor is killed, and the database refuses, counted in bookings. */
const KILL = 400
const REFUSE = 1_000

export const noFaults: Fault = () => {}

export function faults(seed: number, tally: Tally): Fault {
  const fail = (text: string) => {
    tally.thrown++
    throw new Error(text)
  }
  return ({ id }, attempts, stage) => {
    const number = Number(/\d+$/.exec(id)?.[0] ?? 0)
    const { chance } = chanceFrom(seed + number)
    if (chance(ALWAYS)) fail(`${id} cannot be read`)
    if (attempts > 1) return
    // Not while the program ends: who is killed then has not finished, and that is told.
    if (number % KILL === KILL / 2 && whereis(Progress) !== undefined) {
      tally.killed++
      stage.self.kill()
    }
    if (number % REFUSE === REFUSE / 2) name(Outage).cast.begin()
    if (chance(ONCE)) fail(`${id} was dropped by the clerk`)
  }
}
