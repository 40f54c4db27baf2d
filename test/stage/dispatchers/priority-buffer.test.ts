import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { byLevel, PriorityBuffer } from '../../../src/stage/dispatchers/priority-buffer.ts'

const numRuns = process.env['CI'] ? 1000 : 100

/** Events are words; the first letter is the level: a is higher than b. */
const levels = { count: 3, of: (event: string): number => event.charCodeAt(0) - 97 }

function buffer({
  size = Infinity,
  keep = 'last' as 'first' | 'last',
  patience = Infinity,
} = {}): PriorityBuffer<string> {
  return new PriorityBuffer(size, keep, levels, patience)
}

/** Takes everything. */
function all(buffer: PriorityBuffer<string>): string {
  return buffer.take(Infinity).join(' ')
}

describe('the priority buffer', () => {
  it('gives the highest level first, and each level in the order in which it came', () => {
    const held = buffer()
    expect(held.store(['c1', 'a1', 'b1', 'a2'])).toBe(0)
    expect(held.store(['b2', 'c2'])).toBe(0)
    expect(held.size).toBe(6)
    expect(held.take(3)).toEqual(['a1', 'a2', 'b1'])
    held.store(['a3'])
    expect(all(held)).toBe('a3 b2 c1 c2')
    expect(held.size).toBe(0)
    expect(held.take(5)).toEqual([])
  })

  it('puts events that come together in order, and leaves alone those that are', () => {
    const held = buffer()
    expect(held.arrange(['b1', 'a1', 'c1', 'a2'])).toEqual(['a1', 'a2', 'b1', 'c1'])
    const inOrder = ['a1', 'b1', 'b2', 'c1']
    expect(held.arrange(inOrder)).toBe(inOrder)
  })

  it('gives a chunk of one level as it came', () => {
    const held = buffer()
    const events = ['b1', 'b2']
    held.store(events)
    expect(held.take(9)).toBe(events)
  })

  it('lets the lowest level pay when it is full: its oldest events', () => {
    const held = buffer({ size: 4 })
    held.store(['c1', 'b1', 'c2', 'b2'])
    expect(held.store(['a1'])).toBe(1)
    expect(held.store(['c3', 'a2'])).toBe(2)
    expect(held.size).toBe(4)
    expect(all(held)).toBe('a1 a2 b1 b2')
  })

  it('lets the lowest level pay when it is full: its newest events, when it keeps the first', () => {
    const held = buffer({ size: 4, keep: 'first' })
    held.store(['c1', 'b1', 'c2', 'b2'])
    expect(held.store(['a1'])).toBe(1)
    expect(held.store(['c3'])).toBe(1)
    expect(all(held)).toBe('a1 b1 b2 c1')
  })

  it('drops events of higher levels when there are no others', () => {
    for (const [keep, kept] of [
      ['last', 'a2 a3'],
      ['first', 'a1 a2'],
    ] as const) {
      const held = buffer({ size: 2, keep })
      expect(held.store(['a1', 'a2', 'a3', 'c1'])).toBe(2)
      expect(all(held)).toBe(kept)
    }
  })

  it('lets one of a lower level through when its patience is at an end', () => {
    const held = buffer({ patience: 2 })
    held.store(['a1', 'a2', 'a3', 'a4', 'a5', 'a6', 'a7', 'b1', 'b2', 'c1', 'c2'])
    expect(all(held)).toBe('a1 a2 b1 c1 a3 a4 b2 c2 a5 a6 a7')
  })

  it('counts what overtakes only while something waits', () => {
    const held = buffer({ patience: 2 })
    held.store(['a1', 'a2', 'a3'])
    expect(held.take(3)).toEqual(['a1', 'a2', 'a3'])
    held.store(['b1', 'a4', 'a5', 'a6'])
    expect(all(held)).toBe('a4 a5 b1 a6')
  })

  it('releases an info when all that was there has gone, and not for what overtakes', () => {
    const held = buffer()
    const infos: string[] = []
    const release = (): void => {
      for (const info of held.releasedInfos()) info()
    }
    held.store(['b1', 'c1'])
    held.attach(() => infos.push('first'))
    held.store(['a1', 'c2'])
    held.attach(() => infos.push('second'))
    expect(held.take(2)).toEqual(['a1', 'b1'])
    release()
    expect(infos).toEqual([])
    // It stops right behind what the info waits for.
    expect(held.take(9)).toEqual(['c1'])
    release()
    expect(infos).toEqual(['first'])
    held.store(['a2'])
    expect(held.take(9)).toEqual(['a2', 'c2'])
    release()
    expect(infos).toEqual(['first', 'second'])
  })

  it.each(['first', 'last'] as const)('releases an info when what it waited for is dropped, keeping the %s', (keep) => {
    const held = buffer({ size: 2, keep })
    let infos = 0
    held.store(['c1', 'c2'])
    held.attach(() => infos++)
    held.store(['a1', 'a2'])
    for (const info of held.releasedInfos()) info()
    expect(infos).toBe(1)
    expect(all(held)).toBe('a1 a2')
  })

  it('does not make an info wait for events that came after a drop', () => {
    const held = buffer({ size: 3, keep: 'first' })
    let infos = 0
    held.store(['b1', 'c1', 'c2'])
    held.attach(() => infos++)
    held.store(['a1'])
    held.take(1)
    held.store(['c3'])
    expect(held.take(9)).toEqual(['b1', 'c1'])
    for (const info of held.releasedInfos()) info()
    expect(infos).toBe(1)
  })

  it('splits events by level', () => {
    expect(byLevel(['b1', 'a1', 'b2'], levels)).toEqual([['a1'], ['b1', 'b2'], []])
  })
})

