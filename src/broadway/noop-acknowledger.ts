/** The acknowledger of messages that nobody waits for. */

import { show } from '../stage/show.ts'
import type { Acknowledger } from './acknowledger.ts'
import { BroadwayError } from './errors.ts'

/** For messages that nobody waits for: it tells nobody. Elixir: `Broadway.NoopAcknowledger`. */
export const noopAcknowledger: Acknowledger = {
  ack(ackRef) {
    if (ackRef === undefined) return
    const text = `a message has the ackRef ${show(ackRef)}, and no acknowledger to give it to: set acknowledger beside ackRef`
    throw new BroadwayError('bad_message', text)
  },
}
