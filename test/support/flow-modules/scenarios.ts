/** Flows of the scenarios of the specification, by their numbers, each as workers and one thread have to run it alike. */

import { none } from 'sluice'
import { type AnyFlow, defineFlow, Flow, type FlowStage, type StepOptions, Window, type WindowInfo } from 'sluice/flow'

const numbers = (from: number, to: number): readonly number[] =>
  Array.from({ length: to - from + 1 }, (_, index) => from + index)
const src = <T>(source: readonly T[], options: StepOptions<NoInfer<T>> = {}): Flow<T> =>
  Flow.from(source, { stages: 1, ...options })
const mod =
  (of: number) =>
  (n: number): readonly [number, number] => [n, n % of]
const zero = (): number => 0
const add = (n: number, sum: number): number => sum + n
const list = <T>(): readonly T[] => []
const append = <T>(event: T, events: readonly T[]): readonly T[] => [...events, event]
const isEven = (n: number): boolean => n % 2 === 0
const double = (n: number): number => n * 2
const sorted = (events: readonly number[]): readonly number[] => [...events].sort((a, b) => a - b)
const told = <S>(state: S, _stage: FlowStage, { id, trigger }: WindowInfo) => [[[state, id, trigger]], state] as const
const pair = <L, R>(left: L, right: R): readonly [L, R] => [left, right]
const dup = (n: number): readonly number[] => [n, n]

const two = (): Flow<number> =>
  Flow.fromAll(
    [
      [1, 2, 3],
      [4, 5, 6],
    ],
    { stages: 2 },
  )
const left = (): Flow<number> => Flow.from([0, 1, 2, 3])
const right = (): Flow<number> => Flow.from([4, 5, 6, 7, 8])
const same = <T>(event: T): T => event
const less3 = (n: number): number => n - 3
const ordered = numbers(1, 100).map((n) => (n <= 50 ? { at: n, n } : { at: 1000 + n, n }))
const bySecond = Window.fixed(1, 'second', 'at')

