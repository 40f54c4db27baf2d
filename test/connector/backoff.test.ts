import fc from 'fast-check'
import { Backoff, type BackoffOptions } from 'sluice/rabbitmq'
import { describe, expect, it } from 'vitest'

const waits = (options: BackoffOptions, count: number, random = Math.random) => {
  const backoff = new Backoff(options, random)
  return Array.from({ length: count }, () => backoff.next())
}

const bounds = fc
  .tuple(fc.integer({ min: 0, max: 5000 }), fc.integer({ min: 0, max: 60_000 }))
  .map(([min, more]) => ({ min, max: min + more }))
const chances = fc.array(fc.double({ min: 0, max: 0.999_999, noNaN: true }), { minLength: 1, maxLength: 30 })

/** Draws the given numbers, over and over. */
const drawing = (numbers: readonly number[]) => {
  let index = 0
  return () => numbers[index++ % numbers.length] ?? 0
}

describe('waiting between attempts to connect', () => {
  it('B157 exp begins with the least and doubles up to the most; reset begins anew', () => {
    expect(waits({ type: 'exp', min: 10, max: 100 }, 6)).toEqual([10, 20, 40, 80, 100, 100])
    const backoff = new Backoff({ type: 'exp', min: 10, max: 100 }, Math.random)
    backoff.next()
    backoff.next()
    backoff.reset()
    expect(backoff.next()).toBe(10)
  })

  it('B157 rand stays between the least and the most', () => {
    fc.assert(
      fc.property(bounds, chances, ({ min, max }, numbers) => {
        for (const ms of waits({ type: 'rand', min, max }, 30, drawing(numbers))) {
          expect(ms).toBeGreaterThanOrEqual(min)
          expect(ms).toBeLessThanOrEqual(max)
        }
      }),
    )
  })

  it('B157 rand_exp stays between them, does not get shorter below a third of the most, and triples at most', () => {
    fc.assert(
      fc.property(bounds, chances, ({ min, max }, numbers) => {
        let previous = min
        const lower = Math.max(min, Math.floor(max / 3))
        for (const next of waits({ type: 'rand_exp', min, max }, 30, drawing(numbers))) {
          const ms = next ?? -1
          expect(ms).toBeGreaterThanOrEqual(Math.min(previous, lower))
          expect(ms).toBeLessThanOrEqual(Math.min(Math.max(previous * 3, 1), max))
          previous = ms
        }
      }),
    )
  })

  it('B157 stop waits for ever', () => {
    expect(waits({ type: 'stop', min: 1, max: 2 }, 2)).toEqual([undefined, undefined])
  })
})
