import { BroadcastDispatcher, DemandDispatcher, type Dispatcher, FairDispatcher, PartitionDispatcher } from 'sluice'
import { describe, expect, it } from 'vitest'
import { bench } from '../../support/dispatcher-bench.ts'
import { range } from '../../support/stages.ts'

describe('the dispatchers', () => {
  it.each<[string, () => Dispatcher, (readonly number[])[], readonly number[]]>([
    ['demand', () => new DemandDispatcher(), [range(1, 8), [], [9, 10]], []],
    ['fair', () => new FairDispatcher(), [range(1, 4), [5, 6], range(7, 10)], []],
    ['broadcast', () => new BroadcastDispatcher(), [range(1, 2), range(1, 2), range(1, 2)], range(3, 10)],
    [
      'partition',
      () => new PartitionDispatcher({ partitions: 3, hash: (event: unknown) => Number(event) % 3 }),
      [
        [1, 4, 7, 10],
        [2, 5],
        [3, 6, 9],
      ],
      [],
    ],
  ])('divide ten events as docs/dispatchers.md draws it: %s', (_name, make, expected, left) =>
    bench(make, (bench) => {
      const consumers = [1, 2, 0].map((partition) => bench.subscribe({ partition }))
      for (const [index, demand] of [8, 2, 8].entries()) bench.ask(demand, consumers[index])
      expect(bench.dispatcher.dispatch(range(1, 10))).toEqual(left)
      expect(consumers.map((consumer) => bench.sent(consumer).flat())).toEqual(expected)
    }),
  )
})
