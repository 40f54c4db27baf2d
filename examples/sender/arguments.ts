/** The command line. */

import { parseArgs } from 'node:util'
import { InputError } from '../command-line/input-error.ts'
import { explained, integer } from '../command-line/options.ts'
import type { Limits } from './mail.ts'
import { RECIPIENTS } from './recipients.ts'
import { STEPS } from './steps.ts'

export interface Arguments {
  /** From 1 on. */
  readonly steps: readonly number[]
  /** A real server. */
  readonly smtp: string | undefined
  readonly from: string
  readonly addresses: readonly string[]
  readonly limits: Limits
  readonly help: boolean
}

export const USAGE = `Sends mails in five ways, each better than the one before, and draws what happens.

  npx tsx --tsconfig examples/tsconfig.json examples/sender/main.ts [options]

Without --smtp they go to a mail server that runs in this program, where one recipient is slow, one
unknown and one hangs up.

  --step <n>         runs only this one:
${STEPS.map(({ title }, index) => `                       ${index + 1}  ${title}`).join('\n')}
  --concurrency <n>  mails on their way at once in steps 4 and 5, default 3
  --timeout <ms>     milliseconds for a mail in steps 4 and 5, default 400
  --smtp <url>       a real server, smtp://user:password@host:587: each step sends real mails
  --to <address>     who gets them; may be repeated
  --from <address>   who sends them, default sluice@example.org
  --help             this text
`

const OPTIONS = {
  step: { type: 'string' },
  concurrency: { type: 'string', default: '3' },
  timeout: { type: 'string', default: '400' },
  smtp: { type: 'string' },
  to: { type: 'string', multiple: true, default: [] as string[] },
  from: { type: 'string', default: 'sluice@example.org' },
  help: { type: 'boolean', default: false },
} as const

/** @throws `InputError`, which names the option, what was given and what is expected. */
export function readArguments(args: readonly string[]): Arguments {
  const { step, concurrency, timeout, smtp, to, from, help } = explained(
    OPTIONS,
    () => parseArgs({ args: [...args], options: OPTIONS }).values,
  )
  if (smtp !== undefined && to.length === 0 && !help) {
    throw new InputError('--smtp sends real mails: say to whom with --to, once for each address')
  }
  return {
    steps: step === undefined ? STEPS.map((_, index) => index + 1) : [integer('step', step, 1, STEPS.length)],
    smtp: smtp === undefined ? undefined : serverUrl(smtp),
    from: address('from', from),
    addresses: to.length === 0 ? RECIPIENTS : [...new Set(to.map((each) => address('to', each)))],
    limits: {
      maxConcurrency: integer('concurrency', concurrency, 1, 1_000),
      timeout: integer('timeout', timeout, 1, 600_000),
    },
    help,
  }
}

/** Whether there is such a mailbox, only its server knows. */
function address(option: string, given: string): string {
  if (/^[^\s@<>,;]+@[^\s@<>,;]+$/.test(given)) return given
  throw new InputError(`--${option}: expected one e-mail address such as ada@example.org, got '${given}'`)
}

function serverUrl(given: string): string {
  const { protocol, hostname } = URL.canParse(given) ? new URL(given) : { protocol: '', hostname: '' }
  if ((protocol === 'smtp:' || protocol === 'smtps:') && hostname !== '') return given
  throw new InputError(`--smtp: expected smtp://host:port or smtps://user:password@host, got '${given}'`)
}
