import fc from 'fast-check'
import { Flow, type JoinMode } from 'sluice/flow'
import { describe, expect, it } from 'vitest'
import { inSimulation, src } from '../../support/flows.ts'

interface Row {
  readonly key: number | readonly number[]
  readonly id: string
}

const modes: readonly JoinMode[] = ['inner', 'left_outer', 'right_outer', 'full_outer']
const keys = fc.oneof(fc.integer({ min: 0, max: 8 }), fc.array(fc.integer({ min: 0, max: 1 }), { maxLength: 2 }))
const sides = (side: string) =>
  fc.array(keys, { maxLength: 40 }).map((all) => all.map((key, index): Row => ({ key, id: `${side}${index}` })))
const keyOf = ({ key }: Row) => key
const rowOf = (left: Row | null, right: Row | null) => `${left?.id}-${right?.id}`

/** The join as a loop in a loop. */
function expected(mode: JoinMode, left: readonly Row[], right: readonly Row[]): readonly string[] {
  const equal = (a: Row, b: Row) => JSON.stringify(a.key) === JSON.stringify(b.key)
  const rows = left.flatMap((l) => right.filter((r) => equal(l, r)).map((r) => rowOf(l, r)))
  if (mode === 'left_outer' || mode === 'full_outer')
    rows.push(...left.filter((l) => !right.some((r) => equal(l, r))).map((l) => rowOf(l, null)))
  if (mode === 'right_outer' || mode === 'full_outer')
    rows.push(...right.filter((r) => !left.some((l) => equal(l, r))).map((r) => rowOf(null, r)))
  return rows.sort()
}

describe('a join', () => {
  it('gives the rows of a loop in a loop, whatever the mode, the stages, the demand and the order of things', async () => {
    const given = {
      mode: fc.constantFrom(...modes),
      left: sides('l'),
      right: sides('r'),
      stages: fc.integer({ min: 1, max: 4 }),
      maxDemand: fc.integer({ min: 1, max: 12 }),
      seed: fc.nat(),
    }
    await fc.assert(
      fc.asyncProperty(fc.record(given), async ({ mode, left, right, stages, maxDemand, seed }) => {
        await inSimulation(async () => {
          const options = { stages, maxDemand }
          const flow = Flow.boundedJoin(
            mode,
            src(left, { maxDemand, stages: 2 }).map((row) => row),
            src(right),
            keyOf,
            keyOf,
            rowOf,
            options,
          )
          expect((await flow.toArray()).sort()).toEqual(expected(mode, left, right))
        }, seed)
      }),
    )
  })
})
