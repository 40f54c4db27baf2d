import { type AnyFlow, Flow, Window } from 'sluice/flow'
import { describe, expect, it } from 'vitest'
import { definitionOf } from '../../../src/flow/any-flow.ts'
import { toDemand } from '../../../src/flow/definition.ts'
import { type Fingerprint, fingerprintOf, firstDifference } from '../../../src/flow/module/fingerprint.ts'
import { planFlow } from '../../../src/flow/plan.ts'

const of = (flow: AnyFlow<unknown>): Fingerprint =>
  fingerprintOf(planFlow(definitionOf(flow), { kind: 'producers', dispatch: toDemand }))
const difference = (one: AnyFlow<unknown>, other: AnyFlow<unknown>, texts?: boolean) =>
  firstDifference(of(one), of(other), { here: 'here', there: 'in worker 1', ...(texts === undefined ? {} : { texts }) })

const one = Flow.from([1])
const sum = (n: number, all: number) => all + n

/** Built anew each time, as in two threads. */
const large = (by = 2, stages = 3): AnyFlow<unknown> => {
  const left = Flow.from([1, 2]).map((n) => n + 1).mapValues
  return Flow.boundedJoin(
    'inner',
    Flow.from([1, 2]).map((n) => n * by),
    Flow.from([3]).filter((n) => n > 1),
    (n) => n,
    (n) => n,
    (a, b) => (left === undefined ? a : b),
  )
    .partition({ stages, key: (n) => n % 7, window: Window.fixed(1, 'second', (n) => n) })
    .groupBy((n) => n)
    .takeSort(3, ([a], [b]) => a < b)
}

describe('the fingerprint of a flow', () => {
  it('is the same for flows that were built in the same way', () => {
    expect(difference(large(), large())).toBeUndefined()
    expect(structuredClone(of(large()))).toEqual(of(large()))
  })

  it.each<[string, AnyFlow<unknown>, AnyFlow<unknown>]>([
    ['step 1, operation 1 is map (of 1) here, and filter (of 1) in worker 1', one.map((n) => n), one.filter((n) => n)],
    [
      'step 1, operation 1 is map (of 1) here, and map (of 2) in worker 1',
      one.map((n) => n),
      one.map((n, stage) => [n, stage]),
    ],
    [
      'a function of step 1, operation 1, map (of 1), has another text here than in worker 1',
      one.map((n) => n),
      one.map((n) => n + 1),
    ],
    ['step 1, operation 2, map (of 1), exists in worker 1 only', one.map((n) => n), one.map((n) => n).map((n) => n)],
    [
      "step 2, 1 stages behind 1 { kind: 'demand' }, exists here only",
      one
        .map((n) => n)
        .partition()
        .reduce(() => 0, sum),
      one.map((n) => n),
    ],
    ['source 1 is 1 iterables', one.map((n) => n), Flow.fromAll([[1], [2]]).map((n) => n)],
    [
      "step 1 is 1 stages behind 0 { kind: 'partition', partitions: 1, always: true, given: (of 1) } here, and 1 stages behind 0",
      large(2, 3),
      one.map((n) => n),
    ],
    ['partitions: 3', one.partition({ stages: 3 }).uniq(), one.partition({ stages: 2 }).uniq()],
    [
      'a function of source 1, 1 iterables',
      one.partition({ stages: 2, key: (n) => n }).uniq(),
      one.partition({ stages: 2, key: (n) => -n }).uniq(),
    ],
    ['[3]', one.shuffle({ window: Window.count(3) }).uniq(), one.shuffle({ window: Window.count(4) }).uniq()],
    ['emit', one.reduce(() => 0, sum).emit('state'), one.reduce(() => 0, sum).emit('nothing')],
    ['takeSort 1', one.groupBy((n) => n).takeSort(1), one.groupBy((n) => n).takeSort(2)],
    ['a function of step 1, operation 1, groupBy', one.groupBy((n) => n), one.groupBy((n) => -n)],
    [
      'a function of step 1, operation 1, map',
      Flow.from([[1, 2] as const]).mapValues((n) => n),
      Flow.from([[1, 2] as const]).mapValues((n) => -n),
    ],
  ])('differs, and says: %s', (text, a, b) => {
    expect(difference(a, b)).toContain(text)
  })

  it('takes no notice of texts where one of the threads has them from a bundler', () => {
    expect(
      difference(
        one.map((n) => n),
        one.map((n) => n + 1),
        false,
      ),
    ).toBeUndefined()
    expect(
      difference(
        one.map((n) => n),
        one.filter((n) => n),
        false,
      ),
    ).toContain('step 1, operation 1')
  })

  it('names a difference from both sides', () => {
    const [a, b] = [one.map((n) => n), one.map((n) => n).map((n) => n)]
    expect(difference(b, a)).toBe('step 1, operation 2, map (of 1), exists here only')
  })
})
