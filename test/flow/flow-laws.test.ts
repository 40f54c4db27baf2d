import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { inSimulation, sorted } from '../support/flows.ts'
import { randomFlow } from '../support/random-flow.ts'

const seed = fc.nat({ max: 1_000_000 })
const inOrder = (events: readonly number[]) => sorted(events.map((x) => x + 0))

describe('a random flow', () => {
  it('gives what a plain loop gives, each time it is iterated, in whatever order its stages run', async () => {
    await fc.assert(
      fc.asyncProperty(randomFlow(), seed, seed, async ({ flow, expected }, first, second) => {
        await inSimulation(async () => {
          expect(inOrder(await flow.toArray())).toEqual(expected)
          const again: number[] = []
          for await (const event of flow) again.push(event)
          expect(inOrder(again)).toEqual(expected)
        }, first)
        await inSimulation(async () => {
          expect(await flow.count()).toBe(expected.length)
          await flow.run()
        }, second)
      }),
      { numRuns: 200 },
    )
  })

  it('gives the same in the same order when everything runs in the same order', async () => {
    await fc.assert(
      fc.asyncProperty(randomFlow(), seed, async ({ flow }, order) => {
        const runs: (readonly number[])[] = []
        for (let run = 0; run < 2; run++) {
          await inSimulation(async () => {
            runs.push(await flow.toArray())
          }, order)
        }
        expect(runs[0]).toEqual(runs[1])
      }),
      { numRuns: 50 },
    )
  })

  it('stops everything when its iteration is left, or its body throws', async () => {
    let open = 0
    const closing = (events: readonly number[]) =>
      function* () {
        open++
        try {
          yield* events
        } finally {
          open--
        }
      }
    await fc.assert(
      fc.asyncProperty(
        randomFlow(closing),
        seed,
        fc.nat(5),
        fc.boolean(),
        async ({ flow, expected }, order, after, throwing) => {
          await inSimulation(async (sim) => {
            let seen = 0
            const read = async () => {
              for await (const _ of flow) {
                if (seen++ < after) continue
                if (throwing) throw new Error('on purpose')
                break
              }
            }
            await read().catch((error) => expect(error).toMatchObject({ message: 'on purpose' }))
            expect(seen).toBe(Math.min(after + 1, expected.length))
            await sim.settle()
            expect(sim.processes).toEqual([])
            expect(open).toBe(0)
          }, order)
        },
      ),
      { numRuns: 200 },
    )
  })
})
