import { Flow, range } from 'sluice/flow'
import { type Counts, count, KEYS, loop, observable } from '../peers/flow.ts'
import { type Row, rate } from '../row.ts'

const AMOUNT = 5_000_000

/** Two stages count, each the keys that are its own; the source and what comes before the partition are stages too. */
const ours = (): Promise<Counts> =>
  Flow.from(range(0, AMOUNT - 1))
    .map((value) => value + 1)
    .filter((value) => value % 3 !== 0)
    .partition({ stages: 2, key: (value) => value % KEYS })
    .reduce((): Counts => new Map(), count)
    .toMap()

const measure = (work: () => Counts | Promise<Counts>) => (): Promise<number> =>
  rate(AMOUNT, async () => {
    const counts = [...(await work()).values()]
    // No key is a multiple of all that is dropped, so the third is dropped of each.
    const right = counts.length === KEYS && counts.reduce((sum, each) => sum + each, 0) === Math.ceil((AMOUNT * 2) / 3)
    return right ? AMOUNT : 0
  })

export const flow: Row = {
  id: 'flow',
  work: 'range, map, filter, partition by key to 2 stages, count by key, 5 M ints',
  unit: 'events of the source a second',
  ours: { name: 'sluice', measure: measure(ours) },
  peers: [
    { name: 'RxJS range, map, filter, into one Map', goal: 1.2, measure: measure(() => observable(AMOUNT)) },
    { name: 'a loop with one Map', goal: null, measure: measure(() => loop(AMOUNT)) },
  ],
}
