import { type ChildSpec, Consumer, child, name, none, Producer, ProducerConsumer, type Ref, startLink } from 'sluice'
import {
  type AnyFlow,
  type CannotBeEmitted,
  defineFlow,
  Flow,
  type FlowModule,
  type JoinMode,
  type RunningFlow,
  runFlow,
  type TimeWindow,
  type TriggeredWindow,
  Window,
} from 'sluice/flow'
import { type Equal, expectType, expectValue } from './support.ts'

type ElementOf<F> = F extends AsyncIterable<infer T> ? T : never

interface Airport {
  readonly name: string
  readonly country: string
  readonly elevation: number
}
declare const airports: Flow<Airport>
declare const words: Flow<string>

// Sources say what the elements are.
expectValue<Flow<number>>()(Flow.from([1, 2]))
expectValue<Flow<string>>()(Flow.from(async () => ['a']))
expectValue<Flow<number>>()(Flow.fromAll([[1], new Set([2])]))

// And every operation hands them on.
expectValue<Flow<number>>()(words.map((word) => word.length))
expectValue<Flow<number>>()(words.map(async (word) => word.length))
expectValue<Flow<string>>()(words.filter((word) => word.length > 3).reject(async (word) => word === 'no'))
expectValue<Flow<number>>()(words.flatMap((word) => [word.length]))
expectValue<Flow<number>>()(words.mapBatch(async (batch) => [batch.length]))
expectValue<Flow<[key: string, value: number]>>()(
  words.map((word): [string, string] => [word, word]).mapValues((word) => word.length),
)
declare const mixed: Flow<string | number>
expectValue<Flow<number>>()(mixed.filter((x): x is number => typeof x === 'number'))

// A reducer emits the elements of its accumulator, unless told otherwise.
const counts = words.reduce(
  () => new Map<string, number>(),
  (word, map) => map.set(word, word.length),
)
expectType<Equal<ElementOf<typeof counts>, [string, number]>>()
expectValue<Promise<Map<string, number>>>()(counts.toMap())
const sums = words.reduce(
  () => 0,
  (word, sum) => sum + word.length,
)
expectType<Equal<ElementOf<typeof sums>, CannotBeEmitted>>()
expectValue<Promise<number[]>>()(sums.emit('state').toArray())
expectValue<Promise<string[]>>()(sums.onTrigger((sum, { index }) => [[`${index}: ${sum}`], sum]).toArray())
const running = words.emitAndReduce(
  () => 0,
  (word, sum) => [[word], sum + word.length],
)
expectValue<Promise<string[]>>()(running.emit('nothing').toArray())
expectValue<Promise<(string | number)[]>>()(running.emit('state').toArray())
expectValue<Promise<Map<string, Airport[]>>>()(airports.groupBy((airport) => airport.country).toMap())
expectValue<Flow<number>>()(
  sums.emit('state').departition(
    () => [0],
    (all, sum) => [...all, sum],
    (all) => all.length,
  ),
)
expectValue<Flow<[string, number][]>>()(counts.takeSort(3, ([, a], [, b]) => a >= b))

// Keys are properties of the elements, or functions of them.
airports.partition({ key: 'country' })
airports.partition({ key: { key: 'country' } })
airports.partition({ key: (airport) => [airport.country, airport.elevation > 100] })
words.map((word): [string, number] => [word, 1]).partition({ key: 0 })
// @ts-expect-error: no such property
airports.partition({ key: 'county' })
// @ts-expect-error: nor here
airports.partition({ key: { key: 'county' } })

// A hash may replace events.
expectValue<Flow<number>>()(words.partition({ hash: (word) => (word === '' ? none : ([word.length, 0] as const)) }))
expectValue<Flow<string>>()(words.partition({ stages: 2, hash: (word) => word.length % 2 }))
expectValue<Flow<string | number>>()(Flow.partition([words, words.map((word) => word.length)]))

