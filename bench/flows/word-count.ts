/** The flow of `word-count`: how often each word is met. */
import { defineFlow, Flow, files } from 'sluice/flow'

export const wordCount = defineFlow(import.meta, ({ path }: { readonly path: string }) =>
  Flow.from(files.lines(path))
    .flatMap((line) => line.split(' '))
    .partition()
    .countBy(),
)
