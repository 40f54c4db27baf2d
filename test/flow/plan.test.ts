import { Flow } from 'sluice/flow'
import { describe, expect, it } from 'vitest'
import { definitionOf } from '../../src/flow/any-flow.ts'
import { toDemand } from '../../src/flow/definition.ts'
import { type Ending, planFlow } from '../../src/flow/plan.ts'
import { add, append, double, list, src, zero } from '../support/flows.ts'

const toStages: Ending = { kind: 'producers', dispatch: toDemand }
const byItself: Ending = { kind: 'consumers', output: 'none' }

/** Each group as its number of stages and, unless it is by demand, its dispatcher: `1 partition`, `layer 3`. */
function planned(flow: Parameters<typeof definitionOf>[0], ending: Ending = toStages): readonly string[] {
  return planFlow(definitionOf(flow), ending).groups.map((group) => {
    if (group.kind === 'iterables') return text(`${group.iterables.length}`, group.dispatch.kind)
    if (group.kind !== 'layer') return group.kind
    return text(`layer ${group.stages}`, group.dispatch.kind)
  })
}

const text = (what: string, dispatch: string): string => (dispatch === 'demand' ? what : `${what} ${dispatch}`)

const one = Flow.from([1])
const two = Flow.fromAll([[1], [2]], { stages: 4 })

describe('the stages of', () => {
  it('F41 two iterables without operations are the two sources', () => {
    expect(planned(two)).toEqual(['2'])
  })
  it('F42 two iterables with a map', () => {
    expect(planned(two.map(double))).toEqual(['2', 'layer 4'])
  })
  it('F43 two iterables, partitioned and reduced', () => {
    expect(planned(two.partition({ stages: 3 }).reduce(zero, add))).toEqual(['2 partition', 'layer 3'])
  })
  it('F44 two iterables, mapped, partitioned and reduced', () => {
    expect(planned(two.map(double).partition({ stages: 3 }).reduce(zero, add))).toEqual([
      '2',
      'layer 4 partition',
      'layer 3',
    ])
  })
  it('F45 a partition without operations are forced', () => {
    expect(planned(one.partition({ stages: 3 }))).toEqual(['1 partition', 'layer 3'])
  })
  it('F46 a shuffle without operations are none', () => {
    expect(planned(one.shuffle({ stages: 3 }))).toEqual(['1'])
  })
  it('F47 a shuffle with a map', () => {
    expect(planned(one.shuffle({ stages: 3 }).map(double))).toEqual(['1', 'layer 3'])
  })
  it('F48 a shuffle without operations before a partition are forced', () => {
    expect(planned(one.shuffle({ stages: 2 }).partition({ stages: 3 }).map(double))).toEqual([
      '1',
      'layer 2 partition',
      'layer 3',
    ])
  })
  it('F49 two shuffles without operations are none', () => {
    expect(planned(one.shuffle({ stages: 2 }).shuffle({ stages: 3 }))).toEqual(['1'])
  })
  it('F50 a partition without operations before a partition are forced', () => {
    expect(planned(one.partition({ stages: 2 }).partition({ stages: 3 }).map(double))).toEqual([
      '1 partition',
      'layer 2 partition',
      'layer 3',
    ])
  })
  it('F51 a partition with one stage need no hash', () => {
    expect(planned(Flow.from([1], { stages: 2 }).partition({ stages: 1 }).reduce(zero, add))).toEqual(['1', 'layer 1'])
  })
  it('F52 a join are those of its sides, which are hashed, and its own', () => {
    const right = src([2], { stages: 4 }).map(double)
    const key = (x: number) => x
    for (const stages of [1, 2]) {
      const flow = Flow.boundedJoin('inner', one, right, key, key, add, { stages })
      expect(planned(flow)).toEqual(['1 partition', '1', 'layer 4 partition', `layer ${stages}`])
      expect(planned(flow.map(double), byItself)).toHaveLength(4)
    }
  })
  it('F53 a departition are one more', () => {
    const flow = one
      .partition({ stages: 3 })
      .reduce(list<number>, append)
      .departition(zero, add, (sum) => sum)
    expect(planned(flow)).toEqual(['1 partition', 'layer 3', 'layer 1'])
  })
  it('F54 a partition of a bare source and of a layer', () => {
    const flow = Flow.partition([one, src([2], { stages: 3 }).map(double)], { stages: 2 }).map(double)
    expect(planned(flow)).toEqual(['1 partition', '1', 'layer 3 partition', 'layer 2'])
  })
  it('F55 nothing but mapBatch are a layer', () => {
    expect(planned(Flow.from([1], { stages: 4 }).mapBatch((events) => events))).toEqual(['1', 'layer 4'])
  })
  it('F56 a source that is run by itself are a layer that consumes', () => {
    expect(planned(Flow.from([1], { stages: 3 }), byItself)).toEqual(['1', 'layer 3'])
  })
  it('a hash that may replace events are partitions, even with one stage', () => {
    expect(planned(one.partition({ hash: (x) => [x * 2, 0] }).map(double))).toEqual(['1 partition', 'layer 1'])
  })
  it('a broadcast without operations are forced', () => {
    expect(planned(one.merge('broadcast', { stages: 2 }))).toEqual(['1 broadcast', 'layer 2'])
  })
})