describe('any priority buffer', () => {
  const step = fc.oneof(
    fc.record({
      do: fc.constant('store' as const),
      events: fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 6 }),
    }),
    fc.record({ do: fc.constant('take' as const), count: fc.integer({ min: 1, max: 8 }) }),
    fc.constant({ do: 'info' as const }),
  )

  it('does the same as a sorted list', () => {
    const size = fc.oneof(fc.integer({ min: 1, max: 8 }), fc.constant(Infinity))
    const keep = fc.constantFrom('first' as const, 'last' as const)
    fc.assert(
      fc.property(size, keep, fc.array(step, { maxLength: 40 }), (size, keep, steps) => {
        const held = buffer({ size, keep })
        let model: string[] = []
        let next = 0
        let waiting: { readonly info: number; readonly behind: readonly string[] }[] = []
        const infos: number[] = []
        const expected: number[] = []
        const settle = (): void => {
          for (const info of held.releasedInfos()) info()
          for (const { info, behind } of waiting)
            if (!behind.some((event) => model.includes(event))) expected.push(info)
          waiting = waiting.filter(({ info }) => !expected.includes(info))
          expect(infos).toEqual(expected)
        }
        for (const [index, step] of steps.entries()) {
          if (step.do === 'info') {
            // A stage attaches infos to what is there only.
            if (model.length === 0) continue
            held.attach(() => infos.push(index))
            waiting.push({ info: index, behind: [...model] })
          } else if (step.do === 'store') {
            const events = step.events.map((level) => `${level}${next++}`)
            model.push(...events)
            const excess = Math.max(0, model.length - size)
            for (let dropped = 0; dropped < excess; dropped++) {
              const lowest = model
                .map((event) => event.charAt(0))
                .sort()
                .at(-1)
              const candidates = model.filter((event) => event.charAt(0) === lowest)
              const victim = keep === 'last' ? candidates[0] : candidates.at(-1)
              model = model.filter((event) => event !== victim)
            }
            expect(held.store(events)).toBe(excess)
          } else {
            for (let left = step.count; left > 0 && model.length > 0; ) {
              const sorted = [...model].sort((a, b) => a.charCodeAt(0) - b.charCodeAt(0))
              const taken = held.take(left)
              expect(taken).toEqual(sorted.slice(0, taken.length))
              expect(taken.length).toBeGreaterThan(0)
              model = model.filter((event) => !taken.includes(event))
              left -= taken.length
              settle()
            }
          }
          settle()
          expect(held.size).toBe(model.length)
        }
      }),
      { numRuns },
    )
  })

  it('makes nobody that waits be overtaken more often than its patience, and once for each other level', () => {
    const events = fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 60 })
    fc.assert(
      fc.property(events, fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 4 }), (events, patience, count) => {
        const held = buffer({ patience })
        held.store(events)
        const left = new Map(['a', 'b', 'c'].map((level) => [level, events.filter((event) => event === level).length]))
        const overtaken = new Map<string, number>()
        while (held.size > 0) {
          for (const event of held.take(count)) {
            left.set(event, (left.get(event) ?? 0) - 1)
            overtaken.set(event, 0)
            for (const [level, waiting] of left) {
              if (level <= event || waiting === 0) continue
              overtaken.set(level, (overtaken.get(level) ?? 0) + 1)
              expect(overtaken.get(level)).toBeLessThanOrEqual(patience + 1)
            }
          }
        }
      }),
      { numRuns },
    )
  })
})
