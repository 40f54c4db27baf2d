/**
 * Many numbers, or rows of numbers, as one array of doubles whose memory moves to the other thread: to clone them takes several times
 * as long. What arrives is what was sent, arrays of numbers.
 */

/** Events on their way as numbers. */
export interface PackedNumbers {
  /** Numbers in each row; 0 when the events are numbers themselves. */
  readonly width: number
  readonly numbers: Float64Array<ArrayBuffer>
}

/** Fewer are quicker cloned. */
const WORTHWHILE = 50

/** The events as numbers; `undefined` when they are something else, or few. */
export function packNumbers(events: readonly unknown[]): PackedNumbers | undefined {
  const [first] = events
  if (events.length < WORTHWHILE) return undefined
  if (typeof first === 'number') return packed(events, 0, [events])
  return Array.isArray(first) && typeof first[0] === 'number' ? packed(events, first.length, events) : undefined
}

export function isPackedNumbers(events: readonly unknown[] | PackedNumbers): events is PackedNumbers {
  return !Array.isArray(events)
}

/** The events again. */
export function unpackNumbers({ width, numbers }: PackedNumbers): readonly unknown[] {
  if (width === 0) return Array.from(numbers)
  const rows: number[][] = []
  for (let at = 0; at < numbers.length; at += width) rows.push(Array.from(numbers.subarray(at, at + width)))
  return rows
}

function packed(events: readonly unknown[], width: number, rows: readonly unknown[]): PackedNumbers | undefined {
  const numbers = new Float64Array(events.length * Math.max(1, width))
  let at = 0
  for (const row of rows) {
    if (!Array.isArray(row) || (width > 0 && row.length !== width)) return undefined
    for (let place = 0; place < row.length; place++) {
      const number: unknown = row[place]
      if (typeof number !== 'number') return undefined
      numbers[at++] = number
    }
  }
  return { width, numbers }
}
