/** The command line. */

import { parseArgs } from 'node:util'
import { InputError } from '../command-line/input-error.ts'
import { explained, integer } from '../command-line/options.ts'
import { STEPS, type Step } from './book/steps.ts'

export interface Arguments {
  /** Steps to show instead of a crawl. */
  readonly steps: readonly Step[]
  /** Where to begin; `undefined` for the site of this program. */
  readonly url: string | undefined
  readonly rate: number
  readonly concurrency: number
  readonly maxPages: number
  readonly timeout: number
  readonly attempts: number
  readonly save: string | undefined
  readonly help: boolean
}

/** Pages a second. */
const POLITE = 2
const ON_LOOPBACK = 100

export const USAGE = `Visits all pages of a web site, once each, and tells which links are broken.

  npx tsx --tsconfig examples/tsconfig.json examples/scraper/main.ts [options] [url]

Without a URL it visits a site of its own, on this machine: a museum with some 250 pages, of which some
are slow, some gone, and some break off. It stays on the site that it begins with, and keeps to robots.txt.

  --rate <n>         pages a second, default ${POLITE}, ${ON_LOOPBACK} for the museum
  --concurrency <n>  pages at the same time, default 8
  --max-pages <n>    visits no more than that, default 1000
  --timeout <ms>     for a page, default 10000, 1200 for the museum
  --attempts <n>     how often a page is tried, default 3
  --save <file>      writes what became of each page, a line of JSON for each

  --step <name>      shows a step on the way instead: how demand makes pages flow
${STEPS.map(({ name, title }) => `                       ${name.padEnd(14)} ${title.charAt(0).toLowerCase()}${title.slice(1)}`).join('\n')}
                       all            one after the other
  --help             this text
`

const OPTIONS = {
  rate: { type: 'string' },
  concurrency: { type: 'string', default: '8' },
  'max-pages': { type: 'string', default: '1000' },
  timeout: { type: 'string' },
  attempts: { type: 'string', default: '3' },
  save: { type: 'string' },
  step: { type: 'string' },
  help: { type: 'boolean', default: false },
} as const

/** @throws `InputError`, which names the option, what was given and what is expected. */
export function readArguments(args: readonly string[]): Arguments {
  const { values, positionals } = explained(OPTIONS, () =>
    parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true }),
  )
  const [url, ...more] = positionals.map(address)
  if (more.length > 0) throw new InputError(`expected one URL at most, got ${[url, ...more].join(', ')}`)
  if (values.step !== undefined && url !== undefined)
    throw new InputError('--step shows pages of its own, and takes no URL')
  const museum = url === undefined
  return {
    steps: values.step === undefined ? [] : stepsOf(values.step),
    url,
    rate: number('rate', values.rate ?? `${museum ? ON_LOOPBACK : POLITE}`, 0.01, 10_000),
    concurrency: integer('concurrency', values.concurrency, 1, 1_000),
    maxPages: integer('max-pages', values['max-pages'], 1, 1_000_000),
    timeout: integer('timeout', values.timeout ?? (museum ? '1200' : '10000'), 1, 600_000),
    attempts: integer('attempts', values.attempts, 1, 100),
    save: values.save,
    help: values.help,
  }
}

function address(given: string): string {
  if (URL.canParse(given) && /^https?:$/.test(new URL(given).protocol)) return new URL(given).href
  throw new InputError(`expected a URL as in https://example.org/, got '${given}'`)
}

function stepsOf(given: string): readonly Step[] {
  if (given === 'all') return STEPS
  const step = STEPS.find(({ name }) => name === given)
  if (step !== undefined) return [step]
  throw new InputError(
    `--step: there is no step '${given}', known are ${STEPS.map(({ name }) => name).join(', ')}, all`,
  )
}

function number(option: string, given: string, least: number, most: number): number {
  const value = /^\d*\.?\d+$/.test(given) ? Number(given) : Number.NaN
  if (value >= least && value <= most) return value
  throw new InputError(`--${option}: expected a number from ${least} to ${most}, got '${given}'`)
}
