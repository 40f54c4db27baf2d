/** The program, with its surroundings given to it. */

import { run } from 'sluice'
import { InputError } from '../command-line/input-error.ts'
import type { Output } from '../command-line/output.ts'
import { readArguments, USAGE } from './arguments.ts'
import { tree } from './tree.ts'

/** The width of what one printer prints. */
const COLUMN = 24

/** Runs the program and returns its exit code. */
export async function program(args: readonly string[], out: Output, errors: Output): Promise<number> {
  try {
    const given = readArguments(args)
    if (given.help) {
      out.write(USAGE)
      return 0
    }
    const { printers } = given
    const names = Array.from({ length: printers }, (_, printer) => `printer ${printer + 1}`)
    out.write(`Counter ──> EvenNumbers ──> ${printers === 1 ? 'a printer' : `${printers} printers`}\n\n`)
    out.write(
      `${names
        .map((name) => name.padEnd(COLUMN))
        .join('')
        .trimEnd()}\n`,
    )
    let printed = 0
    const print = (printer: number, numbers: readonly number[]) => {
      printed += numbers.length
      // Each printer has a column of its own.
      out.write(`${' '.repeat(COLUMN * printer)}${numbers.join(' ')}\n`)
    }
    const app = await run(tree({ ...given, print }), { strategy: 'rest_for_one', autoShutdown: 'all_significant' })
    const { exitCode } = await app.done
    out.write(`\n${printed} even numbers printed\n`)
    return exitCode
  } catch (error) {
    if (!(error instanceof InputError)) throw error
    errors.write(`counter: ${error.message}\n`)
    return 1
  }
}
