/** The box office in the database: who may buy what, and what was sold. Nothing here is sold twice. */

import type { Booking, Kind, Show, User } from './booking.ts'
import type { Database } from './database/database.ts'

/** What became of a booking. `already`: it was delivered before, and has had its ticket since. */
export type Outcome = 'booked' | 'already' | 'sold out'

export interface Availability {
  readonly kind: Kind
  /** Seats that are not sold. */
  readonly left: number
}

/** A ticket that its buyer has not heard of. */
export interface Ticket {
  readonly booking: string
  readonly title: string
  readonly seat: number
  readonly buyer: string
}

/** What is in the database, counted. */
export interface Sales {
  readonly tickets: number
  /** Of them with an e-mail that tells of them. */
  readonly confirmed: number
  /** Those e-mails. */
  readonly digests: number
  readonly refusals: ReadonlyMap<string, number>
  readonly shows: readonly ShowSales[]
}

export interface ShowSales {
  readonly title: string
  readonly kind: Kind
  readonly seats: number
  readonly sold: number
}

/** What is sold before is sold out for those who come after, so shows are locked, always in the same order. */
const LOCK = 'select id from shows where id = any($1) order by id for update'

/** Seats are given out in the order of the bookings, to those that have none. */
const SELL = `
with asked as (
  select * from jsonb_to_recordset($1) as asked (place int, booking text, show text, buyer int)
), seated as (
  select asked.*, sold + row_number() over (partition by show order by place) as seat, seats
  from asked join shows on shows.id = show
  where not exists (select from tickets where tickets.booking = asked.booking)
), sold as (
  insert into tickets (booking, show, seat, buyer)
  select booking, show, seat, buyer from seated where seat <= seats
  on conflict (booking) do nothing
  returning booking, show, seat
), counted as (
  update shows set sold = last from (select show, max(seat) as last from sold group by show) as sales where id = show
)
select asked.booking, sold.booking is not null as booked, tickets.booking is not null as already
from asked left join sold using (booking) left join tickets using (booking)`

export class Tickets {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  /** Makes the users and the shows known. */
  async open(users: readonly User[], shows: readonly Show[]): Promise<void> {
    const { query } = this.#database
    await query(
      'insert into users select * from jsonb_to_recordset($1) as given (id int, name text, email text)', //
      [JSON.stringify(users)],
    )
    await query(
      'insert into shows select * from jsonb_to_recordset($1) as given (id text, title text, kind text, seats int)',
      [JSON.stringify(shows)],
    )
  }

  /** Those of the users that there are, by id. */
  async usersById(ids: readonly number[]): Promise<ReadonlyMap<number, User>> {
    const sql = 'select id, name, email from users where id = any($1)'
    const users = await this.#database.query<User>(sql, [[...new Set(ids)]])
    return new Map(users.map((user) => [user.id, user]))
  }

  /** What is known of shows, by id. Soon out of date: it only spares bookings that come too late the way to `sell`. */
  async availability(shows: readonly string[]): Promise<ReadonlyMap<string, Availability>> {
    const sql = 'select id, kind, seats - sold as left from shows where id = any($1)'
    const found = await this.#database.query<Availability & { id: string }>(sql, [[...new Set(shows)]])
    return new Map(found.map(({ id, kind, left }) => [id, { kind, left }]))
  }

  /** Those of the bookings that have their ticket. */
  async sold(bookings: readonly string[]): Promise<ReadonlySet<string>> {
    const sql = 'select booking from tickets where booking = any($1)'
    const found = await this.#database.query<{ booking: string }>(sql, [[...bookings]])
    return new Set(found.map(({ booking }) => booking))
  }

  /**
   * Sells a ticket for each booking, all or none at once, and tells what became of each. Users and shows must be known. Any
   * number of calls may run at the same time, with the same bookings too: no seat is sold twice, no booking gets two.
   */
  async sell(bookings: readonly Booking[]): Promise<ReadonlyMap<string, Outcome>> {
    const each = [...new Map(bookings.map((booking) => [booking.id, booking])).values()]
    const asked = each.map(({ id, show, user }, place) => ({ place, booking: id, show, buyer: user }))
    const rows = await this.#database.transaction(async (query) => {
      await query(LOCK, [[...new Set(each.map(({ show }) => show))]])
      return await query<{ booking: string; booked: boolean; already: boolean }>(SELL, [JSON.stringify(asked)])
    })
    return new Map(
      rows.map(({ booking, booked, already }) => [booking, booked ? 'booked' : already ? 'already' : 'sold out']),
    )
  }

  /** Notes down that bookings get no ticket, and why; once. Gives how many were new. */
  async refuse(bookings: readonly string[], reason: string): Promise<number> {
    const sql = 'insert into refusals select unnest($1::text[]), $2 on conflict do nothing returning booking'
    const refused = await this.#database.query(sql, [[...bookings], reason])
    return refused.length
  }

  /** Those of the bookings that have their ticket, or were refused. */
  async settled(bookings: readonly string[]): Promise<ReadonlySet<string>> {
    const sql = `
      select booking from tickets where booking = any($1) union select booking from refusals where booking = any($1)`
    const found = await this.#database.query<{ booking: string }>(sql, [[...bookings]])
    return new Set(found.map(({ booking }) => booking))
  }

  /** The tickets of these bookings that no digest tells of, in the order of their sale. */
  async unconfirmed(bookings: readonly string[]): Promise<readonly Ticket[]> {
    const sql = `
      select booking, title, seat, name as buyer
      from tickets join shows on shows.id = show join users on users.id = buyer
      where booking = any($1) and digest is null
      order by title, seat`
    return await this.#database.query<Ticket>(sql, [[...bookings]])
  }

  /** These tickets were told of in a digest. */
  async confirm(bookings: readonly string[], digest: string): Promise<void> {
    const sql = 'update tickets set digest = $2 where booking = any($1) and digest is null'
    await this.#database.query(sql, [[...bookings], digest])
  }

  async sales(): Promise<Sales> {
    const { query } = this.#database
    const [counts] = await query<{ tickets: number; confirmed: number; digests: number }>(`
      select count(*)::int as tickets, count(digest)::int as confirmed, count(distinct digest)::int as digests
      from tickets`)
    const refusals = await query<{ reason: string; count: number }>(
      'select reason, count(*)::int as count from refusals group by reason order by count desc, reason',
    )
    const shows = await query<ShowSales>(`
      select title, kind, seats, (select count(*)::int from tickets where show = shows.id) as sold
      from shows order by kind, title`)
    return {
      tickets: counts?.tickets ?? 0,
      confirmed: counts?.confirmed ?? 0,
      digests: counts?.digests ?? 0,
      refusals: new Map(refusals.map(({ reason, count }) => [reason, count])),
      shows,
    }
  }
}
