/** Helpers for the tests of pipelines. */

import { Producer, type Ref } from 'sluice'
import { type Acknowledged, type Acknowledger, Message } from 'sluice/broadway'
import { type Simulation, simulate } from 'sluice/testing'

/** A producer that emits nothing: messages are pushed. */
export class Silent<Data = number> extends Producer<Message<Data>> {
  override handleDemand(): void {}
}

/** The producer of a pipeline to which messages are pushed. */
export const silent = { module: Silent<number> }

/** The data of messages. */
export const dataOf = (messages: readonly Message[]): readonly unknown[] => messages.map(({ data }) => data)

/** Notes a value, and gives the result of the callback. */
export function noted<T>(list: unknown[], value: unknown, result: T): T {
  list.push(value)
  return result
}

/** Numbers as messages that nobody acknowledges. */
export const messages = (...data: readonly number[]): readonly Message<number>[] =>
  data.map((each) => new Message(each))

/** Numbers as messages that somebody acknowledges. */
export const acked = (acknowledger: Acknowledger, ...data: readonly number[]): readonly Message<number>[] =>
  data.map((each) => new Message(each, { acknowledger }))

/** How messages of a test have ended: the data of each acknowledgement. */
export const outcomesOf = (acks: readonly Acknowledged[]): readonly unknown[] =>
  acks.map(({ successful, failed }) => [dataOf(successful), dataOf(failed)])

/** A process of the pipeline that runs, by what it is called in it: `Processor_default_0`. */
export function partOf(simulation: Simulation, base: string): Ref {
  const part = simulation.processes.find((ref) => String(ref).includes(`.Broadway.${base})`))
  if (part === undefined) throw new Error(`there is no ${base}`)
  return part
}

/** Notes what is acknowledged, call by call. */
export class Ledger implements Acknowledger {
  readonly calls: (readonly [successful: readonly unknown[], failed: readonly unknown[]])[] = []
  /** Why messages have failed, in order. */
  readonly failures: unknown[] = []

  ack(_ref: unknown, successful: readonly Message[], failed: readonly Message[]): void {
    this.calls.push([dataOf(successful), dataOf(failed)])
    this.failures.push(...failed.map(({ status }) => status))
  }
}

/** Runs a test in a simulation, and checks that a pipeline leaves nothing behind once it has been stopped. */
export async function inSimulation(test: (simulation: Simulation) => Promise<void>, seed = 1): Promise<void> {
  await simulate({ seed }).run(async (simulation) => {
    await test(simulation)
    await simulation.settle()
    const left = simulation.processes.map(String).filter((name) => name.includes('.Broadway.'))
    if (left.length > 0) throw new Error(`a pipeline left behind: ${left.join(', ')}`)
    if (simulation.clock.pending > 0) throw new Error(`${simulation.clock.pending} timers are left`)
  })
}

/** The processes of a pipeline that run, by what they are called in it. */
export function partsOf(simulation: Simulation): ReadonlyMap<string, Ref> {
  const parts = new Map<string, Ref>()
  for (const ref of simulation.processes) {
    const [, base] = /\.Broadway\.(\w+)\)/.exec(String(ref)) ?? []
    if (base !== undefined) parts.set(base, ref)
  }
  return parts
}

/** The parts that were replaced by new ones. */
export function replaced(simulation: Simulation, before: ReadonlyMap<string, Ref>): readonly string[] {
  const now = partsOf(simulation)
  return [...before.keys()].filter((base) => now.get(base) !== before.get(base))
}

/** A promise that somebody else resolves. */
export class Gate {
  open!: () => void
  readonly opened = new Promise<void>((resolve) => {
    this.open = resolve
  })
}
