/** The time of events: where windows find it, and how far the producers of a stage have come. */

import { show } from '../../stage/show.ts'
import { FlowError } from '../errors.ts'

/** Says when an event happened: a whole number of milliseconds, or a `Date`. */
export type TimeOf<T> = (event: T) => number | Date

/** The times of events, in milliseconds. Methods, because only the user knows their type. */
export interface EventTime {
  of(event: unknown): number
}

/** Takes the time from events by a function or a property. @throws `FlowError` `bad_options`. */
export function eventTime(what: string, by: unknown): EventTime {
  const read = reader(what, 'by', by)
  return {
    of(event) {
      const given = read(event)
      return typeof given === 'number' && Number.isSafeInteger(given) ? given : timeFrom(what, by, given)
    },
  }
}

/** A function of an event, or the name of a property as one. @throws `FlowError` `bad_options`. */
export function reader(what: string, option: string, by: unknown): (event: unknown) => unknown {
  if (isReader(by)) return by
  if (typeof by === 'string') return (event) => Object(event)[by]
  throw new FlowError(
    'bad_options',
    `${what}: expected ${option} to be a function of an event, or the name of a property, got ${show(by)}`,
  )
}

function isReader(by: unknown): by is (event: unknown) => unknown {
  return typeof by === 'function'
}

function timeFrom(what: string, by: unknown, given: unknown): number {
  if (given instanceof Date && !Number.isNaN(given.getTime())) return given.getTime()
  const source = typeof by === 'string' ? `the property ${by} of an event is` : 'by returned'
  throw new FlowError(
    'bad_return',
    `a ${what} window expects by to return an integer, the time of an event in milliseconds, or a Date: ${source} ${show(given)}`,
  )
}

/**
 * How far the producers of a stage have come. Time has passed what all of them have: one that has sent nothing yet holds it up, one
 * that has ended does not.
 */
export class Watermarks {
  readonly #latest = new Map<object, number | undefined>()

  joined(from: object): void {
    if (!this.#latest.has(from)) this.#latest.set(from, undefined)
  }

  left(from: object): void {
    this.#latest.delete(from)
  }

  /** The latest time that came from a producer. */
  of(from: object): number | undefined {
    return this.#latest.get(from)
  }

  reached(from: object, time: number): void {
    const latest = this.#latest.get(from)
    if (latest === undefined || time > latest) this.#latest.set(from, time)
  }

  /** What all producers have reached; `undefined` before each has sent something. */
  get watermark(): number | undefined {
    let watermark = Infinity
    for (const latest of this.#latest.values()) {
      if (latest === undefined) return undefined
      if (latest < watermark) watermark = latest
    }
    return watermark === Infinity ? undefined : watermark
  }
}
