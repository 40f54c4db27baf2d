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
