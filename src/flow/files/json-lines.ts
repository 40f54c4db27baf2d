/** The values of a file that has one in each line, as JSON. */

import { BatchSource } from '../../stage/interop/batch-source.ts'
import type { SourceMeter } from '../../stage/interop/source-meter.ts'
import { type BadRowOptions, badRowHandler, madeBy, type OnBadRow } from './bad-row.ts'
import { readLines } from './file-lines.ts'
import { type FilePart, type FileToRead, filePart, type ReadOptions } from './file-part.ts'

/** How JSON lines are read. */
export interface JsonLinesOptions extends ReadOptions, BadRowOptions {}

export class JsonLines<T> extends BatchSource<T> {
  readonly #part: FilePart
  readonly #onBadRow: OnBadRow

  constructor(file: FileToRead, options: JsonLinesOptions) {
    super()
    const { onBadRow, ...read } = options
    this.#part = filePart('files.jsonLines', file, read, ['onBadRow'])
    this.#onBadRow = badRowHandler('files.jsonLines', this.#part, { onBadRow })
  }

  override async *batches(meter?: SourceMeter): AsyncGenerator<T[], void, undefined> {
    let line = 0
    for await (const lines of readLines(this.#part, false, meter)) {
      yield* madeBy<T>((values) => {
        for (const text of lines) this.#parse(text, ++line, values)
      })
    }
  }

  #parse(text: string, line: number, values: T[]): void {
    if (text.trim() === '') return
    let value: T
    try {
      value = JSON.parse(text)
    } catch (error) {
      this.#onBadRow(line, text, `is no JSON, ${error instanceof Error ? error.message : String(error)}`, error)
      return
    }
    values.push(value)
  }
}
