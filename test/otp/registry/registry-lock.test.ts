import fc from 'fast-check'
import { GenServer, type Ref, Registry, start, Task } from 'sluice'
import { simulate } from 'sluice/testing'
import { describe, expect, it } from 'vitest'
import { Jobs, member } from '../../support/registries.ts'
import { settlement } from '../../support/settlement.ts'

/** Takes a lock for some time and notes when it has it. */
class Locker extends GenServer {
  readonly #note: (what: string) => void
  readonly #name: string

  constructor(arg: { readonly name: string; readonly note: (what: string) => void }) {
    super()
    this.#name = arg.name
    this.#note = arg.note
  }

  async hold(key: unknown, ms: number) {
    return await Registry.lock(Jobs, this, key, async () => {
      this.#note(`${this.#name} in`)
      await this.sleep(ms)
      this.#note(`${this.#name} out`)
      return this.#name
    })
  }
}

async function lockers(...names: readonly string[]): Promise<{
  readonly refs: readonly Ref<Locker>[]
  readonly notes: readonly string[]
}> {
  const notes: string[] = []
  await start(Jobs, { name: Jobs })
  const note = (what: string): void => {
    notes.push(what)
  }
  const refs = await Promise.all(names.map((name) => start(Locker, { arg: { name, note } })))
  return { refs, notes }
}

