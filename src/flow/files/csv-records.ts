/**
 * Cuts the lines of a CSV file into records, by a parser from npm. It gets a few lines at a time: calls for single ones cost more
 * than the parsing, and since its fields are parts of the text that it was given, a field that somebody keeps should not keep much
 * more than itself in memory.
 */

import { show } from '../../stage/show.ts'
import { FlowError } from '../errors.ts'
import type { OnBadRow } from './bad-row.ts'
import type { CsvDialect } from './csv-options.ts'

/** The part of a parser that is needed: the records of a text, and what is wrong with it. */
export type ParseCsv = (
  text: string,
  config: { delimiter: string; quoteChar: string; newline: '\n' | '\r\n' },
) => { readonly data: readonly (readonly string[])[]; readonly errors: readonly { readonly code: string }[] }

export type Fields = readonly string[]

/** Who takes the first record, which is no row but the header. Without it nothing can be read, so a bad one is never skipped. */
export interface HeaderReader {
  take(fields: Fields): void
  readonly onBad: OnBadRow
}

const CUT =
  'has a line break in a field, so the file must not be read in parts: leave out the option splits, or set it to 1'

/** Lines that are parsed together. */
const LINES = 32

export class CsvRecords {
  readonly #parse: ParseCsv
  readonly #dialect: CsvDialect
  readonly #longest: number
  #onBadRow: OnBadRow
  readonly #onBadRecord: OnBadRow
  readonly #header: HeaderReader | undefined
  /** How many fields a record must have: as many as the first. */
  #width: number | undefined
  #newline: '\n' | '\r\n' | undefined = undefined
  /** The number of the line that comes next. */
  #line = 1
  /** The lines of a record whose quoted field has not ended yet; their length, and how many quotes are in them. */
  #open: string[] = []
  #length = 0
  #quotes = 0

  /**
   * @param width Fields of a record; `undefined`: as many as the first has.
   */
  constructor(
    parse: ParseCsv,
    dialect: CsvDialect,
    longest: number,
    onBadRow: OnBadRow,
    width: number | undefined,
    header: HeaderReader | undefined,
  ) {
    this.#parse = parse
    this.#dialect = dialect
    this.#longest = longest
    this.#onBadRow = header?.onBad ?? onBadRow
    this.#onBadRecord = onBadRow
    this.#width = width
    this.#header = header
  }

  /** Gives the records that end in these lines to `take`. Lines may end in `\r`. */
  push(lines: readonly string[], take: (fields: Fields) => void): void {
    this.#newline ??= lines[0]?.endsWith('\r') ? '\r\n' : '\n'
    for (let from = 0; from < lines.length; ) {
      const some = this.#open.length === 0 && this.#width !== undefined ? lines.slice(from, from + LINES) : []
      const records = some.length > 0 ? this.#whole(some) : undefined
      if (records !== undefined) {
        for (const fields of records) take(fields)
        this.#line += some.length
        from += some.length
        continue
      }
      const to = Math.min(lines.length, from + LINES)
      for (; from < to; from++) this.#push(lines[from] as string, take)
    }
  }

  /** There are no more lines. */
  end(take: (fields: Fields) => void): void {
    while (this.#open.length > 0) this.#giveUp(take)
  }

  /** The records of lines, when there is nothing wrong with them and none goes on behind them. */
  #whole(lines: readonly string[]): readonly Fields[] | undefined {
    const { data, errors } = this.#parsed(lines)
    if (errors.length > 0 || data.length === 0) return undefined
    for (const fields of data) if (fields.length !== this.#width) return undefined
    if (this.#dialect.cut && data.length !== lines.length) return undefined
    return data
  }

  /** One line, with care. */
  #push(line: string, take: (fields: Fields) => void): void {
    this.#line++
    const begun = this.#open.length > 0
    this.#open.push(line)
    this.#length += line.length + 1
    const quotes = this.#dialect.quote
    for (let at = line.indexOf(quotes); at >= 0; at = line.indexOf(quotes, at + 1)) this.#quotes++
    // A field that goes on over lines has ended where quotes are even.
    if (!begun || this.#quotes % 2 === 0) {
      const { data, errors } = this.#parsed(this.#open)
      const malformed = errors.some(({ code }) => code === 'InvalidQuotes')
      // It is not the end of that field but the beginning of another.
      if (malformed && begun) return this.#giveUp(take)
      if (malformed || errors.length === 0) return this.#record(this.#close(), data, malformed, take)
    }
    if (this.#length > this.#longest) this.#giveUp(take)
  }

  /** A quoted field does not end: only the line where it begins is bad. */
  #giveUp(take: (fields: Fields) => void): void {
    const [first = '', ...others] = this.#open
    this.#close()
    this.#line -= others.length
    this.#onBadRow(this.#line - 1, first, 'has a quoted field that does not end')
    for (const line of others) this.#push(line, take)
  }

  #record(text: string, data: readonly Fields[], malformed: boolean, take: (fields: Fields) => void): void {
    const breaks = breaksIn(text)
    const line = this.#line - 1 - breaks
    if (breaks > 0 && this.#dialect.cut)
      throw new FlowError('bad_row', `line ${line} of a part of the file ${CUT}: ${show(text)}`)
    if (malformed) {
      this.#onBadRow(line, text, 'has a malformed quoted field, in which a quote is written twice')
      return
    }
    // An empty line is an empty field where there is but one column, and nothing elsewhere.
    if (text === '' && this.#width !== 1) return
    const fields = data.length === 0 ? [''] : data.flat()
    if (this.#width === undefined) {
      this.#width = fields.length
      this.#onBadRow = this.#onBadRecord
      if (this.#header !== undefined) return this.#header.take(fields)
    }
    if (fields.length === this.#width) take(fields)
    else this.#onBadRow(line, text, `has ${fields.length} fields instead of ${this.#width}`)
  }

  #close(): string {
    const text = this.#text(this.#open)
    this.#open = []
    this.#length = 0
    this.#quotes = 0
    return text
  }

  #parsed(lines: readonly string[]): ReturnType<ParseCsv> {
    const { delimiter, quote } = this.#dialect
    return this.#parse(this.#text(lines), { delimiter, quoteChar: quote, newline: this.#newline ?? '\n' })
  }

  #text(lines: readonly string[]): string {
    const text = lines.length === 1 ? (lines[0] as string) : lines.join('\n')
    return this.#newline === '\r\n' && text.endsWith('\r') ? text.slice(0, -1) : text
  }
}

function breaksIn(text: string): number {
  let count = 0
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) count++
  return count
}
