/** What tests of streams of tasks share. */

import type { TaskContext } from 'sluice'
import type { Simulation } from 'sluice/testing'
import { describe } from 'vitest'

/** With a context a task has a process, without one it just runs: nobody should see a difference. */
const kinds = {
  'with processes':
    <E, R>(run: (element: E) => R) =>
    (element: E, _context: TaskContext) =>
      run(element),
  'without processes': <E, R>(run: (element: E) => R) => run,
}
export const eachKind = describe.each(Object.entries(kinds) as [string, (typeof kinds)['without processes']][])

export async function collect<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const each of stream) all.push(each)
  return all
}
export const ok = <T>(value: T) => ({ ok: true, value }) as const
export const failed = (exit: unknown) => ({ ok: false, exit }) as const
export const pause = (sim: Simulation, ms: number) =>
  new Promise<void>((resolve) => void sim.clock.setTimer(ms, resolve))
export const forever = () => new Promise<never>(() => {})
export const fail = (text: string) => {
  throw new Error(text)
}

/** A source that writes down what happens to it. */
export function* journaled(journal: string[], end = Infinity): Generator<number> {
  try {
    for (let element = 1; element <= end; element++) {
      journal.push(`pull ${element}`)
      yield element
    }
  } finally {
    journal.push('closed')
  }
}
