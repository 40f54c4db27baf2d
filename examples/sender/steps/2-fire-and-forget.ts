/** 2. A process for each mail, and nobody waits: done at once, and whether a mail has arrived stands in no result. */

import { type Ref, Task } from 'sluice'
import type { Send } from '../mail.ts'

export function fireAndForget(addresses: readonly string[], send: Send): readonly Ref[] {
  return addresses.map((address) => Task.start(({ signal }) => send(address, signal)))
}
