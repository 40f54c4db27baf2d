import { GenServer, start } from 'sluice'
import { simulate } from 'sluice/testing'
import { expect, it } from 'vitest'
import { Heartbeat } from '../../src/connector/heartbeat.ts'
import { processOf } from '../../src/process/ref.ts'

class Holder extends GenServer {}

it('Q37 all messages that are held are extended in one call, those that are not any more are left out', async () => {
  await simulate().run(async (sim) => {
    const holder = await start(Holder)
    const asked: unknown[] = []
    const late = [2]
    const options = { lease: 1000, maxExtension: 2000 }
    const heartbeat = new Heartbeat<number>(processOf(holder), options, async (receipts) => {
      asked.push([sim.now, ...receipts])
      return late
    })
    for (const receipt of [1, 2, 3, 4]) heartbeat.hold(receipt)
    // Earlier the first time.
    await sim.advance(63)
    heartbeat.release(3)
    await sim.advance(1000)
    heartbeat.hold(5)
    await sim.advance(1000)
    heartbeat.release(5)
    await sim.advance(5000)
    expect(asked).toEqual([
      [62.5, 1, 2, 3, 4],
      [562.5, 1, 4],
      [1062.5, 1, 4],
      [1562.5, 1, 4, 5],
      [2062.5, 5],
    ])
    expect(sim.clock.pending).toBe(0)
  })
})

it('Q37 the heart does not fail with the queue, nor beat longer than its process lives', async () => {
  await simulate().run(async (sim) => {
    const holder = await start(Holder)
    let asked = 0
    const options = { lease: 1000, maxExtension: 60_000 }
    const heartbeat = new Heartbeat<number>(processOf(holder), options, async () => {
      asked++
      throw new Error('no such queue')
    })
    heartbeat.hold(1)
    await sim.advance(1063)
    expect(asked).toBe(3)
    await holder.stop()
    await sim.advance(10_000)
    expect(asked).toBe(3)
    expect(sim.clock.pending).toBe(0)
  })
})
