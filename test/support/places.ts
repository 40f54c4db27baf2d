/** What the tests of workers share. */

import { currentRuntime } from '../../src/process/runtime.ts'
import { nextTurn } from '../../src/process/scheduler.ts'
import { Probe } from '../../src/testing/probe.ts'

/** A process of this thread that receives what others send. */
export function newProbe(): Probe {
  return new Probe(currentRuntime())
}

/** Keeps the reports of this thread, and of its workers, out of the output. */
export function keepReports(): readonly string[] {
  const reports: string[] = []
  const keep = (_fields: object, text: string): void => {
    reports.push(text)
  }
  currentRuntime().configure({ logger: { debug() {}, info: keep, warn: keep, error: keep } })
  return reports
}

/** Lets the event loop turn until something is so that nobody tells. */
export async function turns(isSo: () => boolean): Promise<void> {
  while (!isSo()) await nextTurn()
}

/** Where a thread stands still: who waits for it hears of that, and lets it go on. */
export class Halt {
  readonly gate: SharedArrayBuffer = new SharedArrayBuffer(8)
  readonly #numbers = new Int32Array(this.gate)

  /** It stands still. */
  reached(): Promise<void> {
    return turns(() => Atomics.load(this.#numbers, 0) === 1)
  }

  goOn(): void {
    Atomics.store(this.#numbers, 1, 1)
    Atomics.notify(this.#numbers, 1)
  }
}
