/** Random pipelines under a supervisor: what they are made of, and how one is started. */

import fc from 'fast-check'
import {
  type CancelMode,
  type ChildSpec,
  child,
  type Dispatcher,
  type Name,
  name,
  type Ref,
  type SubscribeTo,
  type SubscriptionOptions,
  type Supervisor,
  setDemand,
  supervise,
  whereis,
} from 'sluice'
import { type Item, Ledger } from './pipeline-ledger.ts'
import {
  type DispatcherKind,
  type Dispatching,
  type Emitter,
  type Limits,
  type Pace,
  type SourceKind,
  TestEnd,
  TestMiddle,
  TestSource,
  type Transform,
} from './pipeline-stages.ts'

const limits: fc.Arbitrary<Limits> = fc
  .tuple(fc.integer({ min: 1, max: 12 }), fc.nat(11))
  .map(([maxDemand, min]) => ({ maxDemand, minDemand: min % maxDemand }))

const pace = fc.constantFrom<Pace>('sync', 'async', 'later')
const dispatcher = fc.constantFrom<DispatcherKind>('demand', 'fair', 'broadcast', 'partition', 'priority', 'patient')

/** To whom a stage subscribes: each bit of the mask is one stage above. What it says of itself is for dispatchers. */
const links = fc.record({
  mask: fc.nat(15),
  limits,
  weight: fc.integer({ min: 1, max: 3 }),
  half: fc.constantFrom('all' as const, 'even' as const, 'odd' as const),
  cancel: fc.constantFrom<CancelMode>('permanent', 'transient', 'temporary'),
})
type Links = typeof links extends fc.Arbitrary<infer T> ? T : never

/** What happens to a pipeline while it runs: `who` is any of the stages that it can happen to. */
const move = fc.record({
  after: fc.nat(4),
  who: fc.nat(15),
  what: fc.constantFrom('rejoin' as const, 'kill' as const, 'fail' as const),
  limits,
})

/** Without a bias towards small numbers: shrinking finds those, when they fail. */
export const plan = fc.noBias(
  fc.record({
    seed: fc.nat(),
    sources: fc.array(
      fc.record({
        kind: fc.constantFrom<SourceKind>('pull', 'slow', 'trickle', 'push'),
        count: fc.nat(30),
        dispatcher,
      }),
      { minLength: 1, maxLength: 4, size: 'max' },
    ),
    layers: fc.array(
      fc.record({
        transform: fc.constantFrom<Transform>('pass', 'filter', 'expand'),
        stages: fc.array(fc.record({ pace, links, dispatcher }), { minLength: 1, maxLength: 3, size: 'max' }),
      }),
      { maxLength: 3, size: 'max' },
    ),
    ends: fc.array(fc.record({ pace, links }), { minLength: 1, maxLength: 8, size: 'max' }),
    strategy: fc.constantFrom('rest_for_one' as const, 'one_for_one' as const),
    moves: fc.array(move, { maxLength: 6, size: 'max' }),
    /** Whether crashes are among the moves. */
    crashes: fc.boolean(),
    /** It is drained so soon after the last move; or else runs until nothing is left to do. */
    drainAfter: fc.option(fc.nat(12), { nil: undefined }),
  }),
)

export type Plan = typeof plan extends fc.Arbitrary<infer T> ? T : never

export interface Pipeline {
  readonly ledger: Ledger
  readonly supervisor: Ref<Supervisor>
  /** Where the stages are found, producers first. */
  readonly sources: readonly Name<TestSource>[]
  readonly middles: readonly Name<TestMiddle>[]
  readonly ends: readonly Name<TestEnd>[]
}

