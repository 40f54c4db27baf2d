import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { SlidingWindow } from '../../../src/stage/ready-made/sliding-window.ts'

describe('a sliding window', () => {
  it('gives the whole limit at once, and again an interval after it was used', () => {
    const window = new SlidingWindow(10, 1000)
    expect(window.free(0)).toBe(10)
    expect(window.nextAt).toBe(Infinity)
    window.spend(4, 0)
    expect(window.free(500)).toBe(6)
    window.spend(6, 500)
    expect(window.free(999)).toBe(0)
    expect(window.nextAt).toBe(1000)
    expect(window.free(1000)).toBe(4)
    expect(window.nextAt).toBe(1500)
    expect(window.free(1500)).toBe(10)
    expect(window.nextAt).toBe(Infinity)
  })

  it('holds no more than the limit, wherever it begins, and gives it all back', () => {
    const step = fc.record({ after: fc.nat(40), wanted: fc.integer({ min: 1, max: 12 }) })
    const limit = fc.integer({ min: 1, max: 10 })
    fc.assert(
      fc.property(limit, fc.integer({ min: 1, max: 200 }), fc.array(step), (limit, interval, steps) => {
        const window = new SlidingWindow(limit, interval)
        const went: number[] = []
        let now = 0
        for (const { after, wanted } of steps) {
          now += after
          const count = Math.min(wanted, window.free(now))
          if (count > 0) window.spend(count, now)
          for (let n = 0; n < count; n++) went.push(now)
          if (count < wanted) {
            expect(window.nextAt).toBeGreaterThan(now)
            expect(window.nextAt).toBeLessThanOrEqual(now + interval)
          }
        }
        for (const [nth, at] of went.entries()) {
          const next = went[nth + limit]
          if (next !== undefined) expect(next - at).toBeGreaterThanOrEqual(interval)
        }
        expect(window.free(now + interval)).toBe(limit)
      }),
    )
  })

  it('frees what trickled through in few steps', () => {
    const window = new SlidingWindow(1000, 1000)
    for (let now = 0; now < 1000; now++) window.spend(1, now)
    let steps = 0
    for (let at = window.nextAt; at !== Infinity; at = window.nextAt) {
      expect(window.free(at)).toBeGreaterThan(0)
      steps++
    }
    expect(steps).toBeLessThanOrEqual(17)
  })

  it('frees events that went at about the same time together, when the last of them may', () => {
    const window = new SlidingWindow(2, 1000)
    window.spend(1, 0)
    window.spend(1, 10)
    expect(window.nextAt).toBe(1010)
    expect(window.free(1009)).toBe(0)
    expect(window.free(1010)).toBe(2)
  })

  it('follows a change of the limit and of the interval', () => {
    const window = new SlidingWindow(2, 1000)
    window.spend(2, 0)
    window.change(5, 1000)
    expect(window.free(1)).toBe(3)
    window.change(1, 1000)
    expect(window.free(2)).toBe(0)
    window.change(1, 100)
    expect(window.nextAt).toBe(100)
    expect(window.free(100)).toBe(1)
  })
})
