/**
 * 4. A few at a time, as they finish, each within its time: the server is not flooded, and who is late is cut off. It is a
 * process that sends, and its mails are linked to it: one that fails takes it down, and it the others.
 */

import { type StreamOutcome, Task } from 'sluice'
import type { Limits, Receipt, Send } from '../mail.ts'

export function stream(
  addresses: Iterable<string> | AsyncIterable<string>,
  send: Send,
  limits: Limits,
): Task<readonly StreamOutcome<Receipt, string>[]> {
  return Task.async(async function campaign(self) {
    const outcomes: StreamOutcome<Receipt, string>[] = []
    const mails = self.asyncStream(addresses, (address, { signal }) => send(address, signal), {
      ...limits,
      ordered: false,
      onTimeout: 'kill_task',
      zipInputOnExit: true,
    })
    for await (const outcome of mails) outcomes.push(outcome)
    return outcomes
  })
}
