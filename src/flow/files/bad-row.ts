/** Rows of a file that are not what they should be, and what becomes of them. */

import { show } from '../../stage/show.ts'
import { FlowError } from '../errors.ts'
import { badOption } from '../option-reader.ts'
import { placeOf } from './file-lines.ts'
import type { FilePart } from './file-part.ts'

/** A row that could not be read. */
export interface BadRow {
  readonly path: string
  /** The line in which it begins; the first is 1. Of a range, counted from its first byte. */
  readonly line: number
  /** As it stands in the file. */
  readonly text: string
  /** What is wrong with it. */
  readonly problem: string
}

export interface BadRowOptions {
  /**
   * What becomes of a row that cannot be read: `fail` ends the reading with an error that names the line, `skip` leaves the row out,
   * a function is given it, to collect or to count, and leaves it out. Default `fail`.
   */
  readonly onBadRow?: 'fail' | 'skip' | ((row: BadRow) => void) | undefined
}

/** Called for each row that could not be read. */
export type OnBadRow = (line: number, text: string, problem: string, cause?: unknown) => void

/** @throws `FlowError` `bad_options`. What it gives throws `bad_row`, unless told otherwise. */
export function badRowHandler(what: string, part: FilePart, { onBadRow = 'fail' }: BadRowOptions): OnBadRow {
  if (typeof onBadRow === 'function') {
    return (line, text, problem) => onBadRow({ path: part.path, line, text, problem })
  }
  if (onBadRow === 'skip') return () => {}
  if (onBadRow !== 'fail') throw badOption(`onBadRow of ${what}`, "'fail', 'skip' or a function of the row", onBadRow)
  return (line, text, problem, cause) => {
    throw new FlowError('bad_row', `${placeOf(part, line)} ${problem}: ${show(text)}`, cause)
  }
}

/** Hands on what was made before a failure, and then the failure. */
export function* madeBy<T>(make: (made: T[]) => void): Generator<T[], void, undefined> {
  const made: T[] = []
  try {
    make(made)
  } catch (error) {
    if (made.length > 0) yield made
    throw error
  }
  if (made.length > 0) yield made
}
