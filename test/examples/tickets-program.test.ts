/** The tickets example as its users run it: the real program, on real databases. Needs a build. */

import { Client } from 'pg'
import { describe, expect, it } from 'vitest'
import { program } from '../../examples/tickets/program.ts'
import { freshSchema, SERVER, serverIsThere } from '../support/databases.ts'
import { type Finished, type Options, runExample } from '../support/example-program.ts'

/** On the embedded database, whatever DATABASE_URL says here. */
function runTickets(args: readonly string[], options: Options = {}): Promise<Finished> {
  return runExample('tickets', args, { ...options, env: { DATABASE_URL: '' } })
}

/** Sends a signal when bookings are on their way. */
function stopped(signal: NodeJS.Signals, args: readonly string[]): Promise<Finished> {
  let sent = false
  return runTickets(args, {
    onOutput: (stdout, running) => {
      if (sent || !/[1-9]\d* booked/.test(stdout)) return
      sent = running.kill(signal)
    },
  })
}

/** The numbers of a summary. */
function balanceIn(stdout: string) {
  const number = (pattern: RegExp) => Number((pattern.exec(stdout)?.[1] ?? 'none').replaceAll(',', ''))
  return {
    accepted: number(/^([\d,]+) bookings accepted/m),
    booked: number(/^ *([\d,]+) booked$/m),
    refused: number(/^ *([\d,]+) refused/m),
    failed: number(/^ *([\d,]+) failed/m),
    left: number(/^ *([\d,]+) left in the queue/m),
    told: number(/^([\d,]+) tickets told of/m),
    untold: number(/([\d,]+) not told of$/m),
    killed: number(/([\d,]+) processors killed/),
    thrown: number(/([\d,]+) handlers threw/),
    outages: number(/([\d,]+) outages of the database/),
  }
}

/** Nothing that was accepted is lost, and nothing is counted twice. */
function expectNothingLost(stdout: string) {
  const { accepted, booked, refused, failed, left, told, untold } = balanceIn(stdout)
  expect(booked + refused + failed + left).toBe(accepted)
  expect(told + untold).toBe(booked)
  expect(stdout).not.toContain('MISSING')
}

/** What the database says, and the schema is gone. */
async function soldIn(schema: string) {
  const client = new Client({ connectionString: SERVER })
  await client.connect()
  try {
    const { rows } = await client.query(`
      select count(*)::int as tickets, count(distinct booking)::int as bookings,
             count(distinct (show, seat))::int as seats, (select sum(sold)::int from ${schema}.shows) as sold
      from ${schema}.tickets`)
    await client.query(`drop schema ${schema} cascade`)
    return rows[0]
  } finally {
    await client.end()
  }
}

/** Half of the deadline is enough, also on a machine with much else to do: what takes longer is told. */
const UNHURRIED = ['--deadline', '60000']

