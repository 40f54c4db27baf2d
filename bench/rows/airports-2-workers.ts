import { deepStrictEqual } from 'node:assert'
import { runFlow } from 'sluice/flow'
import { Workers } from 'sluice/worker'
import { topAirports } from '../flows/top-airports.ts'
import { streamingLoop, type TopTen } from '../peers/airports.ts'
import { type Row, rate } from '../row.ts'
import { airportsFile } from './airports-file.ts'

/** They are started by the first run, and warm for the others. */
const workers = new Workers({ size: 2 })
let truth: TopTen | undefined

const measure = (options: Parameters<typeof runFlow>[2]) => async (): Promise<number> => {
  const { path, rows } = await airportsFile()
  truth ??= await streamingLoop(path)
  return await rate(rows, async () => {
    const [top = []] = await runFlow(topAirports, { path }, options)
    // Countries that have as many airports may stand in any order.
    deepStrictEqual(numbers(top), numbers(truth ?? []))
    return rows
  })
}

function numbers(counts: TopTen): readonly number[] {
  return counts.map(([, airports]) => airports)
}

export const airports2Workers: Row = {
  id: 'airports-2-workers',
  work: 'the flow of airports as a flow of a module, in 2 warm workers',
  unit: 'rows a second',
  ours: { name: 'sluice, 2 workers', measure: measure({ workers }) },
  peers: [{ name: 'sluice, the same flow in one thread', goal: 1.8, measure: measure({}) }],
}
