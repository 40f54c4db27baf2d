/** What customers ask for, and what they get. */

/** A seat in a show for somebody, asked for once. However often it is delivered, it is one ticket at most. */
export interface Booking {
  readonly id: string
  /** The id of the show. */
  readonly show: string
  /** The id of the user. */
  readonly user: number
}

/** Shows are of kinds, since each kind sells differently. */
export type Kind = 'cinema' | 'musical' | 'concert' | 'play'

export interface Show {
  readonly id: string
  readonly title: string
  readonly kind: Kind
  readonly seats: number
}

export interface User {
  readonly id: number
  readonly name: string
  readonly email: string
}

/** A ticket was sold; its buyer is to hear of it. */
export interface Confirmation {
  readonly booking: string
  /** The id of the user. */
  readonly buyer: number
  /** The e-mail address of the buyer. */
  readonly recipient: string
}

/** The booking that somebody has sent; `undefined` when it is none. */
export function bookingIn(sent: unknown): Booking | undefined {
  const { id, show, user }: Partial<Record<keyof Booking, unknown>> = Object(sent)
  if (typeof id !== 'string' || typeof show !== 'string' || typeof user !== 'number') return undefined
  return { id, show, user }
}

/** The confirmation that somebody has sent; `undefined` when it is none. */
export function confirmationIn(sent: unknown): Confirmation | undefined {
  const { booking, buyer, recipient }: Partial<Record<keyof Confirmation, unknown>> = Object(sent)
  if (typeof booking !== 'string' || typeof buyer !== 'number' || typeof recipient !== 'string') return undefined
  return { booking, buyer, recipient }
}
