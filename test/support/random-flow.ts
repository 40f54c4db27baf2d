/** Random flows of numbers, each with what a plain loop makes of the same events. */

import fc from 'fast-check'
import { Flow, type FlowSource } from 'sluice/flow'
import { add, append, list, zero } from './flows.ts'

/** One thing that is done to all events: in a flow, and in an array. */
interface Deed {
  readonly name: string
  readonly flow: (flow: Flow<number>) => Flow<number>
  readonly plain: (events: readonly number[]) => readonly number[]
}

export interface RandomFlow {
  /** The flow; its source is made anew by each run. */
  readonly flow: Flow<number>
  /** What comes out, in whatever order. */
  readonly expected: readonly number[]
  /** What is done, for the report of a failure. */
  readonly toString: () => string
}

const inOrder = (events: readonly number[]): readonly number[] => events.toSorted((a, b) => a - b)
const sum = (events: readonly number[]): number => events.reduce(add, 0)
const rest = (x: number): number => Math.abs(x % 3)
const count = fc.integer({ min: 1, max: 4 })
const demand = fc.integer({ min: 1, max: 9 })

/** In a stage, on one event after another. */
const mapper: fc.Arbitrary<Deed> = fc.oneof(
  fc.integer({ min: -5, max: 5 }).map((by): Deed => {
    const run = (x: number) => x + by
    return { name: `map(+ ${by})`, flow: (flow) => flow.map(run), plain: (events) => events.map(run) }
  }),
  fc.integer({ min: -5, max: 5 }).map((by): Deed => {
    const run = (x: number) => x * by
    return {
      name: `map(async * ${by})`,
      flow: (flow) => flow.map(async (x) => run(x)),
      plain: (events) => events.map(run),
    }
  }),
  fc.integer({ min: 2, max: 4 }).map((by): Deed => {
    const run = (x: number) => x % by !== 0
    return { name: `filter(% ${by})`, flow: (flow) => flow.filter(run), plain: (events) => events.filter(run) }
  }),
  fc.integer({ min: 2, max: 4 }).map((by): Deed => {
    const run = (x: number) => x % by === 0
    const plain = (events: readonly number[]) => events.filter((x) => !run(x))
    return { name: `reject(async % ${by})`, flow: (flow) => flow.reject(async (x) => run(x)), plain }
  }),
  fc.constant<Deed>({
    name: 'flatMap([x, -x])',
    flow: (flow) => flow.flatMap((x) => [x, -x]),
    plain: (events) => events.flatMap((x) => [x, -x]),
  }),
)

/** Begins a step. */
const step: fc.Arbitrary<Deed> = fc.oneof(
  fc
    .record({ stages: count, maxDemand: demand })
    .map(
      (options): Deed => ({ name: `shuffle(${options.stages})`, flow: (flow) => flow.shuffle(options), plain: same }),
    ),
  fc.record({ stages: count, maxDemand: demand }).map(
    (options): Deed => ({
      name: `partition(${options.stages})`,
      flow: (flow) => flow.partition(options),
      plain: same,
    }),
  ),
  fc.record({ stages: count, maxDemand: demand }).map(
    (options): Deed => ({
      name: `shuffle(${options.stages}).mapBatch`,
      flow: (flow) => flow.shuffle(options).mapBatch((events) => events.map((x) => x + 1)),
      plain: (events) => events.map((x) => x + 1),
    }),
  ),
  count.map(
    (stages): Deed => ({
      name: `merge(broadcast, ${stages})`,
      flow: (flow) => flow.merge('broadcast', { stages }).map((x) => x),
      plain: (events) => events.flatMap((x) => Array.from({ length: stages }, () => x)),
    }),
  ),
  count.map(
    (stages): Deed => ({
      name: `partition(${stages}).uniq`,
      flow: (flow) => flow.partition({ stages }).uniq(),
      plain: (events) => [...new Set(events.map((x) => x + 0))],
    }),
  ),
  count.map(
    (stages): Deed => ({
      name: `partition(${stages}).groupBy`,
      flow: (flow) =>
        flow
          .partition({ stages, key: rest })
          .groupBy(rest)
          .onTrigger((groups) => [[...groups].map(([key, events]) => key * 100_000 + sum(events)), groups])
          .shuffle(),
      plain: (events) =>
        [...new Set(events.map(rest))].map((key) => key * 100_000 + sum(events.filter((x) => rest(x) === key))),
    }),
  ),
  count.map(
    (stages): Deed => ({
      name: `shuffle(${stages}).emitAndReduce`,
      flow: (flow) =>
        flow
          .shuffle({ stages })
          .emitAndReduce(zero, (x, all) => [[x, x], all + x])
          .emit('nothing')
          .shuffle(),
      plain: (events) => events.flatMap((x) => [x, x]),
    }),
  ),
  count.map(
    (stages): Deed => ({
      name: `shuffle(${stages}).reduce.departition`,
      flow: (flow) =>
        flow
          .shuffle({ stages })
          .reduce(zero, add)
          .emit('state')
          .departition(
            zero,
            (all, x) => all + x,
            (all) => all,
          ),
      plain: (events) => [sum(events)],
    }),
  ),
  fc.record({ stages: count, take: fc.integer({ min: 1, max: 20 }) }).map(
    ({ stages, take }): Deed => ({
      name: `partition(${stages}).takeSort(${take})`,
      flow: (flow) =>
        flow
          .partition({ stages })
          .reduce(list<number>, append)
          .takeSort(take)
          .flatMap((sorted) => sorted),
      plain: (events) => inOrder(events).slice(0, take),
    }),
  ),
  fc.record({ stages: count, others: fc.array(fc.nat(20), { maxLength: 3 }) }).map(
    ({ stages, others }): Deed => ({
      name: `boundedJoin(left_outer, ${stages}, ${others})`,
      flow: (flow) =>
        Flow.boundedJoin('left_outer', flow, Flow.from(others), rest, rest, (x, other) => x * 100 + (other ?? 77), {
          stages,
        }),
      plain: (events) =>
        events.flatMap((x) => {
          const met = others.filter((other) => rest(other) === rest(x)).map((other) => x * 100 + other)
          return met.length === 0 ? [x * 100 + 77] : met
        }),
    }),
  ),
)

function same(events: readonly number[]): readonly number[] {
  return events
}

/** At most so many events at any point, so that a test is done some day. */
const MOST = 500

/** Flows of one source or several, which `source` makes of their events. */
export const randomFlow = (
  source: (events: readonly number[]) => FlowSource<number> = same,
): fc.Arbitrary<RandomFlow> =>
  fc
    .record({
      sources: fc.array(fc.array(fc.integer({ min: -50, max: 50 }), { maxLength: 25 }), { minLength: 1, maxLength: 3 }),
      options: fc.record({ stages: count, maxDemand: demand }),
      deeds: fc.array(fc.oneof(mapper, step), { maxLength: 7 }),
    })
    .map(({ sources, options, deeds }) => {
      let flow = Flow.fromAll(sources.map(source), options)
      let expected: readonly number[] = sources.flat()
      const names: string[] = []
      for (const deed of deeds) {
        const next = deed.plain(expected)
        if (next.length > MOST || next.some((x) => Math.abs(x) > 1e9)) continue
        flow = deed.flow(flow)
        expected = next
        names.push(deed.name)
      }
      const text = `${JSON.stringify(sources)} in ${JSON.stringify(options)}: ${names.join(' ')}`
      return { flow, expected: inOrder(expected.map((x) => x + 0)), toString: () => text }
    })
