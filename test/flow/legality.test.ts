import { Flow, FlowError } from 'sluice/flow'
import { describe, expect, it } from 'vitest'
import { add, append, inSimulation, list, src, zero } from '../support/flows.ts'

// What the compiler refuses as well is called without types here: by name, on whatever flow.
type Untyped = { readonly [method: string]: (...given: readonly unknown[]) => Untyped }
const untyped = (flow: unknown): Untyped => flow as Untyped
const call = (flow: unknown, method: string, given: readonly unknown[]): Untyped => {
  const run = untyped(flow)[method]
  if (run === undefined) throw new Error(`a flow has no ${method}`)
  return run.apply(flow, [...given])
}

function refusal(build: () => unknown): string {
  try {
    build()
  } catch (error) {
    if (error instanceof FlowError) return `${error.code}: ${error.message}`
    throw error
  }
  throw new Error('it was expected to throw')
}

const run = (x: unknown) => x
const mappers = { map: [run], filter: [run], reject: [run], flatMap: [run], mapValues: [run] }
const uniques = { uniq: [], uniqBy: [run] }
const reducers = { reduce: [zero, run], emitAndReduce: [zero, run], groupBy: [run], groupByKey: [] }
const emissions = { emit: ['state'], onTrigger: [run] }
const endings = { departition: [zero, run, run], takeSort: [3] }
const pairs = src<readonly [number, number]>([[1, 2]])
const all = Object.entries({ ...mappers, mapBatch: [run], ...uniques, ...reducers, ...emissions, ...endings })

describe('behind a reducer', () => {
  const cases = Object.entries(reducers).flatMap(([reducer, made]) =>
    Object.entries({ ...mappers, mapBatch: [run], ...uniques, ...reducers }).map(
      ([method, given]) => [reducer, method, made, given] as const,
    ),
  )
  it.each(cases)('F60 F62 F63 F67 %s no %s', (reducer, method, made, given) => {
    const reduced = call(pairs, reducer, made)
    for (const flow of [reduced, call(reduced, 'emit', ['state']), call(reduced, 'onTrigger', [run])]) {
      const text = refusal(() => call(flow, method, given))
      expect(text).toMatch(new RegExp(`^bad_flow: ${method} cannot stand here: .*already has a reducer, ${reducer}`))
      expect(text).toMatch(/onTrigger.*new step/)
    }
  })
})

describe('without a reducer', () => {
  it.each(Object.entries({ ...emissions, ...endings }))('F61 F65 F112 no %s', (method, given) => {
    for (const flow of [pairs, pairs.map((x) => x), pairs.uniq()]) {
      expect(refusal(() => call(flow, method, given))).toMatch(
        new RegExp(`^bad_flow: ${method} cannot stand here: .*reducer must come first`),
      )
    }
  })
})

describe('what becomes of an accumulator', () => {
  it.each(Object.keys(reducers))('F65 is said once, behind %s', (reducer) => {
    const reduced = call(pairs, reducer, Object.entries(reducers).find(([name]) => name === reducer)?.[1] ?? [])
    for (const [first, given] of Object.entries(emissions)) {
      const decided = call(reduced, first, given)
      for (const [second, more] of Object.entries({ emit: ['nothing'], onTrigger: [run] })) {
        expect(refusal(() => call(decided, second, more))).toMatch(
          new RegExp(`^bad_flow: ${second} cannot stand here: ${first} has already said.*new step`),
        )
      }
    }
  })
})

describe('mapBatch', () => {
  it.each(Object.entries({ ...mappers, ...uniques }))('F62 does not follow %s', (method, given) => {
    expect(refusal(() => call(call(pairs, method, given), 'mapBatch', [run]))).toMatch(
      /^bad_flow: mapBatch cannot stand here: .*must open its step/,
    )
  })
})

