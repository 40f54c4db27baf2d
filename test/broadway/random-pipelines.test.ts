/**
 * Random pipelines over a queue that delivers again: their stages are killed, their acknowledgers are slow or fail, they are stopped
 * at any time, with time enough or too little.
 *
 * `SEEDS=10000 npx vitest run test/broadway/random-pipelines.test.ts` runs more of them, `SEED=540` the one that a failure has told.
 */

import { describe, expect, it } from 'vitest'
import { type Mistake, runPipelineSeed } from '../support/broadway-run.ts'

const { SEED, SEEDS, CI } = process.env
const first = Number(SEED ?? 1)
const usual = CI ? 1000 : 100
const count = Number(SEEDS ?? (SEED === undefined ? usual : 1))

describe('any pipeline over a queue', () => {
  it(
    'loses nothing, acknowledges each delivery at most once, and exactly once when nothing crashes',
    async () => {
      let delivered = 0
      for (let seed = first; seed < first + count; seed++) delivered += await runPipelineSeed(seed)
      expect(delivered).toBeGreaterThan(0)
      // A pipeline takes about 20 ms, on a busy machine ten times as long.
    },
    30_000 + 500 * count,
  )

  it.each([
    ['repeats' as const, /was acknowledged 2 times for one delivery/],
    ['forgets' as const, /deliveries were not answered for|the queue has|were abandoned|was lost by a stop/],
  ])(
    'is found when an acknowledger %s itself, and its seed finds it again',
    async (mistake, says) => {
      const [seed, text] = await firstFailure(mistake)
      expect(text).toMatch(says)
      expect(text).toContain(`SEED=${seed} npx vitest run`)
      expect(await failure(seed, mistake)).toBe(text)
    },
    60_000,
  )
})

/** The first seed whose pipeline breaks a law because of a mistake, and how. */
async function firstFailure(mistake: Mistake): Promise<readonly [seed: number, text: string]> {
  for (let seed = 1; seed <= 20; seed++) {
    const text = await failure(seed, mistake)
    if (text !== undefined) return [seed, text]
  }
  throw new Error('no pipeline broke a law')
}

async function failure(seed: number, mistake: Mistake): Promise<string | undefined> {
  try {
    await runPipelineSeed(seed, mistake)
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}
