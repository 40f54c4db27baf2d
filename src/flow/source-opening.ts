/** What a flow begins with, checked when it is built, and opened when it runs. */

import type { Opening } from '../stage/interop/opening.ts'
import type { Source } from '../stage/interop/source.ts'
import { show } from '../stage/show.ts'
import { FlowError } from './errors.ts'

/** @throws `FlowError` `bad_options` for what cannot be a source. */
export function checkSource(source: unknown): void {
  if (typeof source === 'string') {
    throw new FlowError(
      'bad_options',
      `from: expected something that can be iterated, got the text ${show(source)}, whose characters are hardly meant; the lines of a file are files.lines(path), the characters [...text]`,
    )
  }
  if (typeof source === 'function') return
  if (Symbol.iterator in Object(source) || Symbol.asyncIterator in Object(source)) return
  throw new FlowError(
    'bad_options',
    `from: expected something that can be iterated, or a function that opens it, got ${show(source)}`,
  )
}

/** Iterators that have been opened; they can be read once. */
const opened = new WeakSet<object>()

/** How a source is opened. An iterator that has been read would look like a source without events. */
export function openingOf<T>(source: Opening<Source<T>>): Exclude<Opening<Source<T>>, Source<T>> {
  if (typeof source === 'function') return source
  return () => {
    if ('next' in source && opened.has(source)) {
      throw new FlowError(
        'bad_flow',
        'the source is an iterator, which can be read once, and it was opened before: give a function that makes one, such as the generator function itself, Flow.from(rows); it is called for each run',
      )
    }
    opened.add(source)
    return source
  }
}
