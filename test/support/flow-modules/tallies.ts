/** Flows of a module for what they do, which is seen in memory that all threads share. */

import { defineFlow, Flow, range } from 'sluice/flow'

export interface Tallied {
  /** 32-bit numbers: the sum, and how often the flow was started. */
  readonly tally: SharedArrayBuffer
  readonly last: number
}

export const summed = defineFlow(import.meta, ({ tally, last }: Tallied) =>
  Flow.from(range(1, last)).map((n) => {
    Atomics.add(new Int32Array(tally), 0, n)
    return n * 10
  }),
)

/** Fails when it is run for the first time. */
export const failsOnce = defineFlow(import.meta, ({ tally }: Pick<Tallied, 'tally'>) =>
  Flow.from([1]).map((n) => {
    if (Atomics.add(new Int32Array(tally), 1, 1) === 0) throw new RangeError('the first time')
    return n
  }),
)
