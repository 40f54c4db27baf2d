/**
 * Files as sources of flows, and of everything that takes iterables: line by line, without reading further ahead than a piece, and
 * from the beginning each time they are iterated. What goes wrong says which file it was.
 */

import type { SplitSource } from '../splits/split-source.ts'
import type { CsvOptions } from './csv-options.ts'
import { CsvRows } from './csv-rows.ts'
import { FileLines } from './file-lines.ts'
import { type FileRange, type FileToRead, filePart, type ReadOptions } from './file-part.ts'
import { cutFile, type RangeOptions } from './file-ranges.ts'
import { JsonLines, type JsonLinesOptions } from './json-lines.ts'

/**
 * The lines of a file, or of a range of one, without their line breaks (`\n` or `\r\n`).
 *
 * @example
 * ```ts
 * import { Flow, files } from 'sluice/flow'
 *
 * const errors = await Flow.from(files.lines('server.log.gz')).filter((line) => line.includes('ERROR')).count()
 * ```
 * @throws `FlowError` `bad_options` at once; `bad_file` and `line_too_long` when it is read. Elixir: `File.stream!`.
 */
export function lines(file: FileToRead, options: ReadOptions = {}): SplitSource<string> {
  return new FileLines(filePart('files.lines', file, options, ['splits']), options.splits)
}

/**
 * The rows of a CSV file, or of a range of one, as objects whose fields are strings, by the names in its header. With `columns` the
 * compiler knows the names, and only those are read; `files.csv<Row>(path)` takes your word for them. Fields may have line breaks in
 * them; then the file must not be cut into ranges. Parses with the package papaparse, which you install: `npm install papaparse`.
 *
 * @example
 * ```ts
 * import { Flow, files } from 'sluice/flow'
 *
 * const airports = Flow.from(files.csv('airports.csv', { columns: ['name', 'iso_country'] }))
 * const german = await airports.filter(({ iso_country }) => iso_country === 'DE').count()
 * ```
 * @throws `FlowError` `bad_options` at once; when it is read `bad_file`, `bad_row` with the number of the line, `line_too_long`,
 * `missing_package`, and `bad_options` for a column that the file has not.
 */
export function csv<const Name extends string>(
  file: FileToRead,
  options: CsvOptions & { readonly columns: readonly Name[] },
): SplitSource<Record<Name, string>>
export function csv<const Name extends string>(
  file: FileToRead,
  options: CsvOptions & { readonly header: readonly Name[] },
): SplitSource<Record<Name, string>>
export function csv(file: FileToRead, options: CsvOptions & { readonly header: false }): SplitSource<readonly string[]>
export function csv<Row extends { readonly [Name in keyof Row]: string } = Record<string, string>>(
  file: FileToRead,
  options?: CsvOptions,
): SplitSource<Row>
export function csv(file: FileToRead, options: CsvOptions = {}): SplitSource<unknown> {
  return new CsvRows(file, options)
}

/**
 * The values of a file that has one in each line, as JSON; empty lines are left out. What type they have is your word.
 *
 * @throws `FlowError` `bad_options` at once; when it is read `bad_file`, `bad_row` with the number of the line, `line_too_long`.
 */
export function jsonLines<Value = unknown>(file: FileToRead, options: JsonLinesOptions = {}): SplitSource<Value> {
  return new JsonLines<Value>(file, options)
}

/**
 * Ranges of a file that begin and end where lines do, in order and without a gap, so that each can be read by itself: at the same
 * time, or in another thread, since a range is plain data, `{ path, start, end }`. What is compressed, or encoded in UTF-16, is one
 * range, and so is an empty file.
 *
 * @example
 * ```ts
 * import { Flow, files } from 'sluice/flow'
 *
 * const ranges = await files.ranges('measurements.txt', { count: 8 })
 * const lines = Flow.fromAll(ranges.map((range) => files.lines(range)))
 * ```
 * @throws `FlowError` `bad_options`, `bad_file`.
 */
export async function ranges(path: string, options: RangeOptions = {}): Promise<readonly FileRange[]> {
  return await cutFile(path, options)
}
