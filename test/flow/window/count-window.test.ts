import fc from 'fast-check'
import { Window } from 'sluice/flow'
import { describe, expect, it } from 'vitest'
import { add, append, byRemainder, inSimulation, list, numbers, src, told, zero } from '../../support/flows.ts'

const done = 'done'
const every = (count: number) => ({ every: count })

describe('a count window', () => {
  it.each([
    ['in one batch', {}],
    ['in batches of 5', { maxDemand: 5, minDemand: 0 }],
  ])('F151 closes after so many events, %s; the last one closes empty', async (_, demand) => {
    await inSimulation(async () => {
      const sums = src(numbers(1, 100), { window: Window.count(50), ...demand }).reduce(zero, add)
      expect(await sums.emit('state').toArray()).toEqual([1275, 3775, 0])
    })
  })

  it('F152 fires by its trigger, which begins anew with each window', async () => {
    await inSimulation(async () => {
      const window = Window.count(50).triggerEvery(12)
      const name = every(12)
      expect(await src(numbers(1, 100), { window }).reduce(zero, add).onTrigger(told).toArray()).toEqual([
        [78, 0, name],
        [300, 0, name],
        [666, 0, name],
        [1176, 0, name],
        [1275, 0, done],
        [678, 1, name],
        [1500, 1, name],
        [2466, 1, name],
        [3576, 1, name],
        [3775, 1, done],
        [0, 2, done],
      ])
    })
  })

  it('F153 fires by its trigger before it closes', async () => {
    await inSimulation(async () => {
      const window = Window.count(4).triggerEvery(2)
      expect(await src(numbers(1, 5), { window }).reduce(zero, add).onTrigger(told).toArray()).toEqual([
        [3, 0, every(2)],
        [10, 0, every(2)],
        [10, 0, done],
        [5, 1, done],
      ])
    })
  })

  it('F154 closes in the middle of what its trigger counts', async () => {
    await inSimulation(async () => {
      const window = Window.count(3).triggerEvery(2)
      expect(await src(numbers(1, 6), { window }).reduce(zero, add).onTrigger(told).toArray()).toEqual([
        [3, 0, every(2)],
        [6, 0, done],
        [9, 1, every(2)],
        [15, 1, done],
        [0, 2, done],
      ])
    })
  })

  it('F155 counts in each stage for itself', async () => {
    await inSimulation(async () => {
      const lists = src(numbers(1, 6))
        .partition({ stages: 2, hash: byRemainder(2), window: Window.count(2) })
        .reduce(list<number>, append)
        .onTrigger((all, { index }, { id }) => [[{ index, id, all }], all])
      const seen = await lists.toArray()
      expect(seen.filter(({ index, all }) => index === 0 && all.length > 0)).toEqual([
        { index: 0, id: 0, all: [2, 4] },
        { index: 0, id: 1, all: [6] },
      ])
      expect(seen.filter(({ index, all }) => index === 1 && all.length > 0)).toEqual([
        { index: 1, id: 0, all: [1, 3] },
        { index: 1, id: 1, all: [5] },
      ])
    })
  })

  it('F156 has its own idea of what uniq has seen; a trigger has not', async () => {
    await inSimulation(async () => {
      const counted = src([1, 1, 2, 1, 1, 3], { window: Window.count(3) })
        .uniq()
        .reduce(list<number>, append)
      expect(await counted.emit('state').toArray()).toEqual([[1, 2], [1, 3], []])
      const triggered = src([1, 1, 2, 1, 3, 3], { window: Window.global().triggerEvery(3) })
        .uniq()
        .reduce(list<number>, append)
      expect(await triggered.onTrigger((all) => [[all], []]).toArray()).toEqual([[1, 2], [3], []])
    })
  })

  it('F157 closes once without any event', async () => {
    await inSimulation(async () => {
      const sums = src<number>([], { window: Window.count(5) })
        .reduce(zero, add)
        .onTrigger(told)
      expect(await sums.toArray()).toEqual([[0, 0, done]])
    })
  })

  it('F158 of a step without a reducer lets everything through', async () => {
    await inSimulation(async () => {
      expect(
        await src(numbers(1, 5), { window: Window.count(2) })
          .map((x) => x)
          .toArray(),
      ).toEqual(numbers(1, 5))
    })
  })

  it('cuts any batches as it cuts the whole', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.nat(60),
        fc.integer({ min: 1, max: 20 }),
        fc.integer({ min: 1, max: 12 }),
        fc.integer({ min: 1, max: 30 }),
        async (length, count, fires, maxDemand) => {
          await inSimulation(async () => {
            const events = numbers(1, length)
            const window = Window.count(count).triggerEvery(fires)
            const seen = await src(events, { window, maxDemand })
              .reduce(list<number>, append)
              .onTrigger(told)
              .toArray()
            const closed = seen.filter(([, , trigger]) => trigger === done).map(([all]) => all)
            expect(closed.flat()).toEqual(events)
            expect(closed.slice(0, -1).every((all) => all.length === count)).toBe(true)
            const fired = closed.flatMap((all) => numbers(1, Math.floor(all.length / fires)).map((n) => n * fires))
            expect(seen.filter(([, , trigger]) => trigger !== done).map(([all]) => all.length)).toEqual(fired)
          })
        },
      ),
      { numRuns: 40 },
    )
  })
})