describe('a function that is none', () => {
  const functions = { ...mappers, mapBatch: [run], uniqBy: [run], groupBy: [run], onTrigger: [run] }
  it.each(Object.keys(functions))('is refused by %s', (method) => {
    const flow = method === 'onTrigger' ? pairs.groupByKey() : pairs
    for (const wrong of [undefined, null, 5, 'id', {}]) {
      expect(refusal(() => call(flow, method, [wrong]))).toMatch(
        new RegExp(`^bad_options: ${method}: expected a function, got `),
      )
    }
  })

  it.each(['reduce', 'emitAndReduce'])('F64 is refused by %s, for the accumulator and for the reducer', (method) => {
    expect(refusal(() => call(pairs, method, [0, run]))).toMatch(/accumulator must be given as a function.*\(\) => 0/)
    expect(refusal(() => call(pairs, method, [[], run]))).toMatch(/accumulator must be given as a function/)
    expect(refusal(() => call(pairs, method, [zero, 5]))).toMatch(new RegExp(`${method}: expected a function, got 5`))
  })

  it('is refused by departition and takeSort', () => {
    const reduced = pairs.groupByKey()
    expect(refusal(() => call(reduced, 'departition', [0, run, run]))).toMatch(
      /departition: expected a function, got 0/,
    )
    expect(refusal(() => call(reduced, 'departition', [zero, run, 'x']))).toMatch(/departition: expected a function/)
    expect(refusal(() => call(reduced, 'takeSort', [3, 'x']))).toMatch(/takeSort: expected a function, got 'x'/)
    for (const wrong of [0, -1, 1.5, '3', undefined]) {
      expect(refusal(() => call(reduced, 'takeSort', [wrong]))).toMatch(/takeSort: .*whole number >= 1/)
    }
  })
})

describe('a new step', () => {
  const reduced = src([1, 2]).reduce(list<number>, append)
  const steps: readonly (readonly [string, Flow<unknown>, number])[] = [
    ['partition', reduced.partition(), 2],
    ['shuffle', reduced.shuffle(), 2],
    ['merge', reduced.merge('broadcast'), 2],
    ['departition', reduced.departition(zero, add, (sum) => sum), 1],
    ['takeSort', reduced.takeSort(1), 1],
    [
      'a join',
      Flow.boundedJoin(
        'inner',
        reduced,
        reduced,
        (x) => x,
        (x) => x,
        (x) => x,
      ),
      2,
    ],
  ]
  it.each(steps)('made by %s takes all operations again', async (_, flow, events) => {
    for (const [method, given] of all.filter(([name]) => !(name in emissions) && !(name in endings))) {
      expect(() => call(flow, method, given)).not.toThrow()
    }
    await inSimulation(async () => {
      const counted = flow
        .mapBatch((batch) => batch)
        .map(run)
        .uniq()
        .reduce(zero, (_, count) => count + 1)
      expect(await counted.emit('state').toArray()).toEqual([events])
    })
  })
})

describe('options', () => {
  const wrong: readonly (readonly [string, unknown, RegExp])[] = [
    ['stages', '2', /expected a whole number >= 1, got '2'/],
    ['stages', NaN, /expected a whole number >= 1/],
    ['maxDemand', 0, /maxDemand/],
    ['minDemand', -1, /minDemand/],
    ['window', 'global', /window .*expected a window/],
    ['onInit', 'now', /onInit .*expected a function/],
    ['dispatcher', 'demand', /dispatcher .*expected a function/],
    ['stage', 2, /has no option stage: did you mean stages\? Known are stages, window/],
  ]
  it.each(wrong)('F7 F10 refuse %s: %o', (option, value, message) => {
    const options: object = { [option]: value }
    for (const build of [
      () => Flow.from([1], options),
      () => src([1]).partition(options),
      () => src([1]).shuffle(options),
      () => src([1]).merge('demand', options),
      () =>
        src([1])
          .reduce(zero, add)
          .departition(zero, run as never, run, options),
    ]) {
      if (option === 'stages' && String(build).includes('departition')) continue
      expect(refusal(build)).toMatch(message)
    }
    expect(refusal(() => Flow.from([1], null as never))).toMatch(/expected an object of options, got null/)
  })
})