/** Starts the stages of a plan; nothing is produced before all of them are there. Every stage has somebody below it. */
export async function build(plan: Plan, planted?: () => Dispatcher): Promise<Pipeline> {
  const record = new Ledger()
  const ledger = (): Ledger => record
  let started = false
  const opened = (): boolean => started

  const sources = plan.sources.map((_, index) => name(TestSource, `source ${index}`))
  const middles = plan.layers.map(({ stages }, depth) =>
    stages.map((_, index) => name(TestMiddle, `${depth}.${index}`)),
  )
  const ends = plan.ends.map((_, index) => name(TestEnd, `end ${index}`))
  const emitters: readonly (readonly Emitter[])[] = [sources, ...middles]
  const kinds = [plan.sources, ...plan.layers.map(({ stages }) => stages)].map((level) =>
    level.map(({ dispatcher }) => dispatcher),
  )
  /** For each level of emitters, and each stage below it, the places of those that it subscribes to. */
  const wires = [...plan.layers.map(({ stages }) => stages), plan.ends].map((stages, depth) =>
    stages.map(({ links: { mask } }, index) => chosen(emitters[depth]?.length ?? 0, mask, index, stages.length)),
  )
  const readers = (depth: number, place: number): number[] =>
    (wires[depth] ?? []).flatMap((places, index) => (places.includes(place) ? [index] : []))
  const dispatching = (depth: number, place: number): Dispatching => ({
    kind: kinds[depth]?.[place] ?? 'demand',
    consumers: readers(depth, place).length,
    planted,
  })
  const subscribeTo = (depth: number, index: number, links: Links): SubscribeTo<Item>[] =>
    (wires[depth]?.[index] ?? []).flatMap((place) => {
      const to = emitters[depth]?.[place]
      if (to === undefined) return []
      const { limits, cancel } = links
      const common = {
        to,
        ...limits,
        cancel: plan.strategy === 'one_for_one' ? 'permanent' : cancel,
        data: [depth, place],
      }
      return [
        { ...common, ...forDispatcher(dispatching(depth, place).kind, links, readers(depth, place).indexOf(index)) },
      ]
    })

  const children: ChildSpec[] = [
    ...plan.sources.map(({ kind, count }, index) => {
      const id = `source ${index}`
      const values = Array.from({ length: count }, (_, nth) => 1000 * (index + 1) + nth)
      return child(TestSource, {
        id,
        name: sources[index],
        arg: { ledger, id, kind, values, dispatching: dispatching(0, index), opened },
      })
    }),
    ...plan.layers.flatMap(({ transform, stages }, depth) =>
      stages.map(({ pace, links }, index) => {
        const id = `middle ${depth}.${index}`
        const arg = { ledger, id, transform, pace, dispatching: dispatching(depth + 1, index) }
        return child(TestMiddle, {
          id,
          name: middles[depth]?.[index],
          arg,
          subscribeTo: subscribeTo(depth, index, links),
        })
      }),
    ),
    ...plan.ends.map(({ pace, links }, index) => {
      const id = `end ${index}`
      const above = (place: unknown): Emitter | undefined =>
        Array.isArray(place) ? emitters[place[0]]?.[place[1]] : undefined
      return child(TestEnd, {
        id,
        name: ends[index],
        arg: { ledger, id, pace, above },
        subscribeTo: subscribeTo(plan.layers.length, index, links),
      })
    }),
  ]
  const supervisor = await supervise({ strategy: plan.strategy, maxRestarts: 100_000, children })
  started = true
  for (const source of sources) {
    const ref = whereis(source)
    if (ref !== undefined) setDemand(ref, 'forward')
  }
  return { ledger: record, supervisor, sources, middles: middles.flat(), ends }
}

/** The places of the stages above that one subscribes to: each has somebody below it. */
function chosen(above: number, mask: number, index: number, siblings: number): number[] {
  const places = Array.from({ length: above }, (_, place) => place)
  const mine = places.filter((place) => ((mask >> place) & 1) === 1 || place % siblings === index)
  return mine.length > 0 ? mine : [index % above]
}

/** The options of a subscription that are for the dispatcher above. */
function forDispatcher(kind: DispatcherKind, { weight, half }: Links, partition: number): SubscriptionOptions<Item> {
  if (kind === 'partition') return { partition }
  if (kind === 'fair') return { weight }
  if (kind !== 'broadcast' || half === 'all') return {}
  const parity = half === 'even' ? 0 : 1
  return { selector: ({ nth }) => nth % 2 === parity }
}
