import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Waiting, WaitingLine } from '../../../src/stage/ready-made/waiting-line.ts'

describe('a waiting line', () => {
  it('serves those who did not give up, in the order in which they came', () => {
    const step = fc.oneof(fc.constant('join' as const), fc.constant('admit' as const), fc.nat(50))
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const line = new WaitingLine<number>()
        const all: Waiting<number>[] = []
        const inLine: number[] = []
        const admitted: number[] = []
        for (const step of steps) {
          if (step === 'join') {
            const nth = all.length
            inLine.push(nth)
            all.push(line.join([nth, nth], () => admitted.push(nth)))
          } else if (step === 'admit') {
            const first = inLine.shift()
            expect(line.admit()).toEqual(first === undefined ? [] : [first, first])
            if (first !== undefined) expect(admitted.at(-1)).toBe(first)
          } else {
            const who = all[step]
            if (who === undefined) continue
            line.leave(who)
            if (inLine.includes(step)) inLine.splice(inLine.indexOf(step), 1)
          }
          expect(line.callers).toBe(inLine.length)
          expect(line.events).toBe(2 * inLine.length)
          expect(line.first?.events[0]).toBe(inLine[0])
        }
        expect(admitted).toEqual([...admitted].sort((a, b) => a - b))
      }),
    )
  })

  it('forgets those who gave up behind one who stays', () => {
    const line = new WaitingLine<{ readonly held: object }>()
    line.join([{ held: {} }], () => {})
    for (let nth = 0; nth < 100_000; nth++) line.leave(line.join([{ held: {} }], () => {}))
    expect(line.callers).toBe(1)
    expect(line.places).toBeLessThan(100)
  })
})
