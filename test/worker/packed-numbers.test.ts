import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isPackedNumbers, packNumbers, unpackNumbers } from '../../src/worker/packed-numbers.ts'

const double = fc.double({ noNaN: false })
/** As another thread gets them, and whether they were packed for it. */
const sent = (events: readonly unknown[]): { readonly events: readonly unknown[]; readonly packed: boolean } => {
  const packed = packNumbers(events)
  if (packed === undefined) return { events, packed: false }
  const arrived = structuredClone(packed, { transfer: [packed.numbers.buffer] })
  expect(packed.numbers).toHaveLength(0)
  expect(isPackedNumbers(arrived)).toBe(true)
  return { events: unpackNumbers(arrived), packed: true }
}

describe('numbers on their way to another thread', () => {
  it('arrive as they were', () => {
    fc.assert(
      fc.property(fc.array(double, { minLength: 50, maxLength: 80 }), (numbers) => {
        expect(sent(numbers)).toEqual({ events: numbers, packed: true })
      }),
    )
  })

  it('and so do rows of them', () => {
    const rows = fc
      .integer({ min: 1, max: 4 })
      .chain((width) => fc.array(fc.array(double, { minLength: width, maxLength: width }), { minLength: 50 }))
    fc.assert(
      fc.property(rows, (events) => {
        expect(sent(events)).toEqual({ events, packed: true })
      }),
    )
  })

  it.each<[string, readonly unknown[]]>([
    ['few', [1, 2, 3]],
    ['none', []],
    ['texts', Array.from({ length: 60 }, String)],
    ['numbers and a text', [...Array.from({ length: 60 }, (_, n) => n), '61']],
    ['numbers and a row', [...Array.from({ length: 60 }, (_, n) => n), [61]]],
    [
      'numbers and a gap',
      Object.assign(
        Array.from({ length: 60 }, (_, n) => n),
        { length: 61 },
      ),
    ],
    ['rows of different lengths', [...Array.from({ length: 60 }, (_, n) => [n, n]), [1]]],
    ['rows of different lengths that add up', [...Array.from({ length: 60 }, (_, n) => [n, n]), [1], [1, 2, 3]]],
    ['rows with a text', [...Array.from({ length: 60 }, (_, n) => [n, n]), [1, 'a']]],
    ['rows with a gap', [...Array.from({ length: 60 }, (_, n) => [n, n]), Object.assign([1], { length: 2 })]],
    ['rows and something else', [...Array.from({ length: 60 }, (_, n) => [n, n]), undefined]],
    ['empty rows', Array.from({ length: 60 }, () => [])],
  ])('are left as they are: %s', (_what, events) => {
    expect(sent(events)).toEqual({ events, packed: false })
  })
})
