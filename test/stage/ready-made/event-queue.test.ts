import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { EventQueue } from '../../../src/stage/ready-made/event-queue.ts'
import { range } from '../../support/stages.ts'

type Step = { readonly do: 'push' } | { readonly do: 'pushAll' | 'take' | 'drop'; readonly count: number }

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.constant({ do: 'push' as const }),
  fc.record({
    do: fc.constantFrom('pushAll' as const, 'take' as const, 'drop' as const),
    // The arrays inside have 512 places: their borders are what may go wrong.
    count: fc.oneof(fc.nat(3), fc.integer({ min: 510, max: 514 }), fc.nat(1200)),
  }),
)

describe('an event queue', () => {
  it('is first in, first out, like an array', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), fc.constantFrom('first', 'last'), (steps, keep) => {
        const queue = new EventQueue<number>(keep)
        const model: number[] = []
        let next = 0
        for (const step of steps) {
          if (step.do === 'push') {
            queue.push(next)
            model.push(next++)
          } else if (step.do === 'pushAll') {
            const events = range(next, next + step.count - 1)
            next += step.count
            queue.pushAll(events)
            model.push(...events)
          } else if (step.do === 'take') expect(queue.take(step.count)).toEqual(model.splice(0, step.count))
          else {
            queue.drop(step.count)
            if (keep === 'last') model.splice(0, step.count)
            else model.splice(Math.max(0, model.length - step.count))
          }
          expect(queue.size).toBe(model.length)
        }
        expect(queue.take(Infinity)).toEqual(model)
        expect(queue.size).toBe(0)
      }),
    )
  })

  it('never changes an array that was taken', () => {
    const queue = new EventQueue<number>()
    queue.pushAll(range(1, 512))
    const taken = queue.take(512)
    queue.pushAll(range(513, 600))
    expect(taken).toEqual(range(1, 512))
    const some = queue.take(3)
    queue.push(0)
    expect(some).toEqual([513, 514, 515])
  })
})
