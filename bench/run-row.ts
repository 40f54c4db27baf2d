/**
 * Runs one row in this process and sends its samples to the parent. Ours and the peers take turns, so that a noisy
 * minute of the machine hits all of them; the order turns round each time, so that nobody always runs second.
 */
import { rows } from './rows/index.ts'

export interface Samples {
  readonly names: readonly string[]
  readonly samples: readonly (readonly number[])[]
  readonly notes: readonly string[]
}

const [id, warmUps, runs] = process.argv.slice(2)
const row = rows.find((candidate) => candidate.id === id)
if (row === undefined) throw new Error(`There is no row ${id}.`)

const contenders = [row.ours, ...row.peers]
const samples: number[][] = contenders.map(() => [])
const turns = [...contenders.keys()]
for (let round = -Number(warmUps); round < Number(runs); round++) {
  for (const turn of turns) {
    const sample = await contenders[turn]!.measure()
    if (round >= 0) samples[turn]!.push(sample)
  }
  turns.reverse()
}
const result: Samples = { names: contenders.map(({ name }) => name), samples, notes: row.notes?.() ?? [] }
process.send?.(result, () => process.exit())
