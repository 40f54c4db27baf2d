/** The command line. */

import { parseArgs } from 'node:util'
import { explained, integer } from '../command-line/options.ts'

export interface Arguments {
  readonly from: number
  readonly printers: number
  readonly batches: number
  readonly pace: number
  readonly help: boolean
}

export const USAGE = `Counts, lets the even numbers through, and prints them.

  npx tsx --tsconfig examples/tsconfig.json examples/counter/main.ts [options]

  --printers <n>  how many print, 1 to 8, default 1
  --batches <n>   batches that each of them prints, default 6
  --pace <ms>     milliseconds for a batch, default 200
  --from <n>      the first number, default 0
  --help          this text
`

const OPTIONS = {
  printers: { type: 'string', default: '1' },
  batches: { type: 'string', default: '6' },
  pace: { type: 'string', default: '200' },
  from: { type: 'string', default: '0' },
  help: { type: 'boolean', default: false },
} as const

/** @throws `InputError`, which names the option, what was given and what is expected. */
export function readArguments(args: readonly string[]): Arguments {
  const { printers, batches, pace, from, help } = explained(
    OPTIONS,
    () => parseArgs({ args: [...args], options: OPTIONS }).values,
  )
  return {
    printers: integer('printers', printers, 1, 8),
    batches: integer('batches', batches, 1, 1_000_000),
    pace: integer('pace', pace, 0, 60_000),
    from: integer('from', from, 0, 1_000_000_000),
    help,
  }
}
