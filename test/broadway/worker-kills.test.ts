/** Workers of a pipeline are killed in the middle of their work, again and again. */

import { Broadway, Message } from 'sluice/broadway'
import { WorkerError, Workers } from 'sluice/worker'
import { describe, expect, it } from 'vitest'
import { defaultSeed, seededRandom } from '../../src/testing/random.ts'
import { keepReports, turns } from '../support/places.ts'
import { type Doomed, hang } from '../worker/modules/handlers.ts'

const module = import.meta.resolve('../worker/modules/handlers.js')
keepReports()

const MESSAGES = 300
const DOOMED = 4

/** Ends a worker from outside, while processes run in it. */
async function kill(workers: Workers, index: number): Promise<boolean> {
  const slot = workers.at(index)
  if (slot.placed === 0) return false
  const thread = slot.thread()
  thread.terminate(new WorkerError('stopped', 'killed by the test'))
  await new Promise<void>((resolve) => thread.onEnd(resolve))
  return true
}

describe('a pipeline whose workers are killed at random', () => {
  const first = defaultSeed()
  it.each([first, first + 1])('acknowledges every message once, seed %i', async (seed) => {
    const random = seededRandom(seed)
    const below = (limit: number): number => Math.floor(random() * limit)
    const doomed = new Set<number>()
    while (doomed.size < DOOMED) doomed.add(below(MESSAGES))
    const begun = new SharedArrayBuffer(MESSAGES)
    const hasBegun = new Uint8Array(begun)

    const acknowledged = new Map<number, unknown[]>()
    const note = (messages: readonly Message[]) => {
      for (const { data, status } of messages) {
        const n = Number(Reflect.get(Object(data), 'n'))
        acknowledged.set(n, [...(acknowledged.get(n) ?? []), status])
      }
    }
    const ledger = {
      ack: (_ref: unknown, successful: readonly Message[], failed: readonly Message[]) =>
        note([...successful, ...failed]),
    }

    await using workers = new Workers({ size: 2 })
    const pipeline = await Broadway.start({
      name: 'killed',
      producer: {
        source: () => Array.from({ length: MESSAGES }, (_, n): Doomed => ({ n, doomed: doomed.has(n), begun })),
        transformer: (data: Doomed) => new Message<Doomed, 'default'>(data, { acknowledger: ledger }),
      },
      processors: {
        default: { concurrency: 4, maxDemand: 6, handleMessage: hang, worker: { module, on: workers } },
      },
    })
    let kills = 0
    const hanging = () => [...doomed].find((n) => hasBegun[n] === 1 && !acknowledged.has(n))
    while (acknowledged.size < MESSAGES) {
      await turns(() => acknowledged.size === MESSAGES || hanging() !== undefined)
      const n = hanging()
      if (n === undefined) break
      // Whichever of them has it.
      const one = below(2)
      for (const index of [one, 1 - one]) {
        if (!acknowledged.has(n) && (await kill(workers, index))) kills++
      }
      await turns(() => acknowledged.has(n))
    }
    await pipeline.stop()
    expect(kills).toBeGreaterThanOrEqual(DOOMED / 2)
    expect([...acknowledged.keys()].toSorted((a, b) => a - b)).toEqual(Array.from({ length: MESSAGES }, (_, n) => n))
    const statuses = [...acknowledged.values()]
    expect(statuses.filter(({ length }) => length !== 1)).toEqual([])
    const failed = [...acknowledged].filter(([, [status]]) => status !== 'ok')
    expect(failed.map(([n]) => n)).toEqual(expect.arrayContaining([...doomed]))
    // Only those fail that a killed worker had.
    expect(failed.length).toBeLessThan(MESSAGES / 2)
  })
})
