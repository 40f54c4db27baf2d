/** 1. One mail after the other: all wait for the slow one, and the first that fails is the last that was tried. */

import type { Receipt, Send } from '../mail.ts'

export async function sequential(addresses: readonly string[], send: Send): Promise<readonly Receipt[]> {
  const receipts: Receipt[] = []
  for (const address of addresses) receipts.push(await send(address))
  return receipts
}
