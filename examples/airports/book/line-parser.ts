/** Parses lines of a CSV file, whichever it is given, so that it does not matter who gets which. */

import Papa from 'papaparse'
import { files } from 'sluice/flow'
import { InputError } from '../../command-line/input-error.ts'
import { type Airport, type Columns, columnsOf, NEEDED } from '../data/airport.ts'

/**
 * The airports of some lines, among which the header may be.
 *
 * @throws `InputError`, which shows the line.
 */
export type LineParser = (lines: readonly string[]) => readonly Airport[]

/** @throws `InputError` when the header is not what it should be, `FlowError` `bad_file` when the file cannot be read. */
export async function lineParser(path: string): Promise<LineParser> {
  for await (const header of files.lines(path)) {
    const columns = columnsIn(path, parsed(header).data[0] ?? [])
    return (lines) =>
      airportsIn(
        path,
        columns,
        lines.filter((line) => line !== header && line !== ''),
      )
  }
  throw new InputError(`${path}: is empty; expected a header with ${NEEDED}`)
}

/** All together: a call of the parser for each line would take longer than the parsing. */
function airportsIn(path: string, { count, type, country }: Columns, lines: readonly string[]): readonly Airport[] {
  if (lines.length === 0) return []
  const { data, errors } = parsed(lines.join('\n'))
  const [mistake] = errors
  const shown = (row: number | undefined) => (lines[row ?? 0] ?? '').slice(0, 200)
  if (mistake !== undefined) throw new InputError(`${path}: ${mistake.message}: ${shown(mistake.row)}`)
  return data.map((fields, row) => {
    if (fields.length === count) return { type: fields[type] ?? '', country: fields[country] ?? '' }
    const said = `expected ${count} fields as in the header, got ${fields.length}`
    throw new InputError(`${path}: ${said}: ${shown(row)}`)
  })
}

function columnsIn(path: string, header: readonly string[]): Columns {
  try {
    return columnsOf(header)
  } catch (error) {
    throw error instanceof InputError ? new InputError(`${path}: ${error.message}`) : error
  }
}

/** The line break is told, since to guess it takes longer than to parse. */
function parsed(text: string) {
  return Papa.parse<string[]>(text, { delimiter: ',', newline: '\n' })
}
