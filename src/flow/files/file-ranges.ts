/** A file cut into parts that can be read independently of each other. */

import { type FileHandle, open } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { flowOptions } from '../option-reader.ts'
import { badFile, encodingOf } from './file-chunks.ts'
import { type FileRange, filePart, type ReadOptions } from './file-part.ts'

/** How a file is cut. */
export interface RangeOptions extends Pick<ReadOptions, 'gzip' | 'encoding'> {
  /** Ranges at most. Default 4 for each core, so that who is done first takes from the others. */
  readonly count?: number | undefined
  /** Bytes of a range at least. Default 4 MiB. */
  readonly minBytes?: number | undefined
}

const RANGES_A_CORE = 4
const MIN_BYTES = 4 * 1024 * 1024
/** Bytes that are read at a time in search of the end of a line. */
const PIECE = 16 * 1024
const LF = 10

/** `sharesOf` says how much of the file each of so many ranges has, in relation to the others. Default: all the same. */
export async function cutFile(
  path: string,
  options: RangeOptions,
  sharesOf: (count: number) => readonly number[] = equalShares,
): Promise<readonly FileRange[]> {
  const read = flowOptions('files.ranges', options, ['gzip', 'encoding', 'count', 'minBytes'])
  const count = read.integer('count', 1) ?? RANGES_A_CORE * availableParallelism()
  const minBytes = read.integer('minBytes', 1) ?? MIN_BYTES
  const { gzip, encoding } = filePart('files.ranges', path, { gzip: options.gzip, encoding: options.encoding })
  try {
    const file = await open(path)
    try {
      const { size } = await file.stat()
      const whole = gzip || (await isUtf16(file, encoding))
      const shares = whole ? [] : sharesOf(Math.min(count, Math.floor(size / minBytes)))
      const cuts = await lineEnds(file, size, shares)
      return [0, ...cuts].map((start, index) => ({ path, start, end: cuts[index] ?? size }))
    } finally {
      await file.close()
    }
  } catch (error) {
    throw badFile(path, error)
  }
}

function equalShares(count: number): readonly number[] {
  return new Array(Math.max(0, count)).fill(1)
}

/** Where to cut `size` bytes into parts: behind the line that each cut would fall into. */
async function lineEnds(file: FileHandle, size: number, shares: readonly number[]): Promise<readonly number[]> {
  const all = shares.reduce((sum, share) => sum + share, 0)
  let before = 0
  const wanted = shares.slice(0, -1).map((share) => Math.floor(((before += share) * size) / all))
  const cuts = await Promise.all(wanted.map((place) => (place > 0 ? lineEnd(file, place - 1) : undefined)))
  // Of several in a line that is longer than a part there is one.
  return cuts.filter(
    (cut, index): cut is number => cut !== undefined && cut < size && !cuts.slice(0, index).includes(cut),
  )
}

/** The first byte behind the line that has the byte at `from`. */
async function lineEnd(file: FileHandle, from: number): Promise<number | undefined> {
  const buffer = Buffer.allocUnsafeSlow(PIECE)
  for (let position = from; ; position += PIECE) {
    const { bytesRead } = await file.read(buffer, 0, PIECE, position)
    if (bytesRead === 0) return undefined
    const end = buffer.subarray(0, bytesRead).indexOf(LF)
    if (end >= 0) return position + end + 1
  }
}

/** Its line breaks cannot be found from somewhere in the middle. */
async function isUtf16(file: FileHandle, encoding: string | undefined): Promise<boolean> {
  if (encoding !== undefined) return new TextDecoder(encoding).encoding.startsWith('utf-16')
  const { buffer, bytesRead } = await file.read(Buffer.alloc(4), 0, 4, 0)
  return encodingOf(buffer.subarray(0, bytesRead)).encoding !== undefined
}
