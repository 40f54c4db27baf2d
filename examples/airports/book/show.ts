/** What the steps give, as lines for people. */

import { type Screen, timed } from '../../command-line/screen.ts'
import type { Airport, Counts } from '../data/airport.ts'
import { countryName, table, whole } from '../table.ts'
import type { Snapshot } from './9-snapshots.ts'

type Counted = readonly [country: string, airports: number]
type Many<T> = Iterable<T> | AsyncIterable<T>

/** How many airports there are, and how long one has to wait for the first. */
export async function listed(open: () => Many<Airport> | Promise<Many<Airport>>): Promise<readonly string[]> {
  const began = performance.now()
  let first: number | undefined
  let count = 0
  for await (const _airport of await open()) {
    first ??= performance.now() - began
    count++
  }
  return [`${whole(count)} open airports${first === undefined ? '' : `, the first after ${whole(first)} ms`}`]
}

/** The table, and its sums. */
export async function counted(countries: Many<Counted>): Promise<readonly string[]> {
  const counts = await all(countries)
  return [...table(counts), '', sums(counts)]
}

/** Answers that do not agree: countries that have several. */
export async function manyAnswers(answers: Many<Counted>): Promise<readonly string[]> {
  const counts = await all(answers)
  const countries = new Set(counts.map(([country]) => country)).size
  return [...table(counts), '', `${whole(counts.length)} answers for ${countries} countries`]
}

/** The sum of the snapshots whenever there is a new one; the table at the end. */
export async function snapshotsAsTheyCome(
  snapshots: AsyncIterable<Snapshot>,
  screen: Screen,
): Promise<readonly string[]> {
  const began = performance.now()
  const latest = new Map<number, Counts>()
  for await (const { stage, counts } of snapshots) {
    latest.set(stage, counts)
    screen.line(timed(performance.now() - began, `${headline(together(latest))}  (stage ${stage})`))
  }
  return ['', ...(await counted(together(latest)))]
}

/** What the stages have counted, each its own countries. */
export function together(latest: ReadonlyMap<number, Counts>): readonly Counted[] {
  return [...latest.values()].flatMap((counts) => [...counts])
}

function headline(counts: readonly Counted[]): string {
  const top = counts.toSorted(([, m], [, n]) => n - m).slice(0, 3)
  return [sums(counts), ...top.map(([country, count]) => `${countryName(country)} ${whole(count)}`)].join(' · ')
}

function sums(counts: readonly Counted[]): string {
  const airports = counts.reduce((sum, [, count]) => sum + count, 0)
  return `${whole(airports)} airports in ${counts.length} countries`
}

async function all<T>(many: Many<T>): Promise<readonly T[]> {
  const list: T[] = []
  for await (const each of many) list.push(each)
  return list
}
