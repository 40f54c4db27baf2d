/** Helpers for the tests of flows, in the notation of the specification. */

import {
  type AnyFlow,
  Flow,
  type FlowSource,
  type FlowStage,
  type StepOptions,
  type TriggerName,
  type WindowId,
  type WindowInfo,
} from 'sluice/flow'
import { type Simulation, simulate } from 'sluice/testing'

/** The whole numbers from `from` to `to`. */
export const numbers = (from: number, to: number): readonly number[] =>
  Array.from({ length: to - from + 1 }, (_, index) => from + index)

/** A flow of one source and one stage. */
export const src = <T>(source: FlowSource<T>, options: StepOptions<NoInfer<T>> = {}): Flow<T> =>
  Flow.from(source, { stages: 1, ...options })

/** A hash that spreads numbers by their remainder. */
export const byRemainder =
  (of: number) =>
  (event: number): readonly [number, number] => [event, event % of]

export const zero = (): number => 0
export const add = (event: number, sum: number): number => sum + event
export const list = <T>(): readonly T[] => []
export const append = <T>(event: T, events: readonly T[]): readonly T[] => [...events, event]
export const isEven = (event: number): boolean => event % 2 === 0
export const double = (event: number): number => event * 2

/** In order, for results whose order is not determined. */
export const sorted = (events: readonly number[]): readonly number[] => [...events].sort((a, b) => a - b)

/** Runs a test in a simulation, and checks that a flow leaves nothing behind. */
export async function inSimulation(test: (simulation: Simulation) => Promise<void>, seed?: number): Promise<void> {
  await simulate({ seed }).run(async (simulation) => {
    await test(simulation)
    await simulation.settle()
    const left = simulation.processes.map(String).filter((name) => /flow|IterableProducer|StreamReader/i.test(name))
    if (left.length > 0) throw new Error(`a flow left behind: ${left.join(', ')}`)
    if (simulation.clock.pending > 0) throw new Error(`${simulation.clock.pending} timers are left`)
  })
}

/** The error that a promise rejects with. */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise
  } catch (error) {
    return error
  }
  throw new Error('it was expected to reject')
}

/** What `onTrigger` was told of a window, with its accumulator: `onTrigger(told)` emits it and keeps the accumulator. */
export const told = <S>(
  state: S,
  _stage: FlowStage,
  { id, trigger }: WindowInfo,
): readonly [[readonly [S, WindowId, TriggerName]], S] => [[[state, id, trigger]], state]

/** The events that a flow gives while the test goes on. */
export function gathered<T>(flow: AnyFlow<T>): { readonly events: readonly T[]; readonly done: Promise<void> } {
  const events: T[] = []
  return { events, done: flow.forEach((event) => void events.push(event)) }
}