// A join gives its function what its mode says may be missing, and emits what that makes.
interface Runway {
  readonly airport: string
  readonly length: number
}
declare const runways: Flow<Runway>
const nameOf = (airport: Airport) => airport.name
const airportOf = (runway: Runway) => runway.airport
expectValue<Flow<number>>()(
  Flow.boundedJoin('inner', airports, runways, nameOf, airportOf, (airport, { length }) => {
    expectType<Equal<typeof airport, Airport>>()
    return airport.elevation + length
  }),
)
Flow.boundedJoin('left_outer', airports, runways, nameOf, airportOf, (airport, runway) => {
  expectType<Equal<typeof airport, Airport>>()
  expectType<Equal<typeof runway, Runway | null>>()
})
Flow.boundedJoin('right_outer', airports, runways, nameOf, airportOf, (airport, runway) => {
  expectType<Equal<typeof airport, Airport | null>>()
  expectType<Equal<typeof runway, Runway>>()
})
Flow.windowJoin('full_outer', airports, runways, Window.global(), nameOf, airportOf, (airport, runway) => {
  expectType<Equal<typeof airport, Airport | null>>()
  expectType<Equal<typeof runway, Runway | null>>()
})
declare const mode: JoinMode
Flow.boundedJoin(mode, airports, runways, nameOf, airportOf, (airport, runway) => {
  expectType<Equal<typeof airport, Airport | null>>()
  expectType<Equal<typeof runway, Runway | null>>()
})
// What its function promises, of flows with reducers too, and the operations behind it.
expectValue<Flow<[string, number | undefined]>>()(
  Flow.boundedJoin(
    'left_outer',
    counts,
    runways,
    ([word]) => word,
    airportOf,
    async ([word], runway): Promise<[string, number | undefined]> => [word, runway?.length],
  ).filter(([word]) => word !== ''),
)
// Keys agree when they can be equal.
Flow.boundedJoin(
  'inner',
  words,
  words,
  (word) => word as string | null,
  (word) => word,
  add,
)
Flow.boundedJoin(
  'inner',
  words,
  words,
  (word): 'a' | 'b' => (word ? 'a' : 'b'),
  (word): 'b' | 'c' => (word ? 'b' : 'c'),
  add,
)
Flow.boundedJoin(
  'inner',
  airports,
  runways,
  (a) => [a.name, a.elevation],
  (r) => [r.airport, r.length],
  () => 1,
)
Flow.boundedJoin(
  'inner',
  words,
  words,
  (word): unknown => word,
  (word) => word.length,
  add,
)
declare function add(a: string, b: string): string

// Stages fit.
class Numbers extends Producer<number> {
  override handleDemand(): void {}
}
class Texts extends ProducerConsumer<number, string> {
  override handleEvents(numbers: readonly number[]): readonly string[] {
    return numbers.map(String)
  }
}
class Printer extends Consumer<string> {
  override handleEvents(): void {}
}
const numbers = await startLink(Numbers)
const texts = await startLink(Texts)
const printer = await startLink(Printer)
expectValue<Flow<number>>()(Flow.fromStages([numbers]))
expectValue<Flow<number>>()(Flow.fromSpecs([child(Numbers)]))
expectValue<Flow<string>>()(Flow.fromStages([numbers]).throughStages([texts]))
expectValue<Flow<string>>()(Flow.fromStages([numbers]).throughSpecs([child(Texts)]))
expectValue<Promise<Ref<RunningFlow<string>>>>()(words.intoStages([{ to: printer, maxDemand: 5 }]))
expectValue<Flow<number>>()(Flow.fromStages([Numbers]))
expectValue<Flow<string>>()(Flow.fromStages([name(Numbers, 'odd')]).throughStages([{ to: Texts, maxDemand: 1 }]))
expectValue<ChildSpec<RunningFlow<string>>>()(words.child({ id: 'words', intoStages: [{ to: Printer, maxDemand: 5 }] }))
// @ts-expect-error: it prints texts
await Flow.fromStages([numbers]).intoStages([printer])
// @ts-expect-error: it prints texts
Flow.fromStages([Numbers]).child({ intoStages: [Printer] })
// @ts-expect-error: it takes numbers
words.throughStages([Texts])
// @ts-expect-error: it prints texts
await Flow.fromStages([numbers]).intoSpecs([child(Printer)])

