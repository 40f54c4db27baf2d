/** The tickets example as its users run it: the real program, on real databases. Needs a build. */

import { Client } from 'pg'
import { describe, expect, it } from 'vitest'
import { program } from '../../examples/tickets/program.ts'
import { freshSchema, SERVER, serverIsThere } from '../support/databases.ts'
import { balanceIn, expectNothingLost, runTickets, stopped, UNHURRIED } from '../support/tickets.ts'

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
    const { accepted, failed, left, untold, killed, thrown, outages } = balanceIn(stdout)
    // One fails each time.
    expect({ accepted, failed, left, untold, killed, outages }).toEqual({
      accepted: 1000,
      failed: 1,
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
  'known are --bookings, --forever, --rate, --users, --processors, --window, --chaos, --seed, --database, --schema, --broker, --prefix, --deadline, --verbose, --help'
const database = 'expected postgres://user:password@host:port/database'

const broker =
  'expected amqp://user:password@host:port/virtual-host or kafka://host:port,host:port or nats://user:password@host:port or redis://user:password@host:port or sqs://region or pubsub://project'
const shared =
  'expected a broker that outlives this program: --broker <url> or BROKER_URL, as in amqp://guest:guest@127.0.0.1:5672'
const many = 'expected a whole number from 1 to 1000000'
const kafka = '--broker: expected kafka://host:port,host:port, without users and passwords'
const there = ['--broker', 'amqp://127.0.0.1:1']

/** What is wrong, the arguments, and what is said about it. */
const mistakes: readonly (readonly [what: string, args: readonly string[], said: string])[] = [
  ['an unknown option', ['--boking', '3'], `unknown option '--boking'; ${known}`],
  ['a word too much', ['hamlet'], "unexpected argument 'hamlet'; expected publish, sell or options: see --help"],
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
  ['a broker of another kind', ['--broker', 'mqtt://me:secret@host'], `--broker: ${broker}, got mqtt://...`],
  ['a password for Kafka', ['--broker', 'kafka://one:1,me:secret@two:2'], kafka],
  ['a host of Kafka that is none', ['--broker', 'kafka://one:1,two:three'], kafka],
  ['a broker that is no address', ['--broker', 'localhost'], `--broker: ${broker}, got something else`],
  ['a prefix that is none', ['--prefix', 'a b'], "--prefix: expected letters, digits, '_', '-' and '.', got 'a b'"],
  ['publishing to nobody', ['publish', '5'], `publish: ${shared}`],
  ['selling from nobody', ['sell'], `sell: ${shared}`],
  ['publishing nothing', ['publish', ...there], `publish <n>: ${many}, got 'nothing'`],
  ['publishing too much', ['publish', '1000001', ...there], `publish <n>: ${many}, got '1000001'`],
  ['two numbers', ['publish', '1', '2', ...there], `publish <n>: ${many}, got '1 2'`],
  [
    'publishing as many as twice said',
    ['publish', '5', '--bookings', '6', ...there],
    'publish <n>: expected no --bookings and no --forever',
  ],
  ['selling a number', ['sell', '5', ...there], "sell: expected nothing but options behind it, got '5'"],
  [
    'selling bookings',
    ['sell', '--bookings', '5', ...there],
    'sell: expected no --bookings, it sells what the broker has',
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

  it('says what is wrong with BROKER_URL, without a password', async () => {
    const errors = `tickets: BROKER_URL: ${broker}, got ampq://...\n`
    expect(await told([], { BROKER_URL: 'ampq://me:secret@host' })).toEqual({ code: 1, errors })
  })

  it('says that a broker does not answer, without a password', async () => {
    const { code, errors } = await told(['publish', '5'], { BROKER_URL: 'amqp://me:secret@127.0.0.1:1/shop' })
    const text =
      'amqp://127.0.0.1:1/shop does not answer (connect ECONNREFUSED 127.0.0.1:1); expected a RabbitMQ server'
    expect({ code, errors }).toEqual({ code: 1, errors: `tickets: ${text}\n` })
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
