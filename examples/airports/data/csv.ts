/** CSV text as rows of fields. */

import Papa from 'papaparse'
import { InputError } from '../../command-line/input-error.ts'

/** The rows of one piece of the text. */
export interface Rows {
  /** Number of the first row; the header is row 1. */
  readonly first: number
  readonly rows: readonly (readonly string[])[]
}

/**
 * Parses text that comes in pieces of whole lines.
 *
 * @throws `InputError`, which names the row.
 */
export async function* parseCsv(pieces: AsyncIterable<string>): AsyncGenerator<Rows> {
  let first = 1
  let text = ''
  let newline: Newline | undefined
  for await (const piece of pieces) {
    text += piece
    newline ??= firstLineBreak(text)
    const { data, errors } = parse(text, newline)
    const bad = errors.find(({ code }) => code === 'InvalidQuotes')
    if (bad !== undefined) {
      const expected = 'expected a comma or the end of the line after a closing quote, and "" for a quote inside'
      throw new InputError(`row ${first + (bad.row ?? 0)}: a quoted field is malformed; ${expected}`)
    }
    // A quoted field with a line break in it goes on in the next piece.
    if (errors.some(({ code }) => code === 'MissingQuotes')) continue
    // What follows the last line break is no row.
    if (text.endsWith(newline)) data.pop()
    yield { first, rows: data }
    first += data.length
    text = ''
  }
  if (text === '') return
  const { data } = parse(text, newline ?? '\n')
  const row = first + data.length - 1
  throw new InputError(`row ${row}: a quoted field does not end; expected a closing quote before the end of the file`)
}

type Newline = '\n' | '\r' | '\r\n'

/** Told, not guessed: a guess takes longer than parsing, and line breaks in quoted fields mislead it. */
function firstLineBreak(text: string): Newline {
  const [found = '\n'] = /\r\n|\n|\r/.exec(text) ?? []
  return found as Newline
}

function parse(text: string, newline: Newline) {
  return Papa.parse<string[]>(text, { delimiter: ',', newline })
}
