/** Who there is, what is on, and what people ask for: all of it made of a seed. */

import { randomUUID } from 'node:crypto'
import { type Chance, chanceFrom } from '../random.ts'
import type { Booking, Kind, Show, User } from './booking.ts'
import type { Broker } from './broker/broker.ts'

const FIRST = ['Ada', 'Alan', 'Barbara', 'Donald', 'Edsger', 'Frances', 'Grace', 'Joe', 'Robert', 'Tony'] as const
const LAST = ['Armstrong', 'Backus', 'Carr', 'Dean', 'Evans', 'Floyd', 'Gray', 'Hill', 'Iverson', 'Jones'] as const

/** With how many of ten thousand bookings ask for it, and for how many of those it has a seat. */
const PROGRAMME: readonly (readonly [title: string, kind: Kind, asked: number, seats: number])[] = [
  ['Metropolis', 'cinema', 1800, 2500],
  ['Modern Times', 'cinema', 1600, 2500],
  ['Solaris', 'cinema', 1500, 1100],
  ['Playtime', 'cinema', 600, 1200],
  ['Cabaret', 'musical', 1500, 1300],
  ['West Side Story', 'musical', 800, 1500],
  ['Hamlet', 'play', 700, 1200],
  ['Waiting for Godot', 'play', 500, 900],
  ['Goldberg Variations', 'concert', 600, 500],
  ['A Love Supreme', 'concert', 400, 900],
]
const TEN_THOUSAND = 10_000
/** More than a program lives to see. */
const ENDLESS = 1_000_000_000

/** Shares of the bookings that nobody can fulfil. */
const UNKNOWN_USER = 0.01
const UNKNOWN_SHOW = 0.005

/** With ids from 1 on. */
export function usersOf(count: number): readonly User[] {
  return Array.from({ length: count }, (_, index) => {
    const id = index + 1
    const first = FIRST[index % FIRST.length]
    const last = LAST[Math.floor(index / FIRST.length) % LAST.length]
    return { id, name: `${first} ${last}`, email: `${first}.${last}.${id}@example.org`.toLowerCase() }
  })
}

/** What is on, with seats for a run of so many bookings; some shows have too few. */
export function showsFor(bookings: number): readonly Show[] {
  return PROGRAMME.map(([title, kind, , seats]) => ({
    id: idOf(title),
    title,
    kind,
    seats: Math.max(1, Math.ceil((seats * Math.min(bookings, ENDLESS)) / TEN_THOUSAND)),
  }))
}

/** What the ids of bookings begin with: where bookings of other runs may wait as well they must not be taken for the same. */
export function seriesOf({ isShared }: Pick<Broker, 'isShared'>): string {
  return isShared ? `booking-${randomUUID().slice(0, 8)}` : 'booking'
}

export interface AskedOptions {
  readonly seed: number
  /** Users that there are. */
  readonly users: number
  /** What their ids begin with. */
  readonly series: string
}

/** Bookings without end, always the same for a seed but for their ids. A few are for a user or a show that does not exist. */
export function* bookings({ seed, users, series }: AskedOptions): Generator<Booking, never> {
  const random = chanceFrom(seed)
  for (let number = 1; ; number++) {
    yield {
      id: `${series}-${number}`,
      user: random.chance(UNKNOWN_USER) ? users + 1 + random.below(1000) : 1 + random.below(users),
      show: random.chance(UNKNOWN_SHOW) ? 'the-mousetrap' : showFrom(random),
    }
  }
}

function showFrom(random: Chance): string {
  let left = random.below(TEN_THOUSAND)
  const [title] = PROGRAMME.find(([, , asked]) => (left -= asked) < 0) ?? ['']
  return idOf(title)
}

function idOf(title: string): string {
  return title.toLowerCase().replaceAll(' ', '-')
}
