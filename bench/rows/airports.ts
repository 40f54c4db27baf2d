import { deepStrictEqual } from 'node:assert'
import { Flow, files } from 'sluice/flow'
import { COUNTRY, count, isClosed, parseRow, streamingLoop, type TopTen } from '../peers/airports.ts'
import { type Row, rate } from '../row.ts'
import { airportsFile } from './airports-file.ts'

/** Two stages count, each the countries that are its own. The header is a row as any other, of a country that has one airport. */
const ours = async (path: string): Promise<TopTen> =>
  (await Flow.from(files.lines(path))
    .map(parseRow)
    .reject(isClosed)
    .partition({ stages: 2, key: (row) => row[COUNTRY] })
    .reduce(() => new Map<string, number>(), count)
    .takeSort(10, ([, a], [, b]) => a >= b)
    .first()) ?? []

let truth: TopTen | undefined

const measure = (work: (path: string) => Promise<TopTen>) => async (): Promise<number> => {
  const { path, rows } = await airportsFile()
  truth ??= await streamingLoop(path)
  return await rate(rows, async () => {
    deepStrictEqual(numbers(await work(path)), numbers(truth ?? []))
    return rows
  })
}

/** Without the countries: those that have as many airports may stand in any order. */
function numbers(counts: TopTen): readonly number[] {
  return counts.map(([, airports]) => airports)
}

export const airports: Row = {
  id: 'airports',
  work: '80 k rows of a CSV file: parse, reject closed, count by country in 2 stages, top 10',
  unit: 'rows a second',
  ours: { name: 'sluice', measure: measure(ours) },
  peers: [{ name: 'a loop over the stream, same parser', goal: 0.8, measure: measure(streamingLoop) }],
}
