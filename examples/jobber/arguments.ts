/** The command line. */

import { parseArgs } from 'node:util'
import { InputError } from '../command-line/input-error.ts'
import { explained, integer } from '../command-line/options.ts'
import { BACKOFFS, type Backoff, type RetryOptions } from './retry.ts'

/** A job that the user asked for. */
export interface AskedJob {
  readonly type: string
  readonly subject: string
}

export interface Arguments {
  /** Empty: those of the demonstration. */
  readonly jobs: readonly AskedJob[]
  readonly imports: number
  readonly emails: number
  readonly quota: number
  readonly maxJobs: number
  readonly retry: RetryOptions
  readonly latency: number
  readonly deadline: number
  readonly verbose: boolean
  readonly help: boolean
}

export const USAGE = `Runs jobs, each in processes of its own, repeats what fails, and survives what crashes.

  npx tsx --tsconfig examples/tsconfig.json examples/jobber/main.ts [options] [type:subject ...]

  import:<url or path>   reads a table, of .csv with a header or of .json with an array of objects
  send_email:<address>   hands a mail to the service of the loopback server

Without a job it shows all that can happen, with a server on this machine that is not reliable.

  --imports <n>      imports of the demonstration, default 8
  --emails <n>       mails of the demonstration, default 4
  --quota <n>        imports at a time, default 5; one more is refused, and handed in again later
  --max-jobs <n>     jobs at a time, of all types, default 20
  --retries <n>      how often an attempt that failed is repeated, default 3
  --retry-delay <ms> rest before that, default 200
  --backoff <kind>   exponential: the rest doubles each time (default); constant: it does not
  --latency <ms>     how long the server takes for an answer, default 500
  --deadline <ms>    what jobs that run get to come to an end after Ctrl-C, default 5000
  --verbose          shows the crash reports of jobs as well
  --help             this text
`

const OPTIONS = {
  imports: { type: 'string', default: '8' },
  emails: { type: 'string', default: '4' },
  quota: { type: 'string', default: '5' },
  'max-jobs': { type: 'string', default: '20' },
  retries: { type: 'string', default: '3' },
  'retry-delay': { type: 'string', default: '200' },
  backoff: { type: 'string', default: 'exponential' },
  latency: { type: 'string', default: '500' },
  deadline: { type: 'string', default: '5000' },
  verbose: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const

/** The types that a job may have. */
const TYPES: readonly string[] = ['import', 'send_email']

/** As many countries have airports. */
const MOST_IMPORTS = 236

/** @throws `InputError`, which names the option, what was given and what is expected. */
export function readArguments(args: readonly string[]): Arguments {
  const { values, positionals } = explained(OPTIONS, () =>
    parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true }),
  )
  return {
    jobs: positionals.map(askedJob),
    imports: integer('imports', values.imports, 0, MOST_IMPORTS),
    emails: integer('emails', values.emails, 0, 10_000),
    quota: integer('quota', values.quota, 1, 1_000),
    maxJobs: integer('max-jobs', values['max-jobs'], 1, 10_000),
    retry: {
      maxRetries: integer('retries', values.retries, 0, 100),
      delay: integer('retry-delay', values['retry-delay'], 0, 60_000),
      backoff: backoff(values.backoff),
    },
    latency: integer('latency', values.latency, 0, 60_000),
    deadline: integer('deadline', values.deadline, 0, 600_000),
    verbose: values.verbose,
    help: values.help,
  }
}

function askedJob(given: string): AskedJob {
  const [, type, subject] = /^([^:]*):(.+)$/s.exec(given) ?? []
  if (type === undefined || subject === undefined) {
    throw new InputError(`expected type:subject, as in import:airports.csv, got '${given}'`)
  }
  if (TYPES.includes(type)) return { type, subject }
  throw new InputError(`${given}: unknown job type '${type}', known are ${TYPES.join(', ')}`)
}

function backoff(given: string): Backoff {
  const found = BACKOFFS.find((known) => known === given)
  if (found !== undefined) return found
  throw new InputError(`--backoff: expected ${BACKOFFS.join(' or ')}, got '${given}'`)
}
