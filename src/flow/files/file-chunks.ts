/** The bytes of a file, piece by piece, unpacked, and as UTF-8 whatever they were. */

import { type FileHandle, open } from 'node:fs/promises'
import { pipeline } from 'node:stream'
import { createGunzip } from 'node:zlib'
import type { SourceMeter } from '../../stage/interop/source-meter.ts'
import { FlowError } from '../errors.ts'
import type { FilePart } from './file-part.ts'

/** Bytes that are read at a time. Larger pieces are no quicker where nobody else works, and each open file has one. */
const PIECE = 128 * 1024

/**
 * UTF-8 text in pieces, cut anywhere, without a byte order mark. A piece is good until the next one is asked for. Nothing is read
 * ahead; leaving the loop closes the file.
 *
 * @throws `FlowError` `bad_file`, which names the path; `cause` is the error of Node.
 */
export async function* readChunks(part: FilePart, meter?: SourceMeter): AsyncGenerator<Buffer, void, undefined> {
  try {
    yield* decoded(part, part.gzip ? unpacked(part, meter) : plain(part, meter))
  } catch (error) {
    throw badFile(part.path, error)
  }
}

async function* plain(part: FilePart, meter: SourceMeter | undefined): AsyncGenerator<Buffer, void, undefined> {
  const { path, start, end, piece = PIECE } = part
  const file = await open(path)
  try {
    if (meter !== undefined) await measure(file, part, meter)
    let left = end === undefined ? Infinity : end - start
    const buffer = Buffer.allocUnsafeSlow(Math.min(piece, left))
    // From a pipe one can only read on.
    let position = start === 0 ? null : start
    while (left > 0) {
      const { bytesRead } = await file.read(buffer, 0, Math.min(piece, left), position)
      if (bytesRead === 0) return
      left -= bytesRead
      if (position !== null) position += bytesRead
      if (meter?.bytes !== undefined) meter.bytes += bytesRead
      yield buffer.subarray(0, bytesRead)
    }
  } finally {
    await file.close()
  }
}

/** How much there is to read, which only files on a disk know. */
async function measure(file: FileHandle, { start, end }: FilePart, meter: SourceMeter): Promise<void> {
  const stats = await file.stat()
  if (!stats.isFile()) return
  meter.size = Math.max(0, Math.min(end ?? stats.size, stats.size) - start)
  meter.bytes = 0
}

async function* unpacked(part: FilePart, meter: SourceMeter | undefined): AsyncGenerator<Buffer, void, undefined> {
  const { path, start, end } = part
  const file = await open(path)
  if (meter !== undefined) await measure(file, part, meter)
  const packed = file.createReadStream({
    // From a pipe one can only read on.
    ...(start > 0 ? { start } : {}),
    end: end === undefined ? Infinity : end - 1,
    highWaterMark: PIECE,
  })
  const closed = new Promise<void>((resolve) => packed.once('close', resolve))
  const gunzip = createGunzip({ chunkSize: PIECE })
  // A failure of either destroys both, and reaches the loop.
  pipeline(packed, gunzip, () => {})
  try {
    for await (const chunk of gunzip) {
      // Of what is compressed.
      if (meter?.bytes !== undefined) meter.bytes = packed.bytesRead
      yield chunk
    }
  } finally {
    packed.destroy()
    await closed
  }
}

async function* decoded(
  { start, encoding }: FilePart,
  chunks: AsyncGenerator<Buffer, void, undefined>,
): AsyncGenerator<Buffer, void, undefined> {
  let decoder = encoding === undefined || isUtf8(encoding) ? undefined : new TextDecoder(encoding)
  let first = start === 0
  for await (const chunk of chunks) {
    let bytes = chunk
    if (first) {
      first = false
      const marked = encodingOf(chunk)
      if (encoding === undefined && marked.encoding !== undefined) decoder = new TextDecoder(marked.encoding)
      // Others leave it out by themselves.
      if (decoder === undefined) bytes = chunk.subarray(marked.bytes)
    }
    yield decoder === undefined ? bytes : Buffer.from(decoder.decode(bytes, { stream: true }))
  }
  const rest = decoder?.decode()
  if (rest) yield Buffer.from(rest)
}

/** What a byte order mark says, and how many bytes of UTF-8 it takes. */
export function encodingOf(bytes: Buffer): { readonly encoding: string | undefined; readonly bytes: number } {
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) return { encoding: undefined, bytes: 3 }
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return { encoding: 'utf-16le', bytes: 0 }
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return { encoding: 'utf-16be', bytes: 0 }
  return { encoding: undefined, bytes: 0 }
}

function isUtf8(label: string): boolean {
  return new TextDecoder(label).encoding === 'utf-8'
}

/** Why a file cannot be read, in words. */
const WORDS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EISDIR: 'it is a directory',
  EACCES: 'this program may not read it',
  EPERM: 'this program may not read it',
  EMFILE: 'this program has too many files open',
  Z_DATA_ERROR: 'it is damaged, or not compressed with gzip',
  Z_BUF_ERROR: 'what is compressed in it ends too early',
}

/** The error of Node, with the path and in words. */
export function badFile(path: string, error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof FlowError) return error
  const code = 'code' in error ? String(error.code) : ''
  return new FlowError('bad_file', `cannot read ${path}: ${WORDS[code] ?? error.message}`, error)
}
