/** A flow in workers that are started for it: the program ends behind it by itself. */

import { runFlow } from 'sluice/flow'
import { exiting } from '../flow-modules/broken.ts'
import { remainders } from '../flow-modules/counts.ts'

const pairs = await runFlow(remainders, { last: 1000, by: 3 }, { workers: 2 })
console.log(JSON.stringify(pairs.toSorted(([a], [b]) => a - b)))
for await (const _ of exiting.flow().stream({ workers: 2 })) break
console.log('left')
