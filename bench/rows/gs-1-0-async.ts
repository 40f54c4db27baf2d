import { effectStreamBuffered } from '../peers/effect-stream.ts'
import { type Row, rate } from '../row.ts'
import { pipelineRate } from './pipeline.ts'

/** A tenth of the other pipelines: a run takes over a second all the same. */
const AMOUNT = 1_000_000

export const gs1To0Async: Row = {
  id: 'gs-1-0-async',
  work: 'producer -> producer_consumer -> consumer, demand 1/0, async handlers, 1 M ints',
  unit: 'events a second',
  ours: { name: 'sluice', measure: () => pipelineRate(AMOUNT, { maxDemand: 1, minDemand: 0 }, true) },
  peers: [
    {
      name: 'Effect Stream, buffer of 1 per hop',
      goal: 1.5,
      measure: () => rate(AMOUNT, () => effectStreamBuffered(AMOUNT)),
    },
  ],
}
