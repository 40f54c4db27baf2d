/** The values of a file that has one in each line, as JSON. */

import type { SourceMeter } from '../../stage/interop/source-meter.ts'
import { SplitSource } from '../splits/split-source.ts'
import { type BadRowOptions, badRowHandler, madeBy, type OnBadRow } from './bad-row.ts'
import { readLines } from './file-lines.ts'
import { type FilePart, type FileToRead, filePart, type ReadOptions } from './file-part.ts'
import { checkSplits, type FileSplit, type Splits, splitFile, splitOf } from './file-splits.ts'

/** How JSON lines are read. */
export interface JsonLinesOptions extends ReadOptions, BadRowOptions {}

const WHAT = 'files.jsonLines'

export class JsonLines<T> extends SplitSource<T, FileSplit> {
  readonly #part: FilePart
  readonly #splits: Splits
  readonly #given: BadRowOptions

  constructor(file: FileToRead, options: JsonLinesOptions) {
    super()
    const { onBadRow, splits = 'auto', ...read } = options
    checkSplits(WHAT, splits)
    this.#part = filePart(WHAT, file, read, ['onBadRow', 'splits'])
    this.#splits = splits
    this.#given = { onBadRow }
    badRowHandler(WHAT, this.#part, this.#given)
  }

  override plan(count: number): Promise<readonly FileSplit[]> {
    return splitFile(this.#part, this.#splits, count)
  }

  override open(split: FileSplit, meter?: SourceMeter): AsyncGenerator<T[], void, undefined> {
    return this.#values(splitOf(this.#part, split), meter)
  }

  override batches(meter?: SourceMeter): AsyncGenerator<T[], void, undefined> {
    return this.#values(this.#part, meter)
  }

  async *#values(part: FilePart, meter: SourceMeter | undefined): AsyncGenerator<T[], void, undefined> {
    const onBadRow = badRowHandler(WHAT, part, this.#given)
    let line = 0
    for await (const lines of readLines(part, false, meter)) {
      yield* madeBy<T>((values) => {
        for (const text of lines) parse(text, ++line, values, onBadRow)
      })
    }
  }
}

function parse<T>(text: string, line: number, values: T[], onBadRow: OnBadRow): void {
  if (text.trim() === '') return
  let value: T
  try {
    value = JSON.parse(text)
  } catch (error) {
    onBadRow(line, text, `is no JSON, ${error instanceof Error ? error.message : String(error)}`, error)
    return
  }
  values.push(value)
}
