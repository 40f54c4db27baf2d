/** Flows of a module that go wrong, in the ways in which only those can that are in several threads. */

import { threadId } from 'node:worker_threads'
import { child, Producer, ProducerConsumer } from 'sluice'
import { defineFlow, Flow, Progress, range } from 'sluice/flow'

/** Vitest runs tests in threads too: these get their modules from Vite, workers do not. */
const isMainThread = 'env' in import.meta

const many = () => Flow.from(range(1, 10_000), { maxDemand: 10 })

/** Another number of operations in a worker. */
export const otherOperations = defineFlow(import.meta, () =>
  isMainThread
    ? Flow.from([1]).map((n) => n)
    : Flow.from([1])
        .map((n) => n)
        .filter((n) => n > 0),
)

/** Another kind. */
export const otherKind = defineFlow(import.meta, () =>
  isMainThread ? Flow.from([1]).map((n) => n) : Flow.from([1]).filter((n) => n > 0),
)

/** Another function in each worker. */
export const otherFunction = defineFlow(import.meta, () =>
  Flow.from([1]).map(threadId % 2 === 0 ? (n) => n + 1 : (n) => n + 2),
)

/** Another option. */
export const otherOption = defineFlow(import.meta, () =>
  Flow.from([1])
    .partition({ stages: isMainThread ? 2 : 3 })
    .map((n) => n),
)

export const failing = defineFlow(import.meta, () =>
  many().map((n) => {
    if (n === 500) throw new RangeError('on purpose, in a worker')
    return n
  }),
)

/** What `flatMap` gives is to go to the partitions of the other worker. */
export const notCloneable = defineFlow(import.meta, () =>
  Flow.from([1, 2, 3, 4])
    .flatMap((n) => [{ n, twice: () => n * 2 }])
    .partition({ key: 'n' })
    .map(({ n }) => n),
)

/** At the end of a flow. */
export const notCloneableLast = defineFlow(import.meta, () => Flow.from([1]).map((n) => ({ n, self: () => n })))

/** In a source, which is in the thread of the program. */
export const notCloneableSource = defineFlow(import.meta, () => Flow.from([() => 1]).map((run) => run()))

export const exiting = defineFlow(import.meta, () =>
  many().map((n) => {
    if (n === 500) process.exit(3)
    return n
  }),
)

export const hungry = defineFlow(import.meta, () =>
  many().map((n) => {
    const eaten: number[][] = []
    while (n === 500) eaten.push(new Array<number>(1_000_000).fill(n))
    return n
  }),
)

class Numbers extends Producer<number> {
  override handleDemand(): readonly number[] {
    return [1]
  }
}

class Middle extends ProducerConsumer<number, number> {
  override handleEvents(numbers: readonly number[]): readonly number[] {
    return numbers
  }
}

export const ofProducers = defineFlow(import.meta, () => Flow.fromSpecs([child(Numbers)]).map((n) => n))
export const behindProducers = defineFlow(import.meta, () => Flow.fromStages<number>([Numbers]).map((n) => n))
export const throughRunning = defineFlow(import.meta, () =>
  Flow.from([1])
    .throughStages<number>([Middle])
    .map((n) => n),
)
export const throughOwn = defineFlow(import.meta, () =>
  Flow.from([1])
    .throughSpecs<number>([child(Middle)])
    .map((n) => n),
)
export const watched = defineFlow(import.meta, () =>
  Flow.from([1])
    .map((n) => n)
    .withProgress(new Progress()),
)
export const withoutEnd = defineFlow(import.meta, () =>
  Flow.from(
    (function* () {
      for (let n = 0; ; n++) yield n
    })(),
    { maxDemand: 10 },
  ).map((n) => n),
)

/** Its module is defined too late for others to find it. */
export const late = () => defineFlow(import.meta, () => Flow.from([1]).map((n) => n))
