/** Puts bookings into the queue of a broker, for a program that sells. */

import { CallError, run } from 'sluice'
import type { Output } from '../command-line/output.ts'
import type { Screen } from '../command-line/screen.ts'
import type { Arguments } from './arguments.ts'
import type { Broker } from './broker/broker.ts'
import { logger } from './log.ts'
import { whole } from './report.ts'
import { bookings, seriesOf } from './world.ts'

/** Bookings that are published together. */
const MANY = 500

/** Returns the exit code. What was told to be published is at the broker. */
export async function publish(given: Arguments, broker: Broker, screen: Screen, errors: Output): Promise<number> {
  const { bookings: count, seed, users, deadline: shutdown } = given
  const { bookings: queue } = broker
  const asked = bookings({ seed, users, series: seriesOf(broker) })
  const app = await run(broker.children, { shutdown, logger: logger(screen, errors, true) })
  const began = performance.now()
  let published = 0
  try {
    while (published < count) {
      const some = Array.from({ length: Math.min(MANY, count - published) }, () => asked.next().value)
      await queue.publish(some)
      published += some.length
      screen.status(`${whole(published)} of ${whole(count)} bookings`)
    }
  } catch (error) {
    // After Ctrl-C nobody publishes any more.
    if (!(error instanceof CallError)) throw error
    if (error.cause !== undefined) errors.write(`${error.message}\n`)
  }
  screen.status('')
  const seconds = (performance.now() - began) / 1000
  screen.line(`${whole(published)} bookings published to ${queue.name}, ${broker.name}, in ${seconds.toFixed(2)} s`)
  await app.stop()
  const { exitCode } = await app.done
  return published === count ? exitCode : exitCode || 1
}
