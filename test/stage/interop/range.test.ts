import { fromIterable, range, start } from 'sluice'
import { simulate } from 'sluice/testing'
import { describe, expect, it } from 'vitest'
import { Journal, Sink } from '../../support/stages.ts'

describe('a range', () => {
  it.each([
    [range(1, 4), [1, 2, 3, 4]],
    [range(4, 1, -1), [4, 3, 2, 1]],
    [range(-3, 6, 4), [-3, 1, 5]],
    [range(2, 2), [2]],
    [range(2, 1), []],
  ] as const)('%s is %j, iterated or read by a producer', async (numbers, expected) => {
    expect([...numbers]).toEqual(expected)
    expect(numbers.size).toBe(expected.length)
    await simulate().run(async () => {
      const journal = new Journal()
      const producer = await fromIterable(numbers)
      const sink = await start(Sink, { arg: { note: journal.note }, subscribeTo: [{ to: producer, maxDemand: 2 }] })
      expect(await sink.done).toBe('normal')
      expect(journal.events).toEqual(expected)
    })
  })

  it.each([
    [() => range(0.5, 3), /^first of a range: expected a whole number, got 0.5/],
    [() => range(0, Infinity), /^last of a range: expected a whole number, got Infinity/],
    [() => range(0, 3, 0), /^step of a range: expected a whole number that is not 0, got 0/],
  ])('is of whole numbers', (make, message) => {
    expect(make).toThrow(expect.objectContaining({ code: 'bad_options', message: expect.stringMatching(message) }))
  })
})
