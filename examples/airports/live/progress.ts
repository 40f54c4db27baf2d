/** How a run goes. */

import { estimateBufferedCount, name, whereis } from 'sluice'
import { whole } from '../table.ts'
import { Chaos } from './chaos.ts'
import { Filter } from './filter.ts'
import { Reader } from './reader.ts'
import { Tally } from './tally.ts'

export async function progressLine(ms: number): Promise<string | undefined> {
  const filter = whereis(Filter)
  if (filter === undefined) return undefined
  const [{ rows }, { demand, unconfirmed }, buffered, kills] = await Promise.all([
    name(Tally).call.totals(),
    name(Reader).call.state(),
    estimateBufferedCount(filter),
    whereis(Chaos)?.call.kills(),
  ])
  const batches = `batches: ${demand} asked for, ${buffered} buffered, ${unconfirmed} on their way`
  const killed = kills === undefined ? '' : ` · ${kills} counters killed`
  return `${whole(rows)} rows · ${whole((rows * 1000) / ms)} rows/s · ${batches}${killed}`
}
