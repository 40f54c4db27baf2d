import { describe, expect, it } from 'vitest'
import { Allocator } from '../../src/kafka/source/allocator.ts'

const places = (letters: string) => [...letters].map((topic) => ({ topic, partition: 0 }))
const slots = (allocator: Allocator, letters: string) =>
  [0, 1, 2, 3].map((slot) => [...letters].filter((topic) => allocator.lookup(topic, 0) === slot).join(''))

function allocated(...generations: readonly string[]) {
  const allocator = new Allocator(4)
  for (const letters of generations) allocator.allocate(0, places(letters))
  return slots(allocator, generations.at(-1) ?? '')
}

describe('the allocator', () => {
  it.each([
    [['ab'], ['a', 'b', '', '']],
    [['abcdef'], ['a', 'b', 'cf', 'de']],
    [['abcdefgh'], ['ah', 'bg', 'cf', 'de']],
    [
      ['abcd', 'cdef'],
      ['e', 'f', 'c', 'd'],
    ],
  ])('B164 of %j: %j', (generations, expected) => {
    expect(allocated(...generations)).toEqual(expected)
  })

  it('B164 what stays keeps its processor over generations', () => {
    expect(allocated('abcdefgh', 'aceg', 'aceghij')).toEqual(allocated('abcdefgh', 'aceg', 'aceghij'))
    const allocator = new Allocator(4)
    const seen = new Map<string, number>()
    for (const letters of ['abcd', 'abcdefgh', 'cdgh', 'cdghab', 'h', 'abcdefgh']) {
      allocator.allocate(0, places(letters))
      for (const letter of seen.keys()) if (!letters.includes(letter)) seen.delete(letter)
      for (const letter of letters) {
        const slot = allocator.lookup(letter, 0)
        expect(seen.get(letter) ?? slot).toBe(slot)
        seen.set(letter, slot)
      }
    }
  })

  it('B164 two sources: what one still has is not given away, and what moves from one to the other stays', () => {
    const allocator = new Allocator(4)
    allocator.allocate(0, places('abcd'))
    allocator.allocate(1, places('ef'))
    expect(slots(allocator, 'abcdef')).toEqual(['ae', 'bf', 'c', 'd'])
    allocator.allocate(0, places('abe'))
    allocator.allocate(1, places('cdf'))
    expect(slots(allocator, 'abcdef')).toEqual(['ae', 'bf', 'c', 'd'])
    allocator.allocate(0, places('be'))
    allocator.allocate(1, places('cdfg'))
    expect(slots(allocator, 'bcdefg')).toEqual(['eg', 'bf', 'c', 'd'])
  })

  it('B164 partitions of one topic are told apart, and one that nobody has is still handled somewhere', () => {
    const allocator = new Allocator(2)
    allocator.allocate(
      0,
      [0, 1, 2].map((partition) => ({ topic: 't', partition })),
    )
    expect([0, 1, 2].map((partition) => allocator.lookup('t', partition))).toEqual([0, 1, 1])
    expect(allocator.lookup('t', 7)).toBe(1)
  })
})
