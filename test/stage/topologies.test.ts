/**
 * Random pipelines: one to four producers, up to three layers of producer-consumers, one to eight consumers, with any demands
 * and any of our dispatchers, whose consumers leave and come back, whose stages crash and are restarted, and which are drained.
 *
 * `SEEDS=10000 npx vitest run test/stage/topologies.test.ts` runs more of them, `SEED=540` the one that a failure has told.
 */

import type { Dispatcher } from 'sluice'
import { describe, expect, it } from 'vitest'
import { mistakes } from '../support/broken-dispatchers.ts'
import { runSeed } from '../support/pipeline-run.ts'

const { SEED, SEEDS, CI } = process.env
const first = Number(SEED ?? 1)
const usual = CI ? 1000 : 100
const count = Number(SEEDS ?? (SEED === undefined ? usual : 1))

describe('any pipeline', () => {
  it(
    'keeps the laws',
    async () => {
      let handled = 0
      for (let seed = first; seed < first + count; seed++) handled += await runSeed(seed)
      expect(handled).toBeGreaterThan(0)
      // A pipeline takes about 5 ms, on a busy machine twenty times as long.
    },
    180_000 + 100 * count,
  )

  it.each([
    ['drops what nobody asked for', /was owed: event \d+ of .* reached nobody/],
    ['sends events twice', /broke: .* got event 0 of .*, which another one had got/],
    ['turns messages round', /broke: .* got event 0 of .* behind number/],
    ['sends empty messages', /broke: .* was sent no events/],
    ['counts the demand of those who leave twice', /was owed: |was not asked for: /],
    ['throws when the last consumer leaves', /was reported: .* nobody is left/],
  ])('is found when a dispatcher %s, and its seed finds it again', async (mistake, says) => {
    const make = mistakes[mistake]?.make
    if (make === undefined) throw new Error(`there is no mistake called ${mistake}`)
    const [seed, text] = await firstFailure(make)
    expect(text).toMatch(says)
    expect(text).toContain(`SEED=${seed} npx vitest run`)
    expect(await failure(seed, make)).toBe(text)
  })
})

/** The first seed whose pipeline breaks a law with a dispatcher, and how. */
async function firstFailure(make: () => Dispatcher): Promise<readonly [seed: number, text: string]> {
  for (let seed = 1; seed <= 500; seed++) {
    const text = await failure(seed, make)
    if (text !== undefined) return [seed, text]
  }
  throw new Error('no pipeline broke a law')
}

async function failure(seed: number, make: () => Dispatcher): Promise<string | undefined> {
  try {
    await runSeed(seed, make)
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}