export const flows: Readonly<Record<string, () => AnyFlow<unknown>>> = {
  F11: two,
  'F12 filter': () => two().filter(isEven),
  'F12 reject': () => two().reject(isEven),
  F13: () => two().map(double),
  F14: () => two().flatMap(dup),
  F15: () =>
    two()
      .filter(isEven)
      .map((n) => n + 1)
      .map(double),
  'F16 batches': () => two().mapBatch((events) => [events.reduce((sum, n) => sum + n, 0)]),
  F17: () =>
    src([1, 2, 3])
      .mapBatch((events) => [...events].reverse())
      .mapBatch((events) => [events.reduce((sum, n) => sum + n, 0), ...events]),
  F18: () =>
    src([
      ['a', 1],
      ['b', 2],
    ] as const).mapValues(double),
  F19: () =>
    src(numbers(1, 6))
      .filter(isEven)
      .map((n) => n + 1)
      .flatMap((n) => [n, -n])
      .reject((n) => n === -5),
  F20: () => src([1]).flatMap(() => new Map([['a', 1]])),
  'async callbacks': () => src(numbers(1, 20)).map(async (n) => n + 1),
  F69: () =>
    src(['a', 'b', 'a']).reduce(
      () => new Map<string, number>(),
      (word, counts) => counts.set(word, (counts.get(word) ?? 0) + 1),
    ),
  F71: () => src([1, 2]).reduce(zero, add).emit('nothing'),
  F73: () =>
    src(numbers(1, 6))
      .emitAndReduce(zero, (n, sum) => [[n], sum + n])
      .emit('state'),
  F74: () =>
    src([1, 2, 3])
      .flatMap(dup)
      .emitAndReduce(zero, (n, sum) => [[n], sum + n])
      .emit('state'),
  F76: () =>
    src(numbers(1, 5))
      .emitAndReduce(list<number>, (n, last) => {
        const next = [...last, n].slice(-3)
        return [[next], next]
      })
      .emit('state'),
  F77: () => src(['the', 'quick', 'brown', 'fox']).groupBy((word) => word.length),
  F78: () =>
    src(['apple', 'bob', 'bee']).groupBy(
      (word) => word[0],
      (word) => word.length,
    ),
  F79: () =>
    src([
      ['foo', 1],
      ['foo', 2],
      ['bar', 3],
      ['foo', 4],
      ['bar', 5],
    ] as const)
      .groupByKey()
      .emit('state'),
  F83: () =>
    Flow.from(numbers(1, 10))
      .partition({ stages: 4, hash: mod(4) })
      .reduce(zero, add)
      .emit('state'),
  F84: () =>
    Flow.from(numbers(1, 10))
      .reject(isEven)
      .partition({ stages: 4, hash: mod(4) })
      .reduce(zero, add)
      .emit('state'),
  F85: () =>
    Flow.from(numbers(1, 10))
      .partition({ stages: 4, hash: (n) => [n, 0] })
      .reduce(list<number>, append)
      .onTrigger((all) => [[sorted(all)], all]),
  F86: () =>
    Flow.from(numbers(1, 100).map((n) => ({ k: n % 7, n })))
      .shuffle()
      .map(same)
      .partition({ key: { key: 'k' }, stages: 3 })
      .groupBy(
        ({ k }) => k,
        ({ n }) => n,
      )
      .onTrigger((groups) => [[...groups].map(([key, values]) => [key, sorted(values)]), groups]),
  F87: () =>
    Flow.from(numbers(1, 6))
      .partition({ stages: 2, hash: (n) => (isEven(n) ? [n * 100, 0] : none) })
      .map(same),
  F91: () => Flow.from([1, 2, 3]).merge('broadcast', { stages: 2 }).map(same),
  F93: () =>
    Flow.partition([Flow.from(numbers(1, 50)).map(double), Flow.from(numbers(51, 100)).map(double)], {
      stages: 4,
      hash: (n) => [n, 0],
    })
      .reduce(zero, add)
      .emit('state'),
  F96: () =>
    Flow.from(['roses are red', 'violets are blue'], { maxDemand: 1 })
      .flatMap((line) => line.split(' '))
      .partition({ stages: 2, hash: (word) => [word, word.length % 2] })
      .countBy()
      .onTrigger((counts, { index }) => [[[index, [...counts].sort()]], counts]),
  F97: () =>
    Flow.from(numbers(1, 8))
      .partition({ stages: 2, hash: mod(2) })
      .reduce(zero, add)
      .emit('state')
      .partition({ stages: 1 })
      .reduce(zero, add)
      .emit('state'),
  F98: () =>
    Flow.from(numbers(1, 100))
      .partition({ stages: 4, hash: mod(4) })
      .uniqBy((n) => n % 2)
      .map((n) => n % 4),
  F99: () => src([1, 1, 2, 3, 3]).partition().uniq().countBy(),
  F100: () => src(numbers(1, 5)).uniq(),
  F102: () =>
    Flow.from(numbers(1, 10))
      .partition({ stages: 4, hash: mod(4) })
      .reduce(zero, add)
      .emit('state')
      .departition(
        list<number>,
        (all, n) => [...all, n],
        (all, id) => [id, sorted(all)],
      ),
  F107: () =>
    Flow.from([1, 2, 1001, 1002, 2001])
      .partition({ stages: 2, hash: mod(2), window: Window.fixed(1, 'second', (n: number) => n) })
      .reduce(list<number>, append)
      .departition(
        list<number>,
        (all, n) => [...all, n],
        (all, id) => [id, sorted(all)],
      ),
  'F107 sessions': () =>
    Flow.from([1, 2, 1001, 1002, 5001].map((at) => ({ at, user: at % 2 })))
      .partition({ stages: 2, key: 'user', window: Window.session(1, 'second', 'at', { key: 'user' }) })
      .reduce(list<number>, ({ at }, all) => [...all, at])
      .departition(
        list<number>,
        (all, n) => [...all, n],
        (all, id) => [id, sorted(all)],
      ),
  F113: () =>
    Flow.from([5, 3, 9, 1, 7, 8])
      .partition({ stages: 2, hash: mod(2) })
      .reduce(list<number>, append)
      .takeSort(3),
  F116: () =>
    Flow.from(['f', 'b', 'f', 'f', 'z'])
      .partition({ stages: 2 })
      .countBy()
      .takeSort(1, ([, a], [, b]) => a >= b),
  F118: () => Flow.boundedJoin('inner', left(), right(), same, less3, pair),
  F119: () => Flow.boundedJoin('left_outer', left(), right(), same, less3, pair),
  F120: () => Flow.boundedJoin('right_outer', left(), right(), same, less3, pair),
  F121: () => Flow.boundedJoin('full_outer', left(), right(), same, less3, pair),
  F122: () => Flow.boundedJoin('full_outer', left(), right(), same, same, pair),
  'F123 map': () => Flow.boundedJoin('inner', left(), Flow.from([4, 5, 6]), same, less3, pair).map(([a, b]) => a + b),
  F124: () =>
    Flow.boundedJoin(
      'inner',
      Flow.from(numbers(0, 9)).partition({ stages: 2 }).map(same),
      Flow.from(numbers(0, 9)).map((n) => n + 10),
      same,
      (n) => n - 10,
      (a, b) => a + b,
      { stages: 2 },
    ),
  F128: () =>
    Flow.boundedJoin(
      'inner',
      Flow.from([1]),
      Flow.from([2]),
      () => [1, { a: 1 }],
      () => [1, { a: 1 }],
      pair,
    ),
  F135: () =>
    src(numbers(1, 100), { window: Window.global<number>().triggerEvery(10) })
      .reduce(zero, add)
      .emit('state'),
  F136: () =>
    src(numbers(1, 100))
      .partition({ stages: 1, window: Window.global<number>().triggerEvery(10) })
      .reduce(zero, add)
      .onTrigger((sum) => [[sum], 0]),
  F140: () =>
    src(numbers(1, 6))
      .partition({ stages: 1, window: Window.global<number>().triggerEvery(3) })
      .filter(isEven)
      .reduce(list<number>, append)
      .emit('state'),
  F148: () => src<number>([]).partition({ stages: 1 }).reduce(zero, add).onTrigger(told),
  F151: () =>
    src(numbers(1, 100))
      .partition({ stages: 1, window: Window.count(50) })
      .reduce(zero, add)
      .onTrigger(told),
  F155: () =>
    Flow.from(numbers(1, 6))
      .partition({ stages: 2, hash: mod(2), window: Window.count(2) })
      .reduce(list<number>, append)
      .onTrigger(told),
  F156: () =>
    src([1, 1, 2, 1, 1, 3])
      .partition({ stages: 1, window: Window.count(3) })
      .uniq()
      .reduce(list<number>, append)
      .emit('state'),
  F160: () =>
    Flow.from(ordered)
      .partition({ stages: 1, window: bySecond })
      .reduce(zero, ({ n }, sum) => sum + n)
      .onTrigger(told),
  F169: () =>
    src([0, 3000])
      .partition({ stages: 1, window: Window.fixed(1, 'second', (n: number) => n) })
      .reduce(list<number>, append)
      .onTrigger(told),
  F170: () =>
    src<number>([])
      .partition({ stages: 1, window: Window.fixed(1, 'second', (n: number) => n) })
      .reduce(zero, add)
      .onTrigger(told),
  F172: () =>
    src([-1500, -500, 500])
      .partition({ stages: 1, window: Window.fixed(1, 'second', (n: number) => n) })
      .reduce(list<number>, append)
      .onTrigger(told),
  F183: () =>
    Flow.from(numbers(1, 100), { stages: 4, maxDemand: 5 })
      .map(same)
      .partition({ stages: 4, window: Window.fixed(1, 'hour', () => 0) })
      .reduce(zero, add)
      .emit('state')
      .partition({ stages: 1 })
      .reduce(zero, add)
      .emit('state'),
  sumBy: () =>
    Flow.from(numbers(1, 100))
      .partition({ stages: 2, key: (n) => n % 7 })
      .sumBy(
        (n) => n % 7,
        (n) => n,
      ),
  'reduce with combine': () =>
    Flow.from(numbers(1, 100))
      .partition({ stages: 2, key: (n) => n % 7 })
      .reduce(
        () => new Map<number, number>(),
        (n, sums) => sums.set(n % 7, (sums.get(n % 7) ?? 0) + n),
        { combine: (a, b) => new Map([...a, ...[...b].map(([k, n]) => [k, (a.get(k) ?? 0) + n] as const)]) },
      )
      .onTrigger((sums) => [[...sums], sums]),
  'uniq in partitions': () =>
    Flow.from(numbers(1, 100))
      .map((n) => n % 10)
      .partition({ stages: 2 })
      .uniq(),
  'merge and shuffle of several': () => Flow.merge([Flow.shuffle([left(), right()]), two()], 'demand').map(double),
  'sliding windows': () =>
    Flow.from(ordered)
      .partition({ stages: 1, window: Window.sliding(2, 'second', { every: 1, unit: 'second' }, 'at') })
      .reduce(zero, ({ n }, sum) => sum + n)
      .onTrigger(told),
  'sliding count windows': () =>
    src(numbers(1, 10))
      .partition({ stages: 1, window: Window.slidingCount(4, { every: 2 }) })
      .reduce(list<number>, append)
      .onTrigger(told),
  'a custom trigger': () =>
    src(numbers(1, 20))
      .partition({
        stages: 1,
        window: Window.global<number>().trigger(zero, (events, seen) => {
          const at = events.findIndex((n) => n % 7 === 0)
          return at < 0
            ? { state: seen }
            : { trigger: 'sevens', pre: events.slice(0, at + 1), post: events.slice(at + 1), state: seen }
        }),
      })
      .reduce(list<number>, append)
      .onTrigger(told),
  'late events': () =>
    src([0, 1500, 500, 2500, 100, 1600])
      .partition({
        stages: 1,
        window: Window.fixed(1, 'second', (n: number) => n).allowedLateness(1, 'second'),
      })
      .reduce(list<number>, append)
      .onTrigger(told),
  'F129 windows of a join': () =>
    Flow.windowJoin(
      'full_outer',
      Flow.from([0, 1, 2, 3, 9, 10, 11]),
      Flow.from([4, 5, 6, 7, 8, 12, 13]),
      Window.fixed(10, 'millisecond', (n: number) => n),
      same,
      less3,
      pair,
      { stages: 2 },
    ),
  'a join, partitioned and counted': () =>
    Flow.boundedJoin('left_outer', left(), right(), same, less3, pair)
      .partition({ stages: 2, key: ([l]) => l })
      .countBy(([l]) => l % 2),
  F188: () =>
    src<number>([])
      .partition({ stages: 1, window: Window.periodic(1, 'hour') })
      .reduce(zero, add)
      .onTrigger(told),
}

export const scenario = defineFlow(import.meta, ({ name }: { readonly name: string }) => {
  const make = flows[name]
  if (make === undefined) throw new Error(`there is no flow ${name}`)
  return make()
})
