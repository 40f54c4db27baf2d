/** The command line. */

import { parseArgs } from 'node:util'
import type { Overflow } from 'sluice'
import { explained, integer, oneOf } from '../command-line/options.ts'

export interface Arguments {
  readonly workers: number
  readonly capacity: number
  readonly jobs: number
  readonly work: number
  readonly overflow: Overflow
  readonly help: boolean
}

export const USAGE = `Puts jobs into a queue while workers take them out, and draws both.

  npx tsx --tsconfig examples/tsconfig.json examples/worker-pool/main.ts [options]

  --workers <n>      how many work, 1 to 32, default 4
  --capacity <n>     jobs that may wait, default 10
  --jobs <n>         how many jobs, default 60
  --work <ms>        milliseconds for a job, on average, default 160
  --overflow <what>  when the queue is full: wait, reject, drop_newest or drop_oldest, default wait
  --help             this text
`

const OVERFLOWS: readonly Overflow[] = ['wait', 'reject', 'drop_newest', 'drop_oldest']
const OPTIONS = {
  workers: { type: 'string', default: '4' },
  capacity: { type: 'string', default: '10' },
  jobs: { type: 'string', default: '60' },
  work: { type: 'string', default: '160' },
  overflow: { type: 'string', default: 'wait' },
  help: { type: 'boolean', default: false },
} as const

/** @throws `InputError`, which names the option, what was given and what is expected. */
export function readArguments(args: readonly string[]): Arguments {
  const { workers, capacity, jobs, work, overflow, help } = explained(
    OPTIONS,
    () => parseArgs({ args: [...args], options: OPTIONS }).values,
  )
  return {
    workers: integer('workers', workers, 1, 32),
    capacity: integer('capacity', capacity, 1, 1_000_000),
    jobs: integer('jobs', jobs, 1, 1_000_000),
    work: integer('work', work, 1, 60_000),
    overflow: oneOf('overflow', overflow, OVERFLOWS),
    help,
  }
}
