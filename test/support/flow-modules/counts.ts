/** Flows of a module, for the tests of those. */

import { defineFlow, Flow, range } from 'sluice/flow'

/** How often each remainder is met. */
export const remainders = defineFlow(import.meta, ({ last, by }: { readonly last: number; readonly by: number }) =>
  Flow.from(range(1, last))
    .partition({ stages: 2, key: (n) => n % by })
    .reduce(
      () => new Map<number, number>(),
      (n, counts) => counts.set(n % by, (counts.get(n % by) ?? 0) + 1),
    ),
)

export const three = defineFlow(import.meta, () => Flow.from([1, 2, 3]).map((n) => n * 10))
