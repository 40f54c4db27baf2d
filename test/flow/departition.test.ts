import fc from 'fast-check'
import { Window } from 'sluice/flow'
import { describe, expect, it } from 'vitest'
import { add, append, byRemainder, inSimulation, list, numbers, src, zero } from '../support/flows.ts'

const ten = src(numbers(1, 10))
const inOrder = (all: readonly number[]) => all.toSorted((a, b) => a - b)
const collect = (all: readonly number[], event: number): readonly number[] => [event, ...all]
const tally = (word: string, counts: Map<string, number>) => counts.set(word, (counts.get(word) ?? 0) + 1)
/** Everything goes to one of two partitions, three events a window. */
const uneven = ten
  .partition({ stages: 2, hash: () => 1, window: Window.count(3) })
  .reduce(zero, add)
  .emit('state')
const onTwo = { stages: 2, hash: byRemainder(2) }

describe('a departition', () => {
  it('F102 makes one event of the partitions of a window', async () => {
    await inSimulation(async () => {
      const sums = ten
        .partition({ stages: 4, hash: byRemainder(4) })
        .reduce(zero, add)
        .emit('state')
      expect(await sums.departition(list<number>, collect, inOrder).toArray()).toEqual([[10, 12, 15, 18]])
      const named = sums.departition(list<number>, collect, (all, id) => ({ id, all: inOrder(all) }))
      expect(await named.toArray()).toEqual([{ id: 'global', all: [10, 12, 15, 18] }])
    })
  })

  it('F103 merges what triggers emit before the window closes', async () => {
    await inSimulation(async () => {
      const sums = ten
        .partition({ ...onTwo, window: Window.global().triggerEvery(2) })
        .reduce(zero, add)
        .emit('state')
      expect(await sums.departition(list<number>, collect, inOrder).toArray()).toEqual([[4, 6, 16, 20, 25, 30]])
    })
  })

  it('F104 F105 finishes at the end the windows that not all partitions have, and hands them on as the others', async () => {
    await inSimulation(async () => {
      const finished = uneven.departition(list<number>, collect, (all, id) => ({ id, all: inOrder(all) }))
      const all = [
        { id: 0, all: [0, 6] },
        { id: 1, all: [15] },
        { id: 2, all: [24] },
        { id: 3, all: [10] },
      ]
      expect(await finished.toArray()).toEqual(all)
      expect(await finished.map((each) => ({ ...each, mapped: true })).toArray()).toEqual(
        all.map((each) => ({ ...each, mapped: true })),
      )
    })
  })

  it('F106 is followed by a reducer', async () => {
    await inSimulation(async () => {
      const counted = uneven.departition(list<number>, collect, (all) => all.length).reduce(zero, add)
      expect(await counted.emit('state').toArray()).toEqual([5])
    })
  })

  it('F107 finishes the windows that all partitions have closed', async () => {
    await inSimulation(async () => {
      const lists = src([1, 2, 1001, 1002, 2001])
        .partition({ ...onTwo, window: Window.fixed(1, 'second', (x) => x) })
        .reduce(list<number>, append)
      const merged = lists.departition(list<number>, collect, (all, id) => ({ id, all: inOrder(all) }))
      expect(await merged.toArray()).toEqual([
        { id: 0, all: [1, 2] },
        { id: 1000, all: [1001, 1002] },
        { id: 2000, all: [2001] },
      ])
    })
  })

  it('F110 merges a window that waits for late events as it is passed, and as it closes', async () => {
    await inSimulation(async () => {
      const window = Window.fixed(10, 'millisecond', (x: number) => x).allowedLateness(1, 'hour')
      const sums = src([1, 11, 2, 21], { window, maxDemand: 1 }).reduce(zero, add).emit('state')
      const merged = sums.departition(list<number>, collect, (all, id) => ({ id, all: inOrder(all) }))
      expect(await merged.toArray()).toEqual([
        { id: 0, all: [1, 3] },
        { id: 10, all: [11, 11] },
        { id: 20, all: [21] },
      ])
    })
  })

  it('may have windows of its own, in the time of what it makes', async () => {
    await inSimulation(async () => {
      const window = Window.fixed(1, 'second', (x: number) => x)
      const later = src([1, 2, 1001, 1002, 2001, 3001, 3002])
        .partition({ ...onTwo, window })
        .reduce(list<number>, append)
        .departition(list<number>, collect, (_all, id) => Number(id), {
          window: Window.fixed(2, 'second', (x: number) => x),
        })
        .reduce(list<number>, append)
      expect(await later.emit('state').toArray()).toEqual([
        [0, 1000],
        [2000, 3000],
      ])
    })
  })

  it('F108 merges all that one firing emits', async () => {
    await inSimulation(async () => {
      const twice = ten.reduce(zero, add).onTrigger((sum) => [[sum, sum + 1], sum])
      expect(await twice.departition(list<number>, collect, inOrder).toArray()).toEqual([[55, 56]])
    })
  })

  it('F109 finishes windows of which nothing was emitted', async () => {
    await inSimulation(async () => {
      const nothing = ten.partition(onTwo).reduce(zero, add).emit('nothing')
      expect(await nothing.departition(list<number>, collect, inOrder).toArray()).toEqual([[]])
    })
  })

  it('F111 adds up what triggers emit and forget', async () => {
    await inSimulation(async () => {
      const sums = ten
        .partition({ ...onTwo, window: Window.global().triggerEvery(2) })
        .reduce(zero, add)
        .onTrigger((sum) => [[sum], 0])
      const total = sums.departition(list<number>, collect, (all) => all.reduce((sum, each) => sum + each, 0))
      expect(await total.toArray()).toEqual([55])
    })
  })

  it('F117 works in a flow that is started', async () => {
    await inSimulation(async () => {
      const done: (readonly number[])[] = []
      const flow = ten
        .partition(onTwo)
        .reduce(zero, add)
        .emit('state')
        .departition(list<number>, collect, (all) => done.push(inOrder(all)))
      expect(await (await flow.start()).done).toBe('normal')
      expect(done).toEqual([[25, 30]])
    })
  })
})

