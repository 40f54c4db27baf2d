/** What can be read: iterables and streams, opened so that they are read on demand, watched for errors, and closed for sure. */

import type { Readable } from 'node:stream'
import { StageError } from '../errors.ts'
import { BatchSource } from './batch-source.ts'
import { NodeReader } from './node-reader.ts'
import type { SourceMeter } from './source-meter.ts'
import { readNow, type SyncReader } from './sync-reader.ts'

/** The part of a Web `ReadableStream` that is needed. */
interface WebReadable<T> {
  readonly locked: boolean
  getReader(): {
    read(): Promise<{ readonly done: false; readonly value: T } | { readonly done: true; readonly value?: unknown }>
    cancel(reason?: unknown): Promise<void>
    readonly closed: Promise<unknown>
  }
}

/** Arrays, generators, maps, Node and Web streams, readline, database cursors: what `for await` takes. */
export type Source<T> = Iterable<T> | AsyncIterable<T>

/** A source that is waited for, read one by one. */
export interface Reader<T> {
  /** What is there already, if anything. */
  now?(): IteratorResult<T, unknown> | undefined
  next(): Promise<IteratorResult<T, unknown>>
}

/** A source that is waited for, and has its events in arrays, of which none is empty. */
export interface BatchReader<T> {
  nextBatch(): Promise<IteratorResult<readonly T[], unknown>>
}

/** A source that is open: read at once or waited for. */
export type OpenSource<T> = (
  | { readonly sync: SyncReader<T>; readonly async?: undefined }
  | { readonly async: Reader<T> | BatchReader<T>; readonly sync?: undefined }
) & {
  /** Lets go of a source that is left before its end, in its own time; its failure to close is nobody's business any more. */
  close(): void
  /** It came to its end. */
  readonly ended?: (() => void) | undefined
}

/**
 * Opens a source.
 *
 * @param reader Who reads it, for texts.
 * @param failed Called when a stream fails while nobody waits for it; what is waited for rejects instead, or too.
 * @param meter Told how much there is, by a source that knows.
 * @throws `StageError` `bad_options` when it cannot be iterated, `stream_used` when it is a stream that was used before.
 */
export function openSource<T>(
  source: Source<T>,
  reader: string,
  failed: (error: unknown) => void,
  meter?: SourceMeter,
): OpenSource<T> {
  if (source instanceof BatchSource) return openBatches<T>(source, meter)
  if (isWebReadable<T>(source)) return openWeb(source, reader, failed)
  if (isNodeReadable(source)) return openNode(source, reader, failed)
  if (isLines<T>(source)) return openLines(source, failed)
  if (isAsyncIterable<T>(source)) {
    const iterator = source[Symbol.asyncIterator]()
    return { async: iterator, close: () => leave(() => iterator.return?.()) }
  }
  if (isIterable<T>(source)) {
    const reader = readNow(source)
    return { sync: reader, close: () => leave(() => reader.close()) }
  }
  throw new StageError(
    'bad_options',
    `source of ${reader}: expected something that can be iterated, or a function that opens it, got ${String(source)}`,
  )
}

function openBatches<T>(source: BatchSource<T>, meter: SourceMeter | undefined): OpenSource<T> {
  const batches = source.batches(meter)
  return { async: { nextBatch: () => batches.next() }, close: () => leave(() => batches.return()) }
}

/** A reader instead of the iterator: it can be cancelled while it waits. */
function openWeb<T>(stream: WebReadable<T>, owner: string, failed: (error: unknown) => void): OpenSource<T> {
  if (stream.locked) throw streamUsed(owner, 'source', 'is locked, somebody reads it or has read it')
  const reader = stream.getReader()
  // The lock is kept, so that a second use is noticed.
  reader.closed.catch(failed)
  const next = async (): Promise<IteratorResult<T, unknown>> => {
    const result = await reader.read()
    return result.done ? { done: true, value: undefined } : result
  }
  return { async: { next }, close: () => leave(() => reader.cancel()) }
}

interface Emitter {
  on(event: string, listener: (error: unknown) => void): unknown
  off(event: string, listener: (error: unknown) => void): unknown
}

function openNode<T>(stream: Readable, owner: string, failed: (error: unknown) => void): OpenSource<T> {
  if (!stream.readable) throw streamUsed(owner, 'source', 'has ended, failed or was destroyed before')
  const reader = new NodeReader<T>(stream, failed)
  const close = (): void => {
    reader.leave()
    stream.destroy()
  }
  // A duplex that was read to its end may still be written to: its errors are no longer ours.
  const ended = (): void => ('write' in stream ? reader.release() : reader.leave())
  return { async: reader, close: () => leave(close), ended }
}

/** An error that nobody listens to would end the program, also one that comes before the first read or after the last. */
function watchErrors(stream: Emitter, failed: (error: unknown) => void): void {
  const unwatch = (): void => {
    stream.off('error', failed)
    stream.off('close', unwatch)
  }
  stream.on('error', failed)
  stream.on('close', unwatch)
}

/** A `readline` interface, which leaves its input open when it is closed. */
interface Lines<T> extends AsyncIterable<T>, Emitter {
  readonly input: { destroy(): unknown }
  close(): void
}

function openLines<T>(lines: Lines<T>, failed: (error: unknown) => void): OpenSource<T> {
  watchErrors(lines, failed)
  const iterator = lines[Symbol.asyncIterator]()
  const close = (): void => {
    lines.close()
    // The terminal is not ours.
    if (lines.input !== process.stdin) lines.input.destroy()
  }
  return { async: iterator, close: () => leave(close) }
}

/** Runs what closes a source; it may throw or reject. */
function leave(close: () => unknown): void {
  const closing = async (): Promise<unknown> => await close()
  closing().catch(() => {})
}

/** A stream can be used once only: after a restart it has to be another one. */
export function streamUsed(owner: { toString(): string }, part: string, why: string): StageError {
  return new StageError(
    'stream_used',
    `${part} of ${owner}: the stream ${why}; give a function that opens a new one, ${part}: () => ..., it is called at every start`,
  )
}

function has(value: unknown, ...methods: readonly string[]): boolean {
  return (
    typeof value === 'object' &&
    value !== null &&
    methods.every((method) => typeof Reflect.get(value, method) === 'function')
  )
}

function isWebReadable<T>(value: unknown): value is WebReadable<T> {
  return has(value, 'getReader')
}

function isNodeReadable(value: unknown): value is Readable {
  return has(value, 'read', 'pipe', 'destroy', 'on', 'off') && isAsyncIterable(value)
}

function isLines<T>(value: unknown): value is Lines<T> {
  return has(value, 'close', 'on', 'off') && isAsyncIterable(value) && 'input' in value && has(value.input, 'destroy')
}

function isAsyncIterable<T>(value: unknown): value is AsyncIterable<T> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value
}

function isIterable<T>(value: unknown): value is Iterable<T> {
  return typeof Object(value)[Symbol.iterator] === 'function'
}
