/** A source as batches of airports. */

import { InputError } from '../../command-line/input-error.ts'
import { type Airport, airportOf, type Columns, columnsOf, NEEDED } from '../data/airport.ts'
import { parseCsv } from '../data/csv.ts'
import type { Source } from '../data/source.ts'
import { wholeLines } from '../data/text.ts'
import type { Batch } from './batch.ts'

/**
 * Reads a source as it is asked. Where a batch begins depends on `size` alone, never on how the bytes arrived.
 *
 * @throws `InputError`, which begins with the name of the source.
 */
export async function* readBatches(source: Source, size: number, signal: AbortSignal): AsyncGenerator<Batch> {
  let columns: Columns | undefined
  let airports: Airport[] = []
  let id = 0
  try {
    for await (const { first, rows } of parseCsv(wholeLines(source.open(signal)))) {
      for (const [index, row] of rows.entries()) {
        if (row.length === 1 && row[0] === '') continue
        if (columns === undefined) {
          columns = columnsOf(row)
          continue
        }
        airports.push(airportOf(row, columns, first + index))
        if (airports.length < size) continue
        yield { id: id++, rows: size, airports }
        airports = []
      }
    }
    if (columns === undefined) throw new InputError(`is empty; expected a header with ${NEEDED}`)
    if (airports.length > 0) yield { id, rows: airports.length, airports }
  } catch (error) {
    if (!(error instanceof InputError)) throw error
    throw new InputError(`${source.name}: ${error.message}`, { cause: error })
  }
}
