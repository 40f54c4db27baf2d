import { asyncGeneratorFused, asyncGenerators } from '../peers/generators.ts'
import { type Row, rate } from '../row.ts'
import { pipelineRate } from './pipeline.ts'

const AMOUNT = 10_000_000

export const gs1To0: Row = {
  id: 'gs-1-0',
  work: 'producer -> producer_consumer -> consumer, demand 1/0, sync handlers, 10 M ints',
  unit: 'events a second',
  ours: { name: 'sluice', measure: () => pipelineRate(AMOUNT, { maxDemand: 1, minDemand: 0 }) },
  peers: [
    { name: 'async generators', goal: 1.2, measure: () => rate(AMOUNT, () => asyncGenerators(AMOUNT)) },
    {
      name: 'one async generator, mapped by its consumer',
      goal: null,
      measure: () => rate(AMOUNT, () => asyncGeneratorFused(AMOUNT)),
    },
  ],
}
