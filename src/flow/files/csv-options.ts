/** How CSV is read: the options, checked. */

import { FlowError } from '../errors.ts'
import { badOption } from '../option-reader.ts'
import type { BadRowOptions } from './bad-row.ts'
import type { ReadOptions } from './file-part.ts'
import { checkSplits } from './file-splits.ts'

export interface CsvOptions extends ReadOptions, BadRowOptions {
  /** Where the names of the columns are: in the first row (true), here (an array), or nowhere: rows are arrays (false). Default true. */
  readonly header?: boolean | readonly string[] | undefined
  /** The columns that are wanted. Fewer are quicker, and one that is missing is found at once. Default all. */
  readonly columns?: readonly string[] | undefined
  /** What stands between two fields. Default a comma. */
  readonly delimiter?: string | undefined
  /** What stands around a field with delimiters or line breaks in it; two of it mean one. Default `"`. */
  readonly quote?: string | undefined
}

/** What became of a row's fields. */
export type MakeRow<Row> = (fields: readonly string[]) => Row

/** The dialect of a file. */
export interface CsvDialect {
  readonly delimiter: string
  readonly quote: string
  /** No field has a line break in it, so that the file can be cut at any. */
  readonly cut: boolean
}

export const CSV_OPTIONS: readonly string[] = ['header', 'columns', 'delimiter', 'quote', 'onBadRow', 'splits']

const WHAT = 'files.csv'

/** @throws `FlowError` `bad_options`. */
export function checkCsv({ header = true, columns, delimiter = ',', quote = '"', splits = 1 }: CsvOptions): CsvDialect {
  checkSplits(WHAT, splits)
  if (typeof header !== 'boolean') checkNames('header', header)
  if (columns !== undefined) {
    checkNames('columns', columns)
    if (header === false) throw new FlowError('bad_options', `columns of ${WHAT} need names, and header is false`)
    if (typeof header !== 'boolean') columnPlaces(header, columns, 'the header that was given')
  }
  if (typeof delimiter !== 'string' || delimiter.length === 0 || /["\r\n\uFEFF]/.test(delimiter)) {
    throw badOption(`delimiter of ${WHAT}`, 'a text without quotes and line breaks', delimiter)
  }
  if (typeof quote !== 'string' || !/^[^\r\n]$/.test(quote) || delimiter.includes(quote)) {
    throw badOption(`quote of ${WHAT}`, 'one character that is not in the delimiter', quote)
  }
  return { delimiter, quote, cut: splits !== 1 }
}

function checkNames(option: string, names: unknown): void {
  if (!Array.isArray(names) || names.length === 0 || !names.every((name) => typeof name === 'string')) {
    throw badOption(`${option} of ${WHAT}`, 'a non-empty array of the names of columns', names)
  }
  const problem = problemOf(names)
  if (problem !== undefined) throw new FlowError('bad_options', `${option} of ${WHAT}: ${problem}`)
}

/** What stands in the way of making objects with these keys. */
export function problemOf(names: readonly string[]): string | undefined {
  const twice = names.find((name, index) => names.indexOf(name) !== index)
  if (twice !== undefined) return `two columns have the name '${twice}'`
  return names.includes('__proto__') ? 'a column cannot have the name __proto__' : undefined
}

/** Where the columns that are wanted stand. @throws `FlowError` `bad_options` for one that is not there. */
export function columnPlaces(header: readonly string[], columns: readonly string[], where: string): readonly number[] {
  return columns.map((name) => {
    const place = header.indexOf(name)
    if (place >= 0) return place
    throw new FlowError('bad_options', `columns of ${WHAT}: there is no ${name} in ${where}, only ${header.join(', ')}`)
  })
}

/** Makes objects of fields. */
export function rowMaker(names: readonly string[], places: readonly number[]): MakeRow<Record<string, string>> {
  return (fields) => {
    const row: Record<string, string> = {}
    // The places are within the fields, whose number was checked.
    for (let index = 0; index < names.length; index++)
      row[names[index] as string] = fields[places[index] as number] as string
    return row
  }
}
