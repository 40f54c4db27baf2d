import { Flow, range } from 'sluice/flow'
import { expect, it } from 'vitest'
import { collectGarbage } from '../support/gc.ts'

const total = 200_000

it('F80 running a flow of mappers keeps nothing of what it maps', async () => {
  // Every hundredth event, watched; as many as 2,000 events may be on their way.
  const watched: WeakRef<object>[] = []
  let alive = Infinity
  const source = function* () {
    for (let index = 1; index <= total; index++) yield index
  }
  const last = async (event: object) => {
    await collectGarbage()
    alive = watched.filter((ref) => ref.deref() !== undefined).length
    return event
  }
  await Flow.from(source)
    .map((index) => {
      const event = { index }
      if (index % 100 === 0) watched.push(new WeakRef(event))
      return event
    })
    .map((event) => (event.index === total ? last(event) : event))
    .run()
  expect(watched).toHaveLength(total / 100)
  expect(alive).toBeLessThan(20)
})

it('a partition keeps nothing of what its stages have reduced', async () => {
  const watched: WeakRef<object>[] = []
  let alive = Infinity
  const last = async (event: { readonly key: number }) => {
    await collectGarbage()
    alive = watched.filter((ref) => ref.deref() !== undefined).length
    return event
  }
  const counts = await Flow.from(range(1, total))
    .map((index) => {
      const event = { index, key: index % 10 }
      if (index % 100 === 0) watched.push(new WeakRef(event))
      return event
    })
    .map((event) => (event.index === total ? last(event) : event))
    .partition({ stages: 2, key: 'key' })
    .reduce(
      () => new Map<number, number>(),
      ({ key }, counts) => counts.set(key, (counts.get(key) ?? 0) + 1),
    )
    .toMap()
  expect(counts.get(7)).toBe(total / 10)
  expect(watched).toHaveLength(total / 100)
  expect(alive).toBeLessThan(40)
})
