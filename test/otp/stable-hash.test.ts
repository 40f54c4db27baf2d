import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { stableHash, stablePartition } from '../../src/otp/stable-hash.ts'

describe('the partition of a key', () => {
  it('is the remainder of its hash', () => {
    fc.assert(
      fc.property(fc.oneof(fc.integer(), fc.double(), fc.string()), fc.integer({ min: 1, max: 100 }), (key, count) => {
        expect(stablePartition(key, count)).toBe(stableHash(key) % count)
      }),
    )
  })

  it('of -0 is that of 0, and numbers that are the same in 32 bits are told apart', () => {
    expect(stableHash(-0)).toBe(stableHash(0))
    expect(stableHash(2 ** 31)).not.toBe(stableHash(-(2 ** 31)))
  })

  it.each([2, 3, 4, 10])('spreads whole numbers in a row evenly over %i', (count) => {
    const sizes = new Array<number>(count).fill(0)
    for (let key = 0; key < 10_000; key++) sizes[stablePartition(key, count)]! += 1
    for (const size of sizes) expect(Math.abs(size * count - 10_000)).toBeLessThan(1_000)
  })
})
