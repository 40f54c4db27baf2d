/** The tables of the tickets example, in real databases. */

import { describe, expect, it } from 'vitest'
import type { Booking } from '../../examples/tickets/booking.ts'
import { openDatabase } from '../../examples/tickets/database/open.ts'
import { Tickets } from '../../examples/tickets/tickets.ts'
import { freshDatabase, freshSchema, SERVER, serverIsThere } from '../support/databases.ts'

const users = [1, 2, 3].map((id) => ({ id, name: `User ${id}`, email: `user${id}@example.org` }))
const shows = [
  { id: 'hamlet', title: 'Hamlet', kind: 'play', seats: 10 },
  { id: 'cats', title: 'Cats', kind: 'musical', seats: 3 },
] as const

const booking = (number: number, show = 'hamlet'): Booking => ({ id: `b${number}`, show, user: 1 + (number % 3) })
const bookings = (from: number, to: number, show?: string) =>
  Array.from({ length: to - from + 1 }, (_, index) => booking(from + index, show))

async function boxOffice(where: 'embedded' | 'server') {
  const database = await freshDatabase(where)
  const tickets = new Tickets(database)
  await tickets.open(users, shows)
  return { database, tickets, [Symbol.asyncDispose]: () => database[Symbol.asyncDispose]() }
}

describe.each([
  { where: 'embedded', there: true },
  { where: 'server', there: serverIsThere },
] as const)('the box office in a database that is $where', ({ where, there }) => {
  const inDatabase = it.runIf(there)

  inDatabase('sells in bulk, in order, until there is no seat left', async () => {
    await using office = await boxOffice(where)
    const { tickets, database } = office
    const outcomes = await tickets.sell([...bookings(1, 8), ...bookings(21, 24, 'cats'), ...bookings(9, 11)])
    expect([...outcomes].filter(([, outcome]) => outcome === 'booked')).toHaveLength(13)
    expect(outcomes.get('b24')).toBe('sold out')
    expect(outcomes.get('b11')).toBe('sold out')
    const rows = await database.query('select booking, seat from tickets where show = $1 order by seat', ['cats'])
    expect(rows).toEqual([
      { booking: 'b21', seat: 1 },
      { booking: 'b22', seat: 2 },
      { booking: 'b23', seat: 3 },
    ])
    expect(await tickets.availability(['cats', 'hamlet', 'unknown'])).toEqual(
      new Map([
        ['cats', { kind: 'musical', left: 0 }],
        ['hamlet', { kind: 'play', left: 0 }],
      ]),
    )
  })

  inDatabase('gives a booking one ticket, however often it comes', async () => {
    await using office = await boxOffice(where)
    const { tickets } = office
    expect(await tickets.sell([booking(1), booking(2), booking(1)])).toEqual(
      new Map([
        ['b1', 'booked'],
        ['b2', 'booked'],
      ]),
    )
    expect(await tickets.sell(bookings(2, 3))).toEqual(
      new Map([
        ['b2', 'already'],
        ['b3', 'booked'],
      ]),
    )
    expect(await tickets.sold(['b1', 'b3', 'b4'])).toEqual(new Set(['b1', 'b3']))
    expect(await tickets.availability(['hamlet'])).toEqual(new Map([['hamlet', { kind: 'play', left: 7 }]]))
  })

  inDatabase('sells no seat twice to those who come at the same time', async () => {
    await using office = await boxOffice(where)
    const { tickets, database } = office
    // Twenty bulks, each with bookings of the one before and for both shows, in one order and the other.
    const bulks = Array.from({ length: 20 }, (_, index) => {
      const mixed = [...bookings(index, index + 3), ...bookings(100 + index, 103 + index, 'cats')]
      return index % 2 === 0 ? mixed : mixed.reverse()
    })
    const outcomes = await Promise.all(bulks.map((bulk) => tickets.sell(bulk)))
    const booked = outcomes.flatMap((each) => [...each].flatMap(([id, outcome]) => (outcome === 'booked' ? [id] : [])))
    expect(booked).toHaveLength(13)
    expect(new Set(booked).size).toBe(13)
    expect(await tickets.sales()).toMatchObject({
      tickets: 13,
      shows: [
        { title: 'Cats', sold: 3, seats: 3 },
        { title: 'Hamlet', sold: 10, seats: 10 },
      ],
    })
    const seats = await database.query('select show, seat from tickets order by show, seat')
    expect(seats).toEqual([
      ...[1, 2, 3].map((seat) => ({ show: 'cats', seat })),
      ...[1, 2, 3, 4, 5, 6, 7, 8, 9, 10].map((seat) => ({ show: 'hamlet', seat })),
    ])
  })

  inDatabase('sells all of a bulk or nothing', async () => {
    await using office = await boxOffice(where)
    const { tickets } = office
    await expect(tickets.sell([booking(1), { id: 'b2', show: 'hamlet', user: 99 }])).rejects.toThrow(/foreign key/)
    expect(await tickets.sales()).toMatchObject({ tickets: 0 })
    expect(await tickets.sell([booking(1)])).toEqual(new Map([['b1', 'booked']]))
  })

  inDatabase('knows who has not heard of a ticket', async () => {
    await using office = await boxOffice(where)
    const { tickets } = office
    await tickets.sell(bookings(1, 3))
    expect(await tickets.usersById([1, 2, 99, 1])).toEqual(new Map(users.slice(0, 2).map((user) => [user.id, user])))
    expect(await tickets.unconfirmed(['b3', 'b1', 'b7'])).toEqual([
      { booking: 'b1', title: 'Hamlet', seat: 1, buyer: 'User 2' },
      { booking: 'b3', title: 'Hamlet', seat: 3, buyer: 'User 1' },
    ])
    await tickets.confirm(['b1'], 'digest 1')
    await tickets.confirm(['b1', 'b3'], 'digest 2')
    expect(await tickets.unconfirmed(['b1', 'b2', 'b3'])).toMatchObject([{ booking: 'b2' }])
    expect(await tickets.refuse(['b8', 'b9'], 'unknown user')).toBe(2)
    expect(await tickets.refuse(['b9', 'b10'], 'sold out')).toBe(1)
    expect(await tickets.sales()).toMatchObject({
      tickets: 3,
      confirmed: 2,
      digests: 2,
      refusals: new Map([
        ['unknown user', 2],
        ['sold out', 1],
      ]),
    })
  })
})

describe.runIf(serverIsThere)('a schema on a server', () => {
  it('is made anew by each run', async () => {
    const schema = freshSchema()
    const first = await openDatabase({ url: SERVER, schema })
    await new Tickets(first).open(users, shows)
    await first.close()
    const second = await openDatabase({ url: SERVER, schema })
    expect(await new Tickets(second).usersById([1, 2, 3])).toEqual(new Map())
    await second.execute(`drop schema ${schema} cascade`)
    await second.close()
  })

  it('is left alone when it is of somebody else', async () => {
    await using database = await freshDatabase('server')
    const schema = freshSchema()
    await database.execute(`create schema ${schema}; create table ${schema}.precious (id int)`)
    await expect(openDatabase({ url: SERVER, schema })).rejects.toThrow(
      `--schema: the database has a schema ${schema} that is not of this example; take another name`,
    )
    expect(await database.query(`select * from ${schema}.precious`)).toEqual([])
    await database.execute(`drop schema ${schema} cascade`)
  })
})