describe('takeSort', () => {
  it('F113 takes the first of all partitions, in order', async () => {
    await inSimulation(async () => {
      const lists = src([5, 3, 9, 1, 7, 8])
        .partition(onTwo)
        .reduce(list<number>, append)
      expect(await lists.takeSort(3).toArray()).toEqual([[1, 3, 5]])
      expect(await lists.takeSort(3, (a, b) => a >= b).toArray()).toEqual([[9, 8, 7]])
    })
  })

  it('F114 equals sorting everything and taking the first', async () => {
    const values = fc.array(fc.integer({ min: -50, max: 50 }), { maxLength: 200 })
    await fc.assert(
      fc.asyncProperty(values, fc.integer({ min: 1, max: 100 }), fc.nat(), async (events, count, seed) => {
        await inSimulation(async () => {
          const lists = src(events, { maxDemand: 20 })
            .partition({ stages: 4 })
            .reduce(list<number>, append)
          const ascending = events.toSorted((a, b) => a - b)
          expect(await lists.takeSort(count).toArray()).toEqual([ascending.slice(0, count)])
          const descending = lists.takeSort(count, (a, b) => a >= b)
          expect(await descending.toArray()).toEqual([ascending.toReversed().slice(0, count)])
        }, seed)
      }),
      { numRuns: 20 },
    )
  })

  it('F115 takes of each window', async () => {
    await inSimulation(async () => {
      const lists = src(numbers(1, 6), { window: Window.count(3) }).reduce(list<number>, append)
      expect(await lists.takeSort(2).toArray()).toEqual([[1, 2], [4, 5], []])
    })
  })

  it('F116 gives the top of a tally', async () => {
    await inSimulation(async () => {
      const counts = src(['f', 'b', 'f', 'f', 'z'])
        .partition({ stages: 2 })
        .reduce(() => new Map<string, number>(), tally)
      expect(await counts.takeSort(1, ([, a], [, b]) => a >= b).toArray()).toEqual([[['f', 3]]])
    })
  })
})
