import fc from 'fast-check'
import { VirtualClock } from 'sluice/testing'
import { describe, expect, it } from 'vitest'
import { type DeadlineList, Deadlines, type Expiring } from '../../src/process/deadlines.ts'

const numRuns = process.env['CI'] ? 1000 : 100

/** An entry that notes when it expired. */
class Entry implements Expiring {
  previousDeadline: Expiring | undefined = undefined
  nextDeadline: Expiring | undefined = undefined
  deadlineList: DeadlineList | undefined = undefined
  deadline = 0
  readonly #expired: (entry: Entry) => void

  constructor(expired: (entry: Entry) => void = () => {}) {
    this.#expired = expired
  }

  expire(): void {
    this.#expired(this)
  }
}

/** Deadlines on a clock that is turned by hand. */
function setUp() {
  const clock = new VirtualClock()
  const deadlines = new Deadlines(clock)
  const expired: { readonly entry: Entry; readonly at: number }[] = []
  return {
    clock,
    deadlines,
    expired,
    add(ms: number): Entry {
      const entry = new Entry((self) => expired.push({ entry: self, at: clock.now() }))
      deadlines.add(entry, ms)
      return entry
    },
    endTurn(): void {
      deadlines.endTurn(clock.now())
    },
    advance(ms: number): void {
      const until = clock.now() + ms
      while (clock.fireNext(until)) deadlines.endTurn(clock.now())
      clock.moveTo(until)
      deadlines.endTurn(until)
    },
  }
}

describe('deadlines', () => {
  it('expire after their time, counted from the end of their turn', () => {
    const { add, endTurn, advance, expired } = setUp()
    const entry = add(10)
    endTurn()
    advance(9)
    expect(expired).toEqual([])
    advance(1)
    expect(expired).toEqual([{ entry, at: 10 }])
    expect(entry.deadlineList).toBeUndefined()
  })

  it('share one timer per length, not one each', () => {
    const { add, endTurn, clock, advance, expired } = setUp()
    for (let count = 0; count < 1000; count++) add(10)
    for (let count = 0; count < 1000; count++) add(20)
    endTurn()
    expect(clock.pending).toBe(2)
    advance(10)
    expect(expired).toHaveLength(1000)
    advance(10)
    expect(expired).toHaveLength(2000)
    expect(clock.pending).toBe(0)
  })

  it('that are removed do not expire, wherever they stand', () => {
    const { add, endTurn, advance, deadlines, expired } = setUp()
    const entries = [add(10), add(10), add(10), add(10)]
    endTurn()
    const late = [add(10), add(10)]
    for (const entry of [entries[1], entries[0], entries[3], late[0]]) if (entry) deadlines.remove(entry)
    endTurn()
    advance(10)
    expect(expired.map(({ entry }) => entry)).toEqual([entries[2], late[1]])
  })

  it('are removed in one step, without a walk along the list', () => {
    const { add, endTurn, deadlines } = setUp()
    const entries = Array.from({ length: 1000 }, () => add(10))
    endTurn()
    const [before, entry, after] = entries.slice(499, 502) as [Entry, Entry, Entry]
    let touched = 0
    for (const other of entries) {
      if (other === before || other === entry || other === after) continue
      const { nextDeadline, previousDeadline } = other
      const count = (value: Expiring | undefined) => ({
        get: () => {
          touched++
          return value
        },
        set: () => {
          touched++
        },
      })
      Object.defineProperties(other, { nextDeadline: count(nextDeadline), previousDeadline: count(previousDeadline) })
    }
    deadlines.remove(entry)
    expect(touched).toBe(0)
    expect(before.nextDeadline).toBe(after)
    expect(after.previousDeadline).toBe(before)
  })

  it('can be removed twice, and when they never were added', () => {
    const { add, endTurn, advance, deadlines, expired } = setUp()
    const entry = add(10)
    const other = add(10)
    deadlines.remove(entry)
    deadlines.remove(entry)
    deadlines.remove(new Entry())
    endTurn()
    advance(10)
    expect(expired.map((each) => each.entry)).toEqual([other])
  })

  it('of Infinity never expire, but hold a timer as long as they wait', () => {
    const { add, endTurn, advance, clock, deadlines, expired } = setUp()
    const entry = add(Infinity)
    endTurn()
    expect(clock.pending).toBe(1)
    advance(1e12)
    expect(expired).toEqual([])
    deadlines.remove(entry)
    endTurn()
    expect(clock.pending).toBe(0)
  })

  it('leave no timer when the last one is removed, although no turn ends after that', () => {
    const { add, endTurn, clock, deadlines } = setUp()
    const first = add(Infinity)
    const second = add(Infinity)
    const other = add(10)
    endTurn()
    for (const entry of [first, second, other]) deadlines.remove(entry)
    expect(clock.pending).toBe(0)
    const next = add(10)
    endTurn()
    expect(clock.pending).toBe(1)
    deadlines.remove(next)
  })

  it('of 0 milliseconds expire at once, also when the clock begins at 0', () => {
    const { add, endTurn, advance, expired } = setUp()
    const entry = add(0)
    expect(expired).toEqual([])
    endTurn()
    advance(0)
    expect(expired).toEqual([{ entry, at: 0 }])
  })

  it('may be added while others expire', () => {
    const { clock, deadlines, advance } = setUp()
    const times: number[] = []
    const again = (): void => {
      times.push(clock.now())
      if (times.length < 4) deadlines.add(new Entry(again), 10)
    }
    deadlines.add(new Entry(again), 10)
    deadlines.endTurn(clock.now())
    advance(100)
    expect(times).toEqual([10, 20, 30, 40])
  })

  it('are never early and late by a turn at most, for any mix of lengths and removals', () => {
    const step = fc.oneof(
      { weight: 5, arbitrary: fc.record({ add: fc.constantFrom(0, 1, 5, 5, 5, 7, 50, Infinity) }) },
      { weight: 3, arbitrary: fc.record({ remove: fc.nat(30) }) },
      { weight: 3, arbitrary: fc.record({ advance: fc.nat(12) }) },
    )
    void fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        const { add, endTurn, advance, clock, deadlines, expired } = setUp()
        const waiting = new Map<Entry, number>()
        for (const each of steps) {
          if ('add' in each) waiting.set(add(each.add), clock.now() + each.add)
          else if ('remove' in each) {
            const entry = [...waiting.keys()][each.remove]
            if (entry === undefined) continue
            deadlines.remove(entry)
            waiting.delete(entry)
          } else {
            endTurn()
            advance(each.advance)
            for (const { entry, at } of expired.splice(0)) {
              expect(at).toBe(waiting.get(entry))
              waiting.delete(entry)
            }
            for (const due of waiting.values()) expect(due).toBeGreaterThan(clock.now())
          }
        }
        for (const entry of waiting.keys()) deadlines.remove(entry)
        endTurn()
        expect(clock.pending).toBe(0)
      }),
      { numRuns },
    )
  })
})
