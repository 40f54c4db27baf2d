/** Why a booking gets no ticket, and never will: a failure that trying again does not help. */

import type { Message } from 'sluice'

export type Refused = 'sold out' | 'unknown user' | 'unknown show'

export class Refusal {
  readonly why: Refused
  /** The booking is done with. */
  readonly isNoted: boolean

  constructor(why: Refused, isNoted = false) {
    this.why = why
    this.isNoted = isNoted
  }
}

/** How the booking of a message was refused; `undefined` when it was not, or failed in another way. */
export function refusalOf({ status }: Message): Refusal | undefined {
  return status !== 'ok' && status.reason instanceof Refusal ? status.reason : undefined
}
