import { execFile } from 'node:child_process'
import { createWriteStream } from 'node:fs'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { createGzip } from 'node:zlib'
import { files } from 'sluice/flow'
import { fromIterable, stream } from 'sluice/stage'
import { expect, it } from 'vitest'
import { positionIn, tempFolder } from '../../support/temp-folder.ts'

const LINES = 2_000_000
const PIECE = 128 * 1024

/** 100 bytes a line, each with its number at the end. */
async function writeLines(path: string, count: number, gzip = false): Promise<void> {
  const lines = function* () {
    for (let from = 0; from < count; from += 10_000) {
      yield Array.from({ length: 10_000 }, (_, index) => `${String(from + index).padStart(99, 'x')}\n`).join('')
    }
  }
  const source = Readable.from(lines(), { objectMode: false })
  if (gzip) await pipeline(source, createGzip({ level: 1 }), createWriteStream(path))
  else await pipeline(source, createWriteStream(path))
}

it('a file of 200 MB is read in a heap of 64 MB, also when some of its lines are kept', async () => {
  const path = tempFolder()('large.txt')
  await writeLines(path, LINES)
  const program = fileURLToPath(new URL('../../support/programs/files-memory.ts', import.meta.url))
  // Lines that kept the text they were cut from would keep all of it: there is one that is wanted in each piece.
  const { stdout } = await promisify(execFile)(process.execPath, [
    '--max-old-space-size=64',
    '--import',
    'tsx',
    program,
    path,
  ])
  const { kept, megabytes } = JSON.parse(stdout)
  expect(kept).toBe(LINES / 1000 - 1)
  expect(megabytes).toBeLessThan(32)
})

it.each([false, true])('a file is read no further than somebody wants its lines (compressed: %s)', async (gzip) => {
  const path = tempFolder()(gzip ? 'large.gz' : 'large.txt')
  await writeLines(path, 200_000, gzip)
  const producer = await fromIterable(files.lines(path))
  const lines = stream({ to: producer, maxDemand: 10, minDemand: 0 })[Symbol.asyncIterator]()
  const read = async (count: number) => {
    for (let line = 0; line < count; line++) await lines.next()
    // Whatever could still be under way.
    for (let turn = 0; turn < 100; turn++) await new Promise((resolve) => setImmediate(resolve))
    return positionIn(path)
  }
  const begun = await read(15)
  // Compressed, what is read ahead are the buffers of the stream and of zlib.
  expect(begun).toBeLessThanOrEqual((gzip ? 3 : 1) * PIECE)
  expect(await read(15)).toBe(begun)
  await lines.return?.()
  await producer.stop()
})
