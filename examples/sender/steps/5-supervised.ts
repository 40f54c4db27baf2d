/**
 * 5. The same, and the mails belong to a supervisor: one that fails is an outcome like any other, and those that are on their
 * way can be listed, and stopped with the application, in one place.
 */

import { type StreamOutcome, Task, TaskSupervisor } from 'sluice'
import type { Limits, Receipt, Send } from '../mail.ts'

/** The supervisor of the mails, a child of the application: `child(Mailers, { name: Mailers })`. */
export class Mailers extends TaskSupervisor {}

export function supervised(
  addresses: Iterable<string> | AsyncIterable<string>,
  send: Send,
  limits: Limits,
): Task<readonly StreamOutcome<Receipt, string>[]> {
  return Task.async(async function campaign(self) {
    const outcomes: StreamOutcome<Receipt, string>[] = []
    // What a program that is no process says: TaskSupervisor.asyncStreamNolink(Mailers, addresses, ...).
    const mails = self.asyncStream(addresses, (address, { signal }) => send(address, signal), {
      supervisor: Mailers,
      link: false,
      ...limits,
      ordered: false,
      onTimeout: 'kill_task',
      zipInputOnExit: true,
    })
    for await (const outcome of mails) outcomes.push(outcome)
    return outcomes
  })
}
