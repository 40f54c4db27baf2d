/** 3. All at once, and wait: the receipts come back in order, or not at all, since one failure fails the wait. */

import { Task } from 'sluice'
import type { Receipt, Send } from '../mail.ts'

export async function awaitMany(
  addresses: readonly string[],
  send: Send,
  options: { readonly timeout: number },
): Promise<readonly Receipt[]> {
  const tasks = addresses.map((address) => Task.async(({ signal }) => send(address, signal)))
  return await Task.awaitMany(tasks, options)
}
