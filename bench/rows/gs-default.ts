import { arrays } from '../peers/arrays.ts'
import { effectStream } from '../peers/effect-stream.ts'
import { asyncGenerators, syncGenerators } from '../peers/generators.ts'
import { nodeStreams } from '../peers/node-streams.ts'
import { rxjs } from '../peers/rxjs.ts'
import { type Row, rate } from '../row.ts'
import { pipelineRate } from './pipeline.ts'

const AMOUNT = 10_000_000
/** Enough for a steady rate of a peer that is shown for scale and would take seconds for the whole amount. */
const SMALL_AMOUNT = 2_000_000

export const gsDefault: Row = {
  id: 'gs-default',
  work: 'producer -> producer_consumer -> consumer, demand 1000/500, 10 M ints',
  unit: 'events a second',
  ours: { name: 'sluice', measure: () => pipelineRate(AMOUNT, { maxDemand: 1000, minDemand: 500 }) },
  peers: [
    { name: 'arrays of 500, map and count', goal: 0.6, measure: () => rate(AMOUNT, () => arrays(AMOUNT, 500)) },
    { name: 'Effect Stream range, map, runCount', goal: 1.4, measure: () => rate(AMOUNT, () => effectStream(AMOUNT)) },
    { name: 'RxJS range, map, count', goal: null, measure: () => rate(AMOUNT, () => rxjs(AMOUNT)) },
    { name: 'sync generators', goal: null, measure: () => rate(AMOUNT, () => syncGenerators(AMOUNT)) },
    { name: 'Node object streams', goal: null, measure: () => rate(SMALL_AMOUNT, () => nodeStreams(SMALL_AMOUNT)) },
    { name: 'async generators', goal: null, measure: () => rate(SMALL_AMOUNT, () => asyncGenerators(SMALL_AMOUNT)) },
  ],
}