describe('a lock', () => {
  it('S105 of one key is held by one at a time, in the order of asking; the others wait', () =>
    simulate().run(async (sim) => {
      const { refs, notes } = await lockers('a', 'b', 'c')
      const held: Promise<string>[] = []
      for (const ref of refs) {
        held.push(ref.with({ timeout: Infinity }).call.hold('key', 10))
        await sim.settle()
      }
      expect(notes).toEqual(['a in'])
      await sim.advance(30)
      expect(notes).toEqual(['a in', 'a out', 'b in', 'b out', 'c in', 'c out'])
      expect(await Promise.all(held)).toEqual(['a', 'b', 'c'])
      expect(sim.clock.pending).toBe(0)
    }))

  it('S105 of different keys are held at the same time, whatever is registered', () =>
    simulate().run(async (sim) => {
      const { refs, notes } = await lockers('a', 'b')
      Registry.register(Jobs, await member(), 1, { type: 'x' })
      refs[0]?.cast.hold(1, 10)
      await sim.settle()
      refs[1]?.cast.hold(2, 10)
      await sim.advance(10)
      expect(notes).toEqual(['a in', 'b in', 'a out', 'b out'])
    }))

  it('S105 is let go when the work fails, which the holder is told', () =>
    simulate().run(async () => {
      await start(Jobs, { name: Jobs })
      const owner = await member()
      const boom = new Error('boom')
      const thrown = Registry.lock(Jobs, owner, 'key', () => {
        throw boom
      })
      const rejected = Registry.lock(Jobs, owner, 'key', () => Promise.reject(boom))
      const next = Registry.lock(Jobs, owner, 'key', () => 'next')
      expect((await settlement(thrown)).error).toBe(boom)
      expect((await settlement(rejected)).error).toBe(boom)
      expect(await next).toBe('next')
    }))

  it('S105 is let go when its holder is killed', () =>
    simulate().run(async (sim) => {
      const { refs, notes } = await lockers('a', 'b')
      refs[0]?.cast.hold('key', Infinity)
      await sim.settle()
      refs[1]?.cast.hold('key', 10)
      await sim.settle()
      refs[0]?.kill()
      await sim.settle()
      expect(notes).toEqual(['a in', 'b in'])
      await sim.advance(10)
      expect(notes).toEqual(['a in', 'b in', 'b out'])
      expect(sim.clock.pending).toBe(0)
    }))

  it('S105 passes over who was killed while waiting', () =>
    simulate().run(async (sim) => {
      const { refs, notes } = await lockers('a', 'b', 'c')
      for (const ref of refs) {
        ref.cast.hold('key', 10)
        await sim.settle()
      }
      refs[1]?.kill()
      await sim.advance(20)
      expect(notes).toEqual(['a in', 'a out', 'c in', 'c out'])
      expect(sim.clock.pending).toBe(0)
    }))

  it('S105 passes over who is killed in the moment of getting it', () =>
    simulate().run(async (sim) => {
      await start(Jobs, { name: Jobs })
      const [first, doomed, last] = [await member(), await member(), await member()]
      const notes: string[] = []
      let release: () => void = () => {}
      const held = Registry.lock(Jobs, first, 'key', () => new Promise<void>((resolve) => (release = resolve)))
      void Registry.lock(Jobs, doomed, 'key', () => notes.push('doomed'))
      const next = Registry.lock(Jobs, last, 'key', () => notes.push('last'))
      // The end of the holder gives the lock to the next, who runs only in a microtask.
      first.kill()
      doomed.kill()
      release()
      await held
      await next
      await sim.settle()
      expect(notes).toEqual(['last'])
    }))

  it('S105 the dead get none', () =>
    simulate().run(async () => {
      await start(Jobs, { name: Jobs })
      const dead = await member()
      dead.kill()
      let ran = false
      const { error } = await settlement(
        Registry.lock(Jobs, dead, 'key', () => {
          ran = true
        }),
      )
      expect(error).toMatchObject({ name: 'ProcessError', code: 'bad_argument' })
      expect(ran).toBe(false)
    }))

  it('fails for those who wait when the registry ends', () =>
    simulate().run(async () => {
      const jobs = await start(Jobs, { name: Jobs })
      const [a, b] = [await member(), await member()]
      let release: (value: string) => void = () => {}
      const held = Registry.lock(Jobs, a, 'key', () => new Promise<string>((resolve) => (release = resolve)))
      const waiting = settlement(Registry.lock(Jobs, b, 'key', () => {}))
      jobs.kill()
      const { error } = await waiting
      expect(error).toMatchObject({ name: 'ProcessError', code: 'noproc' })
      expect(String(error)).toMatch(/the lock 'key' of Jobs#\d+ was not given: the registry has ended/)
      release('done')
      expect(await held).toBe('done')
    }))

  it('can be taken by a task', () =>
    simulate().run(async () => {
      await start(Jobs, { name: Jobs })
      expect(await Task.async((task) => Registry.lock(Jobs, task, 'key', () => 7)).await()).toBe(7)
    }))

  it('is never held by two, is got by all who live, and leaves nothing, whoever is killed when', async () => {
    const step = fc.record({ key: fc.nat(1), ms: fc.nat(20), killedAt: fc.option(fc.nat(40)), pause: fc.nat(5) })
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 8 }), fc.nat(), async (steps, seed) => {
        await simulate({ seed }).run(async (sim) => {
          const { refs } = await lockers(...steps.map((_, index) => `${index}`))
          const holders = new Map<number, Ref>()
          const served = new Set<Ref>()
          let overlaps = 0
          for (const [index, { key, ms, killedAt, pause }] of steps.entries()) {
            const ref = refs[index]
            if (ref === undefined) continue
            const run = async (): Promise<void> => {
              if (holders.get(key)?.alive === true) overlaps++
              holders.set(key, ref)
              await new Promise<void>((resolve) => sim.clock.setTimer(ms, resolve))
              served.add(ref)
              if (holders.get(key) === ref) holders.delete(key)
            }
            void Registry.lock(Jobs, ref, key, run)
            if (killedAt !== null) sim.clock.setTimer(killedAt, () => ref.kill())
            await sim.advance(pause)
          }
          await sim.advance(1000)
          expect(overlaps).toBe(0)
          for (const ref of refs) if (ref.alive) expect(served).toContain(ref)
          expect(sim.clock.pending).toBe(0)
        })
      }),
      { numRuns: process.env['CI'] ? 1000 : 100 },
    )
  })
})
