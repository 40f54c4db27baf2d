import { Flow, FlowError } from 'sluice/flow'
import { describe, expect, it } from 'vitest'
import { double, inSimulation, isEven, numbers, rejection, sorted, src } from '../support/flows.ts'

const sum = (events: readonly number[]): number => events.reduce((total, event) => total + event, 0)

describe.each([2, 4])('with %i stages', (stages) => {
  const flow = Flow.fromAll(
    [
      [1, 2, 3],
      [4, 5, 6],
    ],
    { stages },
  )
  const result = async (of: { toArray(): Promise<number[]> }) => sorted(await of.toArray())

  it('F11 nothing but a source gives what the source gives', async () => {
    await inSimulation(async () => expect(await result(flow)).toEqual([1, 2, 3, 4, 5, 6]))
  })
  it('F12 filter keeps, reject drops', async () => {
    await inSimulation(async () => {
      expect(await result(flow.filter(isEven))).toEqual([2, 4, 6])
      expect(await result(flow.reject(isEven))).toEqual([1, 3, 5])
    })
  })
  it('F13 map replaces', async () => {
    await inSimulation(async () => expect(await result(flow.map(double))).toEqual([2, 4, 6, 8, 10, 12]))
  })
  it('F14 flatMap replaces by many', async () => {
    await inSimulation(async () => {
      expect(await result(flow.flatMap((x) => [x, x]))).toEqual([1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6])
    })
  })
  it('F15 operations run in the order in which they are written', async () => {
    await inSimulation(async () => {
      expect(
        await result(
          flow
            .filter(isEven)
            .map((x) => x + 1)
            .map(double),
        ),
      ).toEqual([6, 10, 14])
    })
  })
  it('F16 mapBatch gets whole batches', async () => {
    await inSimulation(async () => {
      const summed = flow.mapBatch((events) => [sum(events)])
      expect(await result(summed)).toEqual([6, 15])
      expect(await result(summed.map(double))).toEqual([12, 30])
    })
  })
})

describe('mappers', () => {
  it('F17 over batches run one after another', async () => {
    await inSimulation(async () => {
      const flow = src([1, 2, 3])
        .mapBatch((events) => events.toReversed())
        .mapBatch((events) => [sum(events), ...events])
      expect(await flow.toArray()).toEqual([6, 3, 2, 1])
    })
  })

  it('F18 over values leave the keys', async () => {
    await inSimulation(async () => {
      const pairs: readonly (readonly [string, number])[] = [
        ['a', 1],
        ['b', 2],
      ]
      expect(await src(pairs).mapValues(double).toArray()).toEqual([
        ['a', 2],
        ['b', 4],
      ])
    })
  })

  it('F19 take one event through all of them before the next', async () => {
    await inSimulation(async () => {
      const flow = src(numbers(1, 6))
        .filter(isEven)
        .map((x) => x + 1)
        .flatMap((x) => [x, -x])
        .reject((x) => x === -5)
      expect(await flow.toArray()).toEqual([3, -3, 5, 7, -7])
    })
  })

  it('F20 flatMap takes anything that can be iterated', async () => {
    await inSimulation(async () => {
      expect(
        await src([1])
          .flatMap(() => new Map([['a', 1]]))
          .toArray(),
      ).toEqual([['a', 1]])
      const error = await rejection(
        src([1])
          .flatMap(() => 5 as never)
          .toArray(),
      )
      expect(error).toMatchObject({ code: 'failed', cause: { code: 'bad_return' } })
    })
  })

  it('F21 that throw make the iteration reject, with the original error as its cause', async () => {
    await inSimulation(async () => {
      const flow = src([1]).map((): number => {
        throw new RangeError('on purpose')
      })
      const iterated = await rejection(flow.take(1))
      expect(iterated).toBeInstanceOf(FlowError)
      expect(iterated).toMatchObject({ code: 'failed', cause: { name: 'RangeError', message: 'on purpose' } })
      expect(await rejection(flow.toArray())).toMatchObject({ code: 'failed', cause: { message: 'on purpose' } })
      expect(await rejection(flow.run())).toMatchObject({ code: 'failed', cause: { message: 'on purpose' } })
    })
  })

  it('F22 that throw late have let the events before through', async () => {
    await inSimulation(async () => {
      const seen: number[] = []
      const flow = src(numbers(1, 10), { maxDemand: 1 }).map((x) => {
        if (x === 5) throw new Error('on purpose')
        return x
      })
      const read = async () => {
        for await (const event of flow) seen.push(event)
      }
      expect(await rejection(read())).toMatchObject({ cause: { message: 'on purpose' } })
      expect(seen).toEqual([1, 2, 3, 4])
    })
  })

  it('may be async, each of them, and keep the order within a stage', async () => {
    await inSimulation(async () => {
      const flow = src(numbers(1, 6))
        .mapBatch(async (events) => events)
        .filter(async (x) => x !== 1)
        .map(async (x) => x * 10)
        .reject(async (x) => x === 30)
        .flatMap(async (x) => [x, x + 1])
      expect(await flow.toArray()).toEqual([20, 21, 40, 41, 50, 51, 60, 61])
    })
  })

  it('that are async run in as many stages at once as there are', async () => {
    await inSimulation(async () => {
      let running = 0
      let most = 0
      const flow = src(numbers(1, 40), { stages: 4, maxDemand: 1 }).map(async (x) => {
        most = Math.max(most, ++running)
        await Promise.resolve()
        await Promise.resolve()
        running--
        return x
      })
      expect(sorted(await flow.toArray())).toEqual(numbers(1, 40))
      expect(most).toBe(4)
    })
  })
})
