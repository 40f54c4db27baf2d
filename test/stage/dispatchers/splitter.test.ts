import fc from 'fast-check'
import { none } from 'sluice'
import { describe, expect, it } from 'vitest'
import { Splitter } from '../../../src/stage/dispatchers/splitter.ts'

const failed = (_event: unknown, thrown: unknown) => new Error(String(thrown))

describe('splitting a batch into partitions', () => {
  const names = fc.constantFrom<readonly (number | string)[]>([0, 1, 2], [2, 1, 0], ['a', 'b', 'c'])
  /** What becomes of an event: its partition by place, whether it is replaced, or nothing. */
  const fate = fc.oneof(fc.tuple(fc.nat(2), fc.boolean()), fc.constant(undefined))

  it('gives each its events in order, and takes no more than are wanted', () => {
    const batch = fc.tuple(fc.array(fate, { maxLength: 30 }), fc.nat(30))
    fc.assert(
      fc.property(names, fc.array(batch, { minLength: 1, maxLength: 3 }), (names, batches) => {
        let fates: readonly (readonly [number, boolean] | undefined)[] = []
        const hash = (event: number) => {
          const [place = 0, replaced = false] = fates[event] ?? []
          if (fates[event] === undefined) return none
          return replaced ? { event: -event, partition: names[place] } : names[place]
        }
        const splitter = new Splitter<number>({ names, hash, failed })
        for (const [given, wanted] of batches) {
          fates = given
          const taken = splitter.split([...given.keys()], wanted)
          const expected: number[][] = [[], [], []]
          let left = wanted
          let index = 0
          for (; index < given.length && left > 0; index++) {
            const [place, replaced] = given[index] ?? []
            if (place === undefined) continue
            expected[place]?.push(replaced === true ? -index : index)
            left--
          }
          expect(taken).toBe(index)
          expect(splitter.dropped).toBe(index - (wanted - left))
          expect(splitter.batches).toEqual(expected)
        }
      }),
    )
  })

  it('takes batches of any length', () => {
    const splitter = new Splitter<number>({ names: [0, 1], hash: (event) => event % 2, failed })
    for (const length of [10, 5_000, 50_000]) {
      expect(splitter.split([...Array(length).keys()], Infinity)).toBe(length)
      expect(splitter.batches.map((batch) => batch.length)).toEqual([length / 2, length / 2])
      expect(splitter.batches[1]?.at(-1)).toBe(length - 1)
    }
  })

  it.each([3, -1, 0.5, Number.NaN, 'length', '0'])('refuses %j, which is no place', (place) => {
    const splitter = new Splitter<number>({ names: [0, 1], hash: () => place, failed })
    expect(() => splitter.split([7], 1)).toThrow('expected 0, 1, none or { event, partition }')
  })
})
