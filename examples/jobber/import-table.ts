/** The work of `import`: fetches or reads a table of CSV or JSON, and takes its rows. */

import { readFile } from 'node:fs/promises'
import Papa from 'papaparse'
import { problemOf } from './problem.ts'
import { done, errored, type Work, type WorkContext } from './work.ts'

/** The subject is the URL or the path of a `.csv` with a header, or of a `.json` with an array of objects. */
export const importTable: Work = async (source, context) => {
  let rows: Rows
  try {
    const text = await read(source, context)
    rows = source.endsWith('.json') ? JSON.parse(text) : parseCsv(text)
  } catch (error) {
    return errored(problemOf(error))
  }
  // It believes what it was sent, as programs do: what is no array of rows crashes it.
  const columns = Object.keys(rows[0] ?? {})
  for (const [index, row] of rows.entries()) {
    const count = Object.keys(row).length
    if (count !== columns.length) return errored(`row ${index + 1} has ${count} columns, expected ${columns.length}`)
  }
  context.progress(1)
  return done(`${rows.length.toLocaleString('en')} rows of ${columns.length} columns`)
}

type Rows = readonly Readonly<Record<string, unknown>>[]

async function read(source: string, { signal, progress }: WorkContext): Promise<string> {
  if (!/^https?:/.test(source)) return await readFile(source, { encoding: 'utf8', signal })
  const response = await fetch(source, { signal })
  if (!response.ok) throw new Error(`${response.status} ${response.statusText}`)
  const length = Number(response.headers.get('content-length'))
  const decoder = new TextDecoder()
  let bytes = 0
  let text = ''
  for await (const piece of response.body ?? []) {
    bytes += piece.length
    text += decoder.decode(piece, { stream: true })
    if (length > 0) progress(bytes / length)
  }
  return text + decoder.decode()
}

function parseCsv(text: string): Rows {
  const { data, errors } = Papa.parse<Record<string, unknown>>(text, { header: true, skipEmptyLines: true })
  // A table of one column has no delimiter to be found.
  const first = errors.find(({ type }) => type !== 'Delimiter')
  if (first !== undefined) throw new Error(`row ${(first.row ?? 0) + 1}: ${first.message}`)
  return data
}
