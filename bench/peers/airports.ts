/** The file of the row `airports`, the parser that both sides share, and the plain loop over the stream of the file. */

import { createReadStream } from 'node:fs'

/** The open airports of the ten countries that have most. */
export type TopTen = readonly (readonly [country: string, airports: number])[]

const TYPE = 2
export const COUNTRY = 8

/** The fields of one line, quoted as in RFC 4180. */
export function parseRow(line: string): string[] {
  const fields: string[] = []
  let from = 0
  while (from <= line.length) {
    if (line.charCodeAt(from) !== QUOTE) {
      const comma = line.indexOf(',', from)
      const end = comma < 0 ? line.length : comma
      fields.push(line.slice(from, end))
      from = end + 1
      continue
    }
    let end = line.indexOf('"', from + 1)
    let escaped = false
    while (line.charCodeAt(end + 1) === QUOTE) {
      escaped = true
      end = line.indexOf('"', end + 2)
    }
    const field = line.slice(from + 1, end)
    fields.push(escaped ? field.replaceAll('""', '"') : field)
    from = end + 2
  }
  return fields
}

const QUOTE = 0x22

export const isClosed = (row: readonly string[]): boolean => row[TYPE] === 'closed'

export const count = (row: readonly string[], counts: Map<string, number>): Map<string, number> => {
  const country = row[COUNTRY]!
  return counts.set(country, (counts.get(country) ?? 0) + 1)
}

/** Lines as they come from the file, all of a chunk at once, without the header. */
async function* chunksOfLines(path: string): AsyncGenerator<string[]> {
  let rest: string | undefined
  for await (const text of createReadStream(path, 'utf8')) {
    const lines = `${rest ?? ''}${text}`.split('\n')
    if (rest === undefined) lines.shift()
    rest = lines.pop()
    yield lines
  }
}

export async function streamingLoop(path: string): Promise<TopTen> {
  const counts = new Map<string, number>()
  for await (const lines of chunksOfLines(path)) {
    for (let index = 0; index < lines.length; index++) {
      const row = parseRow(lines[index]!)
      if (!isClosed(row)) count(row, counts)
    }
  }
  return [...counts].sort(([, a], [, b]) => b - a).slice(0, 10)
}
