/** The command line. */

import { parseArgs } from 'node:util'
import { InputError } from '../command-line/input-error.ts'
import { explained, integer } from '../command-line/options.ts'
import { examples, kindOf } from './broker/servers.ts'
import { type Command, commandOf, MILLION } from './command.ts'

export interface Arguments {
  readonly command: Command
  /** That customers ask for; `Infinity`: until it is interrupted. */
  readonly bookings: number
  /** It does not end when all is sold. */
  readonly forever: boolean
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
  /** Of a server of messages; `undefined`: the queues inside the program. */
  readonly broker: string | undefined
  /** In front of the names of the queues there. */
  readonly prefix: string
  readonly deadline: number
  readonly verbose: boolean
  readonly help: boolean
}

export const USAGE = `Sells tickets: bookings come from a queue, tickets go into PostgreSQL in bulk, and every buyer gets
e-mails that say what was booked.

  npm start -- [options]               bookings are published, sold and told of
  npm start -- publish <n> [options]   only publishes so many, to a broker: for a sell, now or later
  npm start -- sell [options]          only sells what the broker has, then it ends

  --bookings <n>    how many to publish and sell, default 2000; then it ends
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
  --broker <url>    a server of messages, as in amqp://guest:guest@127.0.0.1:5672; default $BROKER_URL, or else
                    queues inside this program
  --prefix <text>   in front of its queues, bookings_queue and notifications_queue
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
  broker: { type: 'string' },
  prefix: { type: 'string', default: '' },
  deadline: { type: 'string', default: '9000' },
  verbose: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const

/** Where servers are, when the arguments do not say it. */
export interface Defaults {
  readonly database: string | undefined
  readonly broker: string | undefined
}

/** @throws `InputError`, which names the option, what was given and what is expected. */
export function readArguments(args: readonly string[], defaults: Defaults): Arguments {
  const { values, positionals } = explained(OPTIONS, () =>
    parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true }),
  )
  const { forever, rate, database, broker } = values
  const { command, bookings } = commandOf(positionals, values)
  const url =
    broker !== undefined
      ? brokerUrl('--broker', broker)
      : defaults.broker
        ? brokerUrl('BROKER_URL', defaults.broker)
        : undefined
  if (command !== 'both' && url === undefined && !values.help) {
    throw new InputError(
      `${command}: expected a broker that outlives this program: --broker <url> or BROKER_URL, as in amqp://guest:guest@127.0.0.1:5672`,
    )
  }
  return {
    command,
    bookings,
    forever,
    rate: rate === undefined ? undefined : integer('rate', rate, 1, MILLION),
    users: integer('users', values.users, 1, MILLION),
    processors: integer('processors', values.processors, 1, 1_000),
    window: integer('window', values.window, 1, 600_000),
    chaos: values.chaos,
    seed: integer('seed', values.seed, 0, 2 ** 31 - 1),
    database:
      database !== undefined
        ? address('--database', database)
        : defaults.database
          ? address('DATABASE_URL', defaults.database)
          : undefined,
    schema: schema(values.schema),
    broker: url,
    prefix: prefix(values.prefix),
    deadline: integer('deadline', values.deadline, 1, 600_000),
    verbose: values.verbose,
    help: values.help,
  }
}

/** What is given is not shown: it may hold a password. */
function brokerUrl(what: string, given: string): string {
  if (kindOf(given) !== undefined) return given
  const got = URL.canParse(given) ? `${new URL(given).protocol}//...` : 'something else'
  throw new InputError(`${what}: expected ${examples().join(' or ')}, got ${got}`)
}

function prefix(given: string): string {
  if (/^[\w.-]{0,100}$/.test(given)) return given
  throw new InputError(`--prefix: expected letters, digits, '_', '-' and '.', got '${given}'`)
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
