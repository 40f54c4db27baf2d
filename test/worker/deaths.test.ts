/** How threads end that did not want to, and who hears of it. */

import { child, type Ref, start, supervise, whereis } from 'sluice'
import { type Simulation, simulate } from 'sluice/testing'
import { inWorker, WorkerError, Workers, workerModule } from 'sluice/worker'
import { describe, expect, it } from 'vitest'
import { failure, Owner } from '../support/owner.ts'
import { keepReports, newProbe, turns } from '../support/places.ts'

const module = workerModule<typeof import('./modules/dying.ts')>(import.meta.resolve('./modules/dying.js'))
keepReports()

/** A flag that a worker sets when it is stuck. */
function flag(): { readonly stuck: SharedArrayBuffer; readonly isSet: () => Promise<void> } {
  const stuck = new SharedArrayBuffer(4)
  const view = new Int32Array(stuck)
  return { stuck, isSet: () => turns(() => Atomics.load(view, 0) === 1) }
}

describe('a thread that ends', () => {
  it('by process.exit in a callback, takes its processes with it, with a reason that says so', async () => {
    await using workers = new Workers({ size: 1 })
    const Dying = inWorker(module, 'Dying', { on: workers })
    const first = await start(Dying)
    const second = await start(Dying)
    const error = await failure(first.call.exits(3))
    expect(error).toMatchObject({ code: 'exit', cause: { code: 'exited' } })
    expect(await first.done).toBeInstanceOf(WorkerError)
    expect(await second.done).toMatchObject({
      message: 'worker 1 has ended with code 3: process.exit was called in it',
    })
    // Another thread takes its place.
    const third = await start(Dying)
    expect(await third.call.ping()).toBe('pong')
  }, 60_000)

  it('by an error that nobody catches, has that as its cause', async () => {
    const dying = await start(inWorker(module, 'Dying'))
    const error = await failure(dying.call.failsBeside())
    expect(error).toMatchObject({ cause: { code: 'crashed', cause: { message: 'nobody waits for this' } } })
  }, 60_000)

  it('because it needs more memory than it may', async () => {
    const resourceLimits = { maxOldGenerationSizeMb: 48, maxYoungGenerationSizeMb: 8 }
    const dying = await start(inWorker(module, 'Dying', { resourceLimits }))
    const error = await failure(dying.call.hoards())
    expect(error).toMatchObject({ cause: { code: 'out_of_memory' } })
  }, 60_000)

  it('is started again by the supervisor of its process', async () => {
    const Dying = inWorker(module, 'Dying')
    await using tree = await supervise({ strategy: 'one_for_one', children: [child(Dying, { name: Dying })] })
    const first = whereis(Dying)
    await failure(first?.call.exits(0) ?? Promise.reject())
    await tree.call.whichChildren()
    const second = whereis(Dying)
    expect(second).not.toBe(first)
    expect(await second?.call.ping()).toBe('pong')
  }, 60_000)
})

