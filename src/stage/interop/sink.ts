/** What can be written to: Node and Web streams, behind one face. */

import type { Writable } from 'node:stream'
import { StageError } from '../errors.ts'
import { NodeSink } from './node-sink.ts'
import type { OpenSink, SinkOwner } from './open-sink.ts'
import { WebSink, type WebWritable } from './web-sink.ts'

/** A Node `Writable` (a file, a socket, a response, `process.stdout`) or a Web `WritableStream`. */
export type Sink<T> = Writable | WebWritable<T>

/**
 * Opens a sink.
 *
 * @param part What it is called in texts.
 * @throws `StageError` `bad_options` when it is no stream, `stream_used` when it was used before.
 */
export function openSink<T>(sink: Sink<T>, owner: SinkOwner, part: string): OpenSink<T> {
  if (typeof sink === 'object' && sink !== null) {
    if ('getWriter' in sink) return new WebSink(sink, owner, part)
    if ('write' in sink && 'destroy' in sink) return new NodeSink(sink, owner, part)
  }
  throw new StageError(
    'bad_options',
    `${part} of ${owner}: expected a Writable or WritableStream, or a function that opens one, got ${String(sink)}`,
  )
}
