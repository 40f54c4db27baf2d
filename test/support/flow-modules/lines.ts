/** Flows of a module that read files. */

import { threadId } from 'node:worker_threads'
import { defineFlow, Flow, files } from 'sluice/flow'

export interface LinesOf {
  readonly path: string
  readonly splits?: number
}

/** How often each line is met. */
export const lineCounts = defineFlow(import.meta, ({ path, splits }: LinesOf) =>
  Flow.from(files.lines(path, { splits })).partition().countBy(),
)

/** Each line with the thread that read it. It waits between them, so that no thread reads all. */
export const slowLines = defineFlow(import.meta, ({ path, splits }: LinesOf) =>
  Flow.from(files.lines(path, { splits }), { maxDemand: 50 }).mapBatch(async (lines) => {
    await new Promise((resolve) => setTimeout(resolve, 1))
    return lines.map((line) => ({ line, thread: threadId }))
  }),
)

export const linesOnly = defineFlow(import.meta, ({ path }: LinesOf) => Flow.from(files.lines(path)))
