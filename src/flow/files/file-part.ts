/** What of a file is to be read, and how: what was given, checked. */

import { fileURLToPath } from 'node:url'
import { show } from '../../stage/show.ts'
import { FlowError } from '../errors.ts'
import { flowOptions } from '../option-reader.ts'

/** A part of a file that begins and ends where lines do: plain data, so that it can be sent to another thread. */
export interface FileRange {
  readonly path: string
  /** The first byte. */
  readonly start: number
  /** The byte behind the last. */
  readonly end: number
}

/** A file by its path, or a part of one. */
export type FileToRead = string | URL | FileRange

/** How files are read. */
export interface ReadOptions {
  /** The file is compressed with gzip. Default: when its name ends in `.gz`. */
  readonly gzip?: boolean | undefined
  /**
   * What the text is encoded in: a label of the WHATWG Encoding Standard, such as `windows-1252`. Default: what a byte order mark
   * says, otherwise `utf-8`. What is no text of that encoding becomes U+FFFD.
   */
  readonly encoding?: string | undefined
  /** Bytes of a line at most, so that a file without line breaks does not fill the memory. Default 16 MiB. */
  readonly maxLineLength?: number | undefined
  /**
   * In how many parts the file is read where several workers read it: a number, or `auto`, several for each worker, of 4 MiB on average at least, the first ones larger than the last.
   * What is compressed or in UTF-16 is one part. Default `auto`; of CSV 1, because fields may have line breaks in them.
   */
  readonly splits?: 'auto' | number | undefined
}

/** What is read. */
export interface FilePart {
  readonly path: string
  readonly start: number
  /** `undefined`: to the end of the file. */
  readonly end: number | undefined
  readonly gzip: boolean
  readonly encoding: string | undefined
  readonly maxLineLength: number
  /** Bytes that are read at a time. */
  readonly piece?: number | undefined
}

const OPTIONS = ['gzip', 'encoding', 'maxLineLength']
const LONGEST_LINE = 16 * 1024 * 1024

/** @throws `FlowError` `bad_options`, which names the option, what was given and what is expected. */
export function filePart(what: string, file: FileToRead, options: ReadOptions, more: readonly string[] = []): FilePart {
  const read = flowOptions(what, options, [...OPTIONS, ...more])
  const gzip = read.boolean('gzip')
  const { encoding } = options
  if (encoding !== undefined && !isEncoding(encoding)) {
    throw read.bad('encoding', 'the label of an encoding, such as utf-8, utf-16le or windows-1252')
  }
  const maxLineLength = read.integer('maxLineLength', 1) ?? LONGEST_LINE
  const { path, start, end } = rangeOf(what, file)
  return { path, start, end, gzip: gzip ?? /\.gz$/i.test(path), encoding, maxLineLength }
}

/** The part of a file that was given, which may be all of it. @throws `FlowError` `bad_options`. */
function rangeOf(what: string, file: unknown): Omit<FileRange, 'end'> & { readonly end: number | undefined } {
  if (typeof file === 'string' && file !== '') return { path: file, start: 0, end: undefined }
  if (file instanceof URL && file.protocol === 'file:') return { path: fileURLToPath(file), start: 0, end: undefined }
  const { path, start, end } = Object(file)
  if (typeof path === 'string' && path !== '' && isPlace(start) && isPlace(end) && start <= end)
    return { path, start, end }
  throw new FlowError(
    'bad_options',
    `${what}: expected the path of a file, a file: URL, or a range { path, start, end } of bytes, got ${show(file)}`,
  )
}

function isPlace(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0
}

function isEncoding(label: unknown): boolean {
  if (typeof label !== 'string') return false
  try {
    return new TextDecoder(label).encoding !== ''
  } catch {
    return false
  }
}
