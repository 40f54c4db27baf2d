/** Who gets a mail when nobody else is named, and how the mail server of this machine answers for them. */

import { setTimeout as sleep } from 'node:timers/promises'
import type { Answer } from './mail-server.ts'

export const RECIPIENTS: readonly string[] = [
  'ada@example.org',
  'sloth@example.org',
  'grace@example.org',
  'alan@example.org',
  'edsger@example.org',
  'barbara@example.org',
  'donald@example.org',
  'nobody@example.org',
  'grumpy@example.org',
  'tony@example.org',
]

/** Connections that the server allows at the same time; more are turned away. */
export const MAX_CLIENTS = 5

/** The sloth takes its time, nobody has no mailbox, grumpy hangs up. */
export async function answer(address: string): Promise<Answer> {
  const [name] = address.split('@')
  await sleep(name === 'sloth' ? 1_500 : 30)
  if (name === 'nobody') return 'refused'
  return name === 'grumpy' ? 'hung up' : 'accepted'
}
