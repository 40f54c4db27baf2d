import { GenServer, name, type Ref, start } from 'sluice'
import { simulate } from 'sluice/testing'
import { describe, expect, it } from 'vitest'

class Sink extends GenServer {
  readonly #probe: Ref
  constructor(probe: Ref) {
    super()
    this.#probe = probe
  }
  override handleInfo(message: unknown) {
    this.#probe.send(message)
  }
}

describe('sendAfter', () => {
  it('S16 delivers once, when the time has come', async () => {
    await simulate().run(async (sim) => {
      const a = await sim.probe().context()
      const timer = a.sendAfter('tick', 10)
      expect(timer.remaining()).toBe(10)
      await sim.advance(9)
      expect(timer.remaining()).toBe(1)
      expect(a.takeAll()).toEqual([])
      await sim.advance(1)
      expect(a.takeAll()).toEqual(['tick'])
      expect(timer.remaining()).toBeUndefined()
      await sim.advance(100)
      expect(a.takeAll()).toEqual([])
    })
  })

  it('S16 cancelled before, it says what was left and delivers nothing; after, it says undefined', async () => {
    await simulate().run(async (sim) => {
      const a = await sim.probe().context()
      const early = a.sendAfter('early', 10)
      await sim.advance(4)
      expect(early.cancel()).toBe(6)
      expect(early.cancel()).toBeUndefined()
      const fired = a.sendAfter('fired', 1)
      await sim.advance(20)
      expect(fired.cancel()).toBeUndefined()
      expect(a.takeAll()).toEqual(['fired'])
    })
  })

  it('S17 to a process that dies, and to a name that nobody bears, delivers nothing', async () => {
    await simulate().run(async (sim) => {
      const probe = sim.probe()
      const a = await sim.probe().context()
      const sink = await start(Sink, { arg: probe.ref })
      const timer = a.sendAfter('to the dead', 10, sink)
      a.sendAfter('to nobody', 10, name(Sink, 'nobody'))
      sink.kill()
      expect(timer.remaining()).toBeUndefined()
      a.sendAfter('to one who is dead already', 10, sink)
      await sim.advance(20)
      expect(await probe.received()).toEqual([])
      expect(sim.clock.pending).toBe(0)
    })
  })

  it('S17 to a name reaches who bears it at that time', async () => {
    await simulate().run(async (sim) => {
      const probe = sim.probe()
      const a = await sim.probe().context()
      a.sendAfter('hello', 10, name(Sink, 'late'))
      await sim.advance(5)
      await start(Sink, { arg: probe.ref, name: name(Sink, 'late') })
      await sim.advance(5)
      expect(await probe.received()).toEqual(['hello'])
    })
  })

  it('S18 of 0 milliseconds stands behind what waits already', async () => {
    await simulate().run(async (sim) => {
      const a = await sim.probe().context()
      a.sendAfter('timer', 0)
      a.self.send('queued')
      await sim.advance(0)
      expect(a.takeAll()).toEqual(['queued', 'timer'])
    })
  })

  it('dies with its owner', async () => {
    await simulate().run(async (sim) => {
      const a = await sim.probe().context()
      a.sendAfter('tick', 10)
      a.self.kill()
      expect(sim.clock.pending).toBe(0)
    })
  })
})
