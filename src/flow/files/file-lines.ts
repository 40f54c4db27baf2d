/** The lines of a file. */

import type { SourceMeter } from '../../stage/interop/source-meter.ts'
import { FlowError } from '../errors.ts'
import { SplitSource } from '../splits/split-source.ts'
import { readChunks } from './file-chunks.ts'
import type { FilePart } from './file-part.ts'
import { checkSplits, type FileSplit, type Splits, splitFile, splitOf } from './file-splits.ts'
import { LineCutter } from './line-cutter.ts'

export class FileLines extends SplitSource<string, FileSplit> {
  readonly #part: FilePart
  readonly #splits: Splits

  constructor(part: FilePart, splits: Splits = 'auto') {
    super()
    checkSplits('files.lines', splits)
    this.#part = part
    this.#splits = splits
  }

  override plan(count: number): Promise<readonly FileSplit[]> {
    return splitFile(this.#part, this.#splits, count)
  }

  override open(split: FileSplit, meter?: SourceMeter): AsyncGenerator<string[], void, undefined> {
    return readLines(splitOf(this.#part, split), false, meter)
  }

  override batches(meter?: SourceMeter): AsyncGenerator<string[], void, undefined> {
    return readLines(this.#part, false, meter)
  }
}

/** @throws `FlowError` `bad_file`, `line_too_long`. */
export async function* readLines(
  part: FilePart,
  keepReturns: boolean,
  meter?: SourceMeter,
): AsyncGenerator<string[], void, undefined> {
  const cutter = new LineCutter(part.maxLineLength, keepReturns)
  let count = 0
  for await (const chunk of readChunks(part, meter)) {
    const lines = cutter.push(chunk)
    count += lines.length
    if (lines.length > 0) yield lines
    if (cutter.tooLong) throw tooLong(part, count + 1)
  }
  const last = cutter.end()
  if (last !== undefined) yield [last]
}

function tooLong(part: FilePart, line: number): FlowError {
  return new FlowError(
    'line_too_long',
    `${placeOf(part, line)} is longer than ${part.maxLineLength} bytes: is it a file of lines? maxLineLength allows longer ones`,
  )
}

/** Where a line is, for people. */
export function placeOf({ path, start }: FilePart, line: number): string {
  return `line ${line} of ${path}${start > 0 ? `, counted from byte ${start},` : ''}`
}
