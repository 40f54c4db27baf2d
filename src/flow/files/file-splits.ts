/** A file as parts, for a source whose parts are read independently of each other. */

import { badOption } from '../option-reader.ts'
import { PARTS_A_READER } from '../splits/split-source.ts'
import { badFile } from './file-chunks.ts'
import type { FilePart } from './file-part.ts'
import { cutFile } from './file-ranges.ts'

/** How many parts a file is read in where several read it at the same time. */
export type Splits = 'auto' | number

/** A part of a file that begins and ends where lines do: plain data. */
export interface FileSplit {
  readonly start: number
  /** `undefined`: to the end. */
  readonly end: number | undefined
}

/**
 * Bytes of a split that are read at a time: more than of a whole file, because each piece has threads wake each other, and here
 * other readers wait for the same cores.
 */
const PIECE_OF_SPLIT = 512 * 1024

/** What is read of a split. */
export function splitOf(part: FilePart, split: FileSplit): FilePart {
  return { ...part, ...split, piece: PIECE_OF_SPLIT }
}

/** @throws `FlowError` `bad_options`. */
export function checkSplits(what: string, splits: unknown): void {
  if (splits === 'auto' || (Number.isSafeInteger(splits) && Number(splits) >= 1)) return
  throw badOption(`splits of ${what}`, "'auto' or a whole number >= 1", splits)
}

/**
 * Cuts what is to be read. `wanted` parts are made where the user has not said how many, of 4 MiB on average at least. What cannot be
 * cut is one part: what is compressed, in UTF-16, or no file on a disk; and so is what is a range already.
 *
 * @throws `FlowError` `bad_file`.
 */
export async function splitFile(part: FilePart, splits: Splits, wanted: number): Promise<readonly FileSplit[]> {
  const { path, start, end, gzip, encoding } = part
  const count = splits === 'auto' ? wanted : splits
  if (start > 0 || end !== undefined || gzip || count === 1) return [{ start, end }]
  try {
    const options = { count, gzip, encoding, ...(splits === 'auto' ? {} : { minBytes: 1 }) }
    const ranges = await cutFile(path, options, (parts) => fallingShares(parts, wanted))
    // The size of what is no file on a disk says nothing.
    return ranges.length === 1 ? [{ start, end }] : ranges.map((range) => ({ start: range.start, end: range.end }))
  } catch (error) {
    throw badFile(path, error)
  }
}

/**
 * How large the parts are: each smaller than the one before it by the same factor, from the half of what each reader would have to
 * read alone, so that readers who began at the same time end at nearly the same time. With two parts for each reader or fewer all are
 * the same. (Guided self-scheduling, Polychronopoulos and Kuck 1987.)
 */
function fallingShares(parts: number, wanted: number): readonly number[] {
  const readers = Math.max(1, wanted / PARTS_A_READER)
  const largest = 1 / (2 * readers)
  // None so small that it is not worth opening the file.
  const least = 1 / (4 * parts)
  const sizes = (factor: number): number[] =>
    Array.from({ length: Math.max(0, parts) }, (_, at) => Math.max(least, largest * factor ** at))
  // The larger the factor, the larger their sum, which is to be 1.
  let low = 0
  let high = 1
  for (let step = 0; step < 30; step++) {
    const factor = (low + high) / 2
    if (sizes(factor).reduce((sum, size) => sum + size, 0) < 1) low = factor
    else high = factor
  }
  return sizes(high)
}
