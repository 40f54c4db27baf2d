/** What the program is to do, and with how many bookings. */

import { InputError } from '../command-line/input-error.ts'
import { integer } from '../command-line/options.ts'

/** `publish` puts bookings into the queue, `sell` takes them out; `both` is what is done without a command. */
export type Command = 'both' | 'publish' | 'sell'

export interface Task {
  readonly command: Command
  /** That customers ask for; `Infinity`: until it is interrupted. */
  readonly bookings: number
}

interface Values {
  readonly forever: boolean
  readonly bookings?: string | undefined
}

export const MILLION = 1_000_000

/** @throws `InputError` */
export function commandOf([command, ...more]: readonly string[], { forever, bookings }: Values): Task {
  if (forever && bookings !== undefined) throw new InputError('--forever and --bookings: expected one of the two')
  switch (command) {
    case undefined:
      return { command: 'both', bookings: forever ? Infinity : integer('bookings', bookings ?? '2000', 1, MILLION) }
    case 'publish': {
      const [given = 'nothing', extra] = more
      if (forever || bookings !== undefined)
        throw new InputError('publish <n>: expected no --bookings and no --forever')
      const count = /^\d+$/.test(given) ? Number(given) : 0
      if (count < 1 || count > MILLION || extra !== undefined) {
        const got = [given, ...more.slice(1)].join(' ')
        throw new InputError(`publish <n>: expected a whole number from 1 to ${MILLION}, got '${got}'`)
      }
      return { command, bookings: count }
    }
    case 'sell':
      if (bookings !== undefined) throw new InputError('sell: expected no --bookings, it sells what the broker has')
      if (more.length > 0) throw new InputError(`sell: expected nothing but options behind it, got '${more.join(' ')}'`)
      return { command, bookings: 0 }
    default:
      throw new InputError(`unexpected argument '${command}'; expected publish, sell or options: see --help`)
  }
}
