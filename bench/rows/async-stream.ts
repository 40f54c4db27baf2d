import pMap from 'p-map'
import { Task } from 'sluice'
import { effectForEach } from '../peers/effect-task.ts'
import { type Row, rate } from '../row.ts'

const elements = Array.from({ length: 200_000 }, (_, index) => index)

/** Trivial async work, which shows what a task itself costs. */
const work = async (element: number): Promise<number> => element + 1

const asyncStream = (concurrency: number): Row => ({
  id: `async-stream-${concurrency}`,
  work: `asyncStream of trivial async work, 200 k elements, ${concurrency} at a time`,
  unit: 'elements a second',
  ours: { name: 'sluice', measure: () => rate(elements.length, () => streamed(concurrency)) },
  peers: [
    {
      name: 'p-map',
      goal: 1,
      measure: () => rate(elements.length, async () => (await pMap(elements, work, { concurrency })).length),
    },
    {
      name: 'Effect.forEach',
      goal: null,
      measure: () => rate(elements.length, () => effectForEach(elements, concurrency)),
    },
  ],
})

export const asyncStream2: Row = asyncStream(2)
export const asyncStream100: Row = asyncStream(100)

async function streamed(maxConcurrency: number): Promise<number> {
  let done = 0
  for await (const outcome of Task.asyncStream(elements, work, { maxConcurrency })) if (outcome.ok) done++
  return done
}
