/** How far a source has been read. */

import { Range } from './range.ts'

/** Whoever wants to know how far a source has been read gives one to the stage that reads; it is counted once for each array of events. */
export class SourceMeter {
  /** Events that were handed on. */
  events = 0
  /** How much there is to read, in bytes where `bytes` counts those, in events otherwise; `undefined` when nobody knows. */
  size: number | undefined = undefined
  /** Bytes that were read. */
  bytes: number | undefined = undefined

  /** How much of it was read, from 0 to 1. */
  get done(): number | undefined {
    if (this.size === undefined) return undefined
    return this.size === 0 ? 1 : Math.min(1, (this.bytes ?? this.events) / this.size)
  }
}

/** How many events there are in a source that says so. */
export function sizeOf(source: unknown): number | undefined {
  if (Array.isArray(source)) return source.length
  return source instanceof Set || source instanceof Map || source instanceof Range ? source.size : undefined
}
