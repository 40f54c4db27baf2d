import { Registry, start } from 'sluice'
import { simulate } from 'sluice/testing'
import { describe, expect, it } from 'vitest'
import { processOf } from '../../../src/process/ref.ts'
import { collectGarbage } from '../../support/gc.ts'
import { Member, Topics } from '../../support/registries.ts'

/** Outlives the registries it was in. */
class Survivor extends Member {
  constructor() {
    super()
    this.trapExits(true)
  }
  override handleInfo() {}
}

describe('what outlives a registry does not hold on to it', () => {
  it.each(['unregistered', 'registered'])('when it was %s at its end', (how) =>
    simulate().run(async (sim) => {
      const survivor = await start(Survivor)
      const registries = await Promise.all(
        Array.from({ length: 3 }, async () => {
          const topics = await start(Topics)
          Registry.register(topics, survivor, 'news', 1)
          if (how === 'unregistered') Registry.unregister(topics, survivor, 'news')
          topics.kill()
          return new WeakRef(processOf(topics))
        }),
      )
      await sim.settle()
      await collectGarbage()
      expect(registries.map((registry) => registry.deref())).toEqual([undefined, undefined, undefined])
      expect(survivor.alive).toBe(true)
    }),
  )

  it('nor to the locks it had', () =>
    simulate().run(async () => {
      const survivor = await start(Survivor)
      const topics = await start(Topics)
      const keys = await Promise.all(
        Array.from({ length: 3 }, async () => {
          const key = {}
          await Registry.lock(topics, survivor, key, () => {})
          return new WeakRef(key)
        }),
      )
      await collectGarbage()
      expect(keys.map((key) => key.deref())).toEqual([undefined, undefined, undefined])
      expect(survivor.alive && topics.alive).toBe(true)
    }))
})
