/** The command line. */

import { parseArgs } from 'node:util'
import { InputError } from '../command-line/input-error.ts'
import { explained, integer } from '../command-line/options.ts'

export interface Arguments {
  /** `Infinity`: until it is interrupted. */
  readonly bookings: number
  /** Bookings a second; `undefined`: as many as are taken. */
  readonly rate: number | undefined
  readonly users: number
  readonly processors: number
  readonly window: number
  readonly chaos: boolean
  readonly seed: number
  /** Of a PostgreSQL server; `undefined`: the one inside the program. */
  readonly database: string | undefined
  readonly schema: string
  readonly deadline: number
  readonly verbose: boolean
  readonly help: boolean
}

export const USAGE = `Sells tickets: bookings come from a queue, tickets go into PostgreSQL in bulk, and every buyer gets
e-mails that say what was booked.

  npm start -- [options]

  --bookings <n>    how many to sell, default 2000; then it ends
  --forever         goes on until Ctrl-C or SIGTERM
  --rate <n>        bookings a second, default as fast as they are taken
  --users <n>       how many people book, default 100
  --processors <n>  bookings looked at at the same time, default 4
  --window <ms>     how long tickets of one buyer are collected for one e-mail, default 300
  --chaos           handlers throw, processors are killed, the database refuses for a while
  --seed <n>        decides what is booked, and who fails, default 1
  --database <url>  a server, as in postgres://user@127.0.0.1:5432/test; default $DATABASE_URL, or else
                    PostgreSQL inside this program
  --schema <name>   where the tables are, made anew by each run, default sluice_tickets
  --deadline <ms>   what is in hand gets to come to an end after Ctrl-C or SIGTERM, default 9000
  --verbose         shows what fails with --chaos too
  --help            this text
`

const OPTIONS = {
  bookings: { type: 'string' },
  forever: { type: 'boolean', default: false },
  rate: { type: 'string' },
  users: { type: 'string', default: '100' },
  processors: { type: 'string', default: '4' },
  window: { type: 'string', default: '300' },
  chaos: { type: 'boolean', default: false },
  seed: { type: 'string', default: '1' },
  database: { type: 'string' },
  schema: { type: 'string', default: 'sluice_tickets' },
  deadline: { type: 'string', default: '9000' },
  verbose: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const

const MILLION = 1_000_000

/**
 * `url`: of the database, when the arguments name none.
 *
 * @throws `InputError`, which names the option, what was given and what is expected.
 */
export function readArguments(args: readonly string[], url: string | undefined): Arguments {
  const { values } = explained(OPTIONS, () => parseArgs({ args: [...args], options: OPTIONS }))
  const { forever, bookings, rate, database } = values
  if (forever && bookings !== undefined) throw new InputError('--forever and --bookings: expected one of the two')
  return {
    bookings: forever ? Infinity : integer('bookings', bookings ?? '2000', 1, MILLION),
    rate: rate === undefined ? undefined : integer('rate', rate, 1, MILLION),
    users: integer('users', values.users, 1, MILLION),
    processors: integer('processors', values.processors, 1, 1_000),
    window: integer('window', values.window, 1, 600_000),
    chaos: values.chaos,
    seed: integer('seed', values.seed, 0, 2 ** 31 - 1),
    database: database !== undefined ? address('--database', database) : url ? address('DATABASE_URL', url) : undefined,
    schema: schema(values.schema),
    deadline: integer('deadline', values.deadline, 1, 600_000),
    verbose: values.verbose,
    help: values.help,
  }
}

function address(what: string, given: string): string {
  const { protocol = '', hostname = '' } = URL.canParse(given) ? new URL(given) : {}
  if (/^postgres(ql)?:$/.test(protocol) && hostname !== '') return given
  throw new InputError(`${what}: expected postgres://user:password@host:port/database, got '${given}'`)
}

function schema(given: string): string {
  if (/^[a-z_][a-z0-9_]{0,62}$/.test(given) && !given.startsWith('pg_')) return given
  throw new InputError(`--schema: expected a name of small letters, digits and _, got '${given}'`)
}
