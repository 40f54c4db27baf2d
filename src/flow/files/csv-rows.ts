/** The rows of a CSV file. */

import type { SourceMeter } from '../../stage/interop/source-meter.ts'
import { FlowError } from '../errors.ts'
import { SplitSource } from '../splits/split-source.ts'
import { badRowHandler, madeBy, type OnBadRow } from './bad-row.ts'
import {
  CSV_OPTIONS,
  type CsvDialect,
  type CsvOptions,
  checkCsv,
  columnPlaces,
  type MakeRow,
  problemOf,
  rowMaker,
} from './csv-options.ts'
import { CsvRecords, type Fields, type ParseCsv } from './csv-records.ts'
import { readLines } from './file-lines.ts'
import { type FilePart, type FileToRead, filePart } from './file-part.ts'
import { type FileSplit, splitFile, splitOf } from './file-splits.ts'

type Row = Record<string, string> | readonly string[]

export class CsvRows extends SplitSource<Row, FileSplit> {
  readonly #part: FilePart
  readonly #options: CsvOptions
  readonly #dialect: CsvDialect

  constructor(file: FileToRead, options: CsvOptions) {
    super()
    const { header, columns, delimiter, quote, onBadRow, splits, ...read } = options
    this.#part = filePart('files.csv', file, read, CSV_OPTIONS)
    this.#options = options
    this.#dialect = checkCsv(options)
    badRowHandler('files.csv', this.#part, { onBadRow })
  }

  override plan(count: number): Promise<readonly FileSplit[]> {
    const { splits = 1 } = this.#options
    return splitFile(this.#part, splits, count)
  }

  override open(split: FileSplit, meter?: SourceMeter): AsyncGenerator<Row[], void, undefined> {
    return this.#rows(splitOf(this.#part, split), meter)
  }

  override batches(meter?: SourceMeter): AsyncGenerator<Row[], void, undefined> {
    return this.#rows(this.#part, meter)
  }

  async *#rows(part: FilePart, meter: SourceMeter | undefined): AsyncGenerator<Row[], void, undefined> {
    const onBadRow: OnBadRow = badRowHandler('files.csv', part, this.#options)
    const parse = await parser()
    const { header = true } = this.#options
    let make: MakeRow<Row> = (fields) => fields
    let width: number | undefined
    const named = (names: Fields): void => {
      width = names.length
      make = this.#maker(names)
    }
    if (header === true && part.start > 0) named(await this.#header(parse))
    else if (typeof header !== 'boolean') named(header)
    const first =
      header === true && part.start === 0 ? { take: named, onBad: badRowHandler('files.csv', part, {}) } : undefined
    const records = new CsvRecords(parse, this.#dialect, part.maxLineLength, onBadRow, width, first)
    for await (const lines of readLines(part, true, meter)) {
      yield* madeBy<Row>((rows) => records.push(lines, (fields) => void rows.push(make(fields))))
    }
    yield* madeBy<Row>((rows) => records.end((fields) => void rows.push(make(fields))))
  }

  /** The first row of the file, for a range that does not begin with it. */
  async #header(parse: ParseCsv): Promise<Fields> {
    const part = { ...this.#part, start: 0, end: undefined }
    let header: Fields = []
    const fail = badRowHandler('files.csv', part, {})
    const take = (fields: Fields): void => {
      header = fields
    }
    const records = new CsvRecords(parse, this.#dialect, part.maxLineLength, fail, undefined, { take, onBad: fail })
    for await (const lines of readLines(part, true)) {
      for (const line of lines) {
        records.push([line], () => {})
        if (header.length > 0) return header
      }
    }
    return header
  }

  #maker(names: Fields): MakeRow<Row> {
    const { path } = this.#part
    const { columns = names } = this.#options
    const problem = problemOf(columns === names ? names : names.filter((name) => columns.includes(name)))
    if (problem !== undefined) {
      throw new FlowError(
        'bad_row',
        `the header of ${path}: ${problem}; name them with header: [...], or choose with columns`,
      )
    }
    return rowMaker(columns, columnPlaces(names, columns, `the header of ${path}`))
  }
}

/** Loaded when it is needed: who reads no CSV need not have it. */
async function parser(): Promise<ParseCsv> {
  try {
    const { default: papa } = await import('papaparse')
    return (text, config) => papa.parse<string[]>(text, config)
  } catch (error) {
    throw new FlowError(
      'missing_package',
      'files.csv parses with the package papaparse, which cannot be loaded: npm install papaparse',
      error,
    )
  }
}