// Windows look at the events of their step.
const elevations = Window.count<Airport>(10).trigger(
  () => 0,
  (events, highest) => ({ state: Math.max(highest, ...events.map(({ elevation }) => elevation)) }),
)
expectType<Equal<typeof elevations, TriggeredWindow<Airport>>>()
airports.partition({ key: 'country', window: elevations })
airports.shuffle({ window: Window.global().triggerEvery(10).triggerPeriodically(1, 'second') })
// @ts-expect-error: these are words
words.shuffle({ window: elevations })
// What a partition changes its events to is what the window sees.
expectValue<Flow<number>>()(
  words.partition({ hash: (word) => [word.length, 0] as const, window: Window.global<number>() }),
)
expectValue<Flow<Airport>>()(airports.partition({ window: Window.count<{ readonly name: string }>(3) }))

// Windows find the time of events by a property, or by a function, which knows their type where it is written into the options.
interface Order {
  readonly customer: string
  readonly at: Date
  readonly paid: number
}
declare const orders: Flow<Order>
orders.shuffle({ window: Window.fixed(1, 'hour', 'at').triggerEvery(3).allowedLateness(1, 'minute') })
orders.shuffle({ window: Window.fixed(1, 'hour', (order) => order.at) })
orders.partition({ key: 'customer', window: Window.fixed(1, 'hour', (order) => order.paid) })
expectValue<Flow<Order>>()(Flow.partition([orders], { window: Window.fixed(1, 'hour', 'at'), key: 'customer' }))
Flow.from([{ at: 1 }], { window: Window.sliding(1, 'hour', { every: 1, unit: 'minute' }, (event) => event.at) })
orders.partition({ window: Window.session(1, 'hour', 'at', { key: 'customer' }) })
orders.partition({ window: Window.session<Order>(1, 'hour', (order) => order.at, { key: 'customer' }) })
const late: TimeWindow<Order> = Window.fixed(1, 'hour', (order: Order) => order.at).allowedLateness(1, 'second', {
  openLate: true,
})
orders.shuffle({ window: late.triggerPeriodically(1, 'second').triggerEvery(10) })
expectValue<Flow<number>>()(
  sums.emit('state').departition(
    () => 0,
    (all, sum) => all + sum,
    (all) => all,
    { window: Window.fixed(1, 'hour', (all: number) => all) },
  ),
)
// @ts-expect-error: an order has no time
orders.shuffle({ window: Window.fixed(1, 'hour', 'time') })
// @ts-expect-error: this is no time
orders.shuffle({ window: Window.fixed(1, 'hour', (order) => order.customer) })
// @ts-expect-error: not this either
orders.shuffle({ window: Window.fixed(1, 'hour', 'customer') })
// @ts-expect-error: an order has no user
orders.shuffle({ window: Window.session(1, 'hour', 'at', { key: 'user' }) })

// A flow of a module: what its function takes is what runs it, and its events are what comes out.
const tall = defineFlow(import.meta, ({ above }: { readonly above: number }) =>
  airports.filter(({ elevation }) => elevation > above).map(({ name }) => name),
)
expectValue<FlowModule<{ readonly above: number }, string>>()(tall)
expectValue<AnyFlow<string>>()(tall.flow({ above: 1 }))
expectValue<string[]>()(await runFlow(tall, { above: 1 }, { signal: AbortSignal.timeout(1) }))
// @ts-expect-error
void runFlow(tall, { above: '1' })
// @ts-expect-error
void runFlow(tall)
// @ts-expect-error
void tall.flow()
const all = defineFlow(import.meta, () => airports.groupBy(({ country }) => country))
expectValue<[string, Airport[]][]>()(await runFlow(all))
expectValue<AnyFlow<[string, Airport[]]>>()(all.flow())
