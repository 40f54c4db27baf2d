import { asyncGenerators } from '../peers/generators.ts'
import { type Row, rate } from '../row.ts'
import { pipelineRate } from './pipeline.ts'

const AMOUNT = 10_000_000

export const gs10To5: Row = {
  id: 'gs-10-5',
  work: 'producer -> producer_consumer -> consumer, demand 10/5, 10 M ints',
  unit: 'events a second',
  ours: { name: 'sluice', measure: () => pipelineRate(AMOUNT, { maxDemand: 10, minDemand: 5 }) },
  peers: [{ name: 'async generators', goal: 5, measure: () => rate(AMOUNT, () => asyncGenerators(AMOUNT)) }],
}