describe('a callback that never returns', () => {
  /** Time, as far as this thread has it, is turned by hand; the workers are real. */
  const inTime = (test: (sim: Simulation) => Promise<void>) => async () => {
    await simulate({ freezeEvents: false }).run(test)
  }
  const passes = (sim: Simulation, ms: number) => sim.advance(ms, { foreign: true })

  it(
    'is ended by its deadline, and its supervisor starts it again',
    { timeout: 60_000 },
    inTime(async (sim) => {
      const { stuck, isSet } = flag()
      const Dying = inWorker(module, 'Dying', { deadline: 1000 })
      await using _tree = await supervise({
        strategy: 'one_for_one',
        children: [child(Dying, { name: Dying, arg: { stuck } })],
      })
      const first = whereis(Dying)
      if (first === undefined) throw new Error('it does not run')
      // One that answers lives.
      for (let round = 0; round < 5; round++) {
        expect(await first.call.ping()).toBe('pong')
        await passes(sim, 500)
      }
      const spinning = failure(first.call.spin())
      await isSet()
      await passes(sim, 2000)
      expect(await spinning).toMatchObject({ code: 'exit', cause: { code: 'unresponsive' } })
      expect(await first.done).toHaveProperty('message', expect.stringContaining('did not answer within 1000 ms'))
      await turns(() => whereis(Dying) !== undefined)
      expect(await whereis(Dying)?.call.ping()).toBe('pong')
    }),
  )

  it(
    'is ended with its process, when a stop has waited long enough',
    { timeout: 60_000 },
    inTime(async (sim) => {
      const { stuck, isSet } = flag()
      const spec = child(inWorker(module, 'Dying'), { arg: { stuck }, shutdown: 3000 })
      const tree = await supervise({ strategy: 'one_for_one', children: [spec] })
      const [running] = await tree.call.whichChildren()
      const dying = running?.ref
      if (typeof dying !== 'object') throw new Error('it does not run')
      dying.send('hello')
      Reflect.get(dying.cast, 'spin').call(dying.cast)
      await isSet()
      const stopped = tree.stop()
      await sim.settle()
      expect(dying.alive).toBe(true)
      await passes(sim, 3000)
      await stopped
      expect(await dying.done).toBe('killed')
    }),
  )

  it(
    'is not ended by the timeout of a call: its reply may only be late',
    { timeout: 60_000 },
    inTime(async (sim) => {
      const { stuck, isSet } = flag()
      const dying = await start(inWorker(module, 'Dying'), { arg: { stuck } })
      const called = failure(dying.with({ timeout: 1000 }).call.spin())
      await isSet()
      await passes(sim, 100_000)
      expect(await called).toMatchObject({ code: 'timeout' })
      expect(dying.alive).toBe(true)
      dying.kill()
      expect(await dying.done).toBe('killed')
    }),
  )

  it.each([
    ['without a deadline', {}],
    ['long before its own deadline', { deadline: 600_000 }],
  ])(
    'is ended when its parent was killed, which it cannot follow: %s',
    (_when, options) =>
      inTime(async (sim) => {
        const { stuck, isSet } = flag()
        const parent = await start(Owner, { arg: newProbe().ref })
        const Dying = inWorker(module, 'Dying', options)
        const started = await parent.call.do((self) => self.startLink(Dying, { arg: { stuck } }))
        const dying = started as Ref<InstanceType<typeof Dying>>
        expect(await dying.call.ping()).toBe('pong')
        dying.cast.spin()
        await isSet()
        parent.kill()
        expect(await parent.done).toBe('killed')
        // It cannot be told; its thread has so long to answer.
        expect(dying.alive).toBe(true)
        await passes(sim, 1000)
        expect(await dying.done).toMatchObject({ code: 'unresponsive' })
      })(),
    60_000,
  )

  it(
    'in a shared thread ends the thread when its process was killed',
    { timeout: 60_000 },
    inTime(async (sim) => {
      const { stuck, isSet } = flag()
      const workers = new Workers({ size: 1 })
      const Dying = inWorker(module, 'Dying', { on: workers })
      const first = await start(Dying, { arg: { stuck } })
      const second = await start(Dying)
      first.cast.spin()
      await isSet()
      first.kill()
      expect(await first.done).toBe('killed')
      expect(second.alive).toBe(true)
      await passes(sim, 1000)
      expect(await second.done).toMatchObject({ code: 'unresponsive' })
      await workers.stop()
    }),
  )
})

it('a process that was killed leaves the others of its thread alone', async () => {
  await using workers = new Workers({ size: 1 })
  const Dying = inWorker(module, 'Dying', { on: workers })
  const first = await start(Dying)
  const second = await start(Dying)
  first.kill()
  expect(await second.call.ping()).toBe('pong')
  expect(workers.at(0).placed).toBe(1)
}, 60_000)