describe('the tickets program', () => {
  it('sells the tickets, tells the buyers, and ends', async () => {
    const { code, stdout, stderr } = await runTickets([])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toMatch(/^Selling tickets: 2,000 bookings, PostgreSQL \d+\.\d+, embedded\n\n/)
    // Whoever comes first: these are the seats that there are, and the mistakes in the bookings.
    expect(stdout).toMatch(/^ {3}1,815 booked$/m)
    expect(stdout).toMatch(/^ {5}185 refused: 146 sold out, 30 unknown user, 9 unknown show$/m)
    expect(stdout).toMatch(/^musical {2}Cabaret +█+ {2}260 of 260 {2}sold out$/m)
    expect(stdout).toMatch(/^1,815 tickets told of in \d+ e-mails, 0 not told of$/m)
    expectNothingLost(stdout)
  })

  it('loses nothing and sells nothing twice while handlers throw, processors are killed and the database refuses', async () => {
    const { code, stdout, stderr } = await runTickets(['--bookings', '1000', '--chaos', '--seed', '7'])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    const { accepted, left, untold, killed, thrown, outages } = balanceIn(stdout)
    expect({ accepted, left, untold, killed, outages }).toEqual({
      accepted: 1000,
      left: 0,
      untold: 0,
      killed: 3,
      outages: 1,
    })
    expect(thrown).toBeGreaterThan(20)
    expectNothingLost(stdout)
  })

  it.each(['SIGTERM', 'SIGINT'] as const)('finishes at %s what is in hand, and ends with 0', async (signal) => {
    const { code, stdout, stderr } = await stopped(signal, ['--forever', ...UNHURRIED])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toContain(`${signal}: the application stops`)
    expect(balanceIn(stdout).booked).toBeGreaterThan(0)
    expect(balanceIn(stdout)).toMatchObject({ failed: 0, untold: 0 })
    expectNothingLost(stdout)
  })

  it('loses nothing when SIGTERM comes in the middle of the chaos', async () => {
    const { code, stdout, stderr } = await stopped('SIGTERM', ['--forever', '--chaos', ...UNHURRIED])
    // Processors that were killed just before have not finished: that is told by 143, and what they had is in the queue again.
    expect([0, 143]).toContain(code)
    expect(stderr).toBe('')
    expectNothingLost(stdout)
  })

  it.runIf(serverIsThere)('does the same on a PostgreSQL server, where the tickets stay', async () => {
    const schema = freshSchema()
    const { code, stdout, stderr } = await runTickets([
      '--database',
      SERVER,
      '--schema',
      schema,
      '--bookings',
      '1000',
      '--chaos',
    ])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expectNothingLost(stdout)
    const { booked } = balanceIn(stdout)
    expect(await soldIn(schema)).toEqual({ tickets: booked, bookings: booked, seats: booked, sold: booked })
  })

  it('sells at the rate that it is given', async () => {
    const { code, stdout } = await runTickets([
      '--bookings',
      '30',
      '--rate',
      '100',
      '--processors',
      '1',
      '--users',
      '3',
    ])
    expect(code).toBe(0)
    expect(stdout).toMatch(/^30 bookings accepted/m)
    expectNothingLost(stdout)
  })

  it('says in one line that a server does not answer', async () => {
    // Nobody listens at port 1 of a machine.
    const { code, stderr } = await runTickets(['--database', 'postgres://me:secret@127.0.0.1:1/shop'])
    expect(code).toBe(1)
    expect(stderr).toBe(
      'tickets: postgres://127.0.0.1:1/shop does not answer (connect ECONNREFUSED 127.0.0.1:1); expected a PostgreSQL server\n',
    )
  })

  it('shows how it is used', async () => {
    const { code, stdout } = await runTickets(['--help'])
    expect(code).toBe(0)
    expect(stdout).toContain('npm start -- [options]')
  })
})

const known =
  'known are --bookings, --forever, --rate, --users, --processors, --window, --chaos, --seed, --database, --schema, --deadline, --verbose, --help'
const database = 'expected postgres://user:password@host:port/database'

/** What is wrong, the arguments, and what is said about it. */
const mistakes: readonly (readonly [what: string, args: readonly string[], said: string])[] = [
  ['an unknown option', ['--boking', '3'], `unknown option '--boking'; ${known}`],
  ['a word too much', ['hamlet'], `unexpected argument 'hamlet'; ${known}`],
  ['no bookings', ['--bookings', '0'], "--bookings: expected a whole number from 1 to 1000000, got '0'"],
  ['both ends', ['--bookings', '5', '--forever'], '--forever and --bookings: expected one of the two'],
  ['a rate that is none', ['--rate', 'fast'], "--rate: expected a whole number from 1 to 1000000, got 'fast'"],
  ['no time to stop', ['--deadline', '0'], "--deadline: expected a whole number from 1 to 600000, got '0'"],
  [
    'a database of another kind',
    ['--database', 'mysql://me@host/db'],
    `--database: ${database}, got 'mysql://me@host/db'`,
  ],
  ['a database that is no address', ['--database', 'test'], `--database: ${database}, got 'test'`],
  [
    'a schema of the system',
    ['--schema', 'pg_x'],
    "--schema: expected a name of small letters, digits and _, got 'pg_x'",
  ],
  [
    'a schema that is no name',
    ['--schema', 'a b'],
    "--schema: expected a name of small letters, digits and _, got 'a b'",
  ],
]

describe('the command line of the tickets program', () => {
  it.each(mistakes)('says in one line what is wrong with %s', async (_what, args, said) => {
    expect(await told(args, {})).toEqual({ code: 1, errors: `tickets: ${said}\n` })
  })

  it('says what is wrong with DATABASE_URL', async () => {
    const errors = `tickets: DATABASE_URL: ${database}, got 'localhost'\n`
    expect(await told([], { DATABASE_URL: 'localhost' })).toEqual({ code: 1, errors })
  })
})

async function told(args: readonly string[], environment: Readonly<Record<string, string>>) {
  let errors = ''
  const write = (text: string) => {
    errors += text
  }
  const code = await program(args, environment, { write: () => {} }, { write })
  return { code, errors }
}
