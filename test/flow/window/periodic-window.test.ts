import { type Ref, start } from 'sluice'
import { Flow, Window } from 'sluice/flow'
import type { Simulation } from 'sluice/testing'
import { describe, expect, it } from 'vitest'
import { Manual } from '../../support/flow-stages.ts'
import { add, append, gathered, inSimulation, list, numbers, src, told, zero } from '../../support/flows.ts'

const done = 'done'
const window = Window.periodic(100, 'millisecond')

/** A test whose events come when it gives them. */
const given = (test: (sim: Simulation, source: Ref<Manual>) => Promise<void>): Promise<void> =>
  inSimulation(async (sim) => {
    const source = await start(Manual)
    await test(sim, source)
  })

describe('a periodic window', () => {
  it('F184 closes when its time is over, with events or without', async () => {
    await given(async (sim, source) => {
      const { events, done: ended } = gathered(Flow.fromStages([source], { window }).reduce(zero, add).onTrigger(told))
      await sim.settle()
      source.cast.give(...numbers(1, 10))
      await sim.advance(99)
      expect(events).toEqual([])
      await sim.advance(1)
      expect(events).toEqual([[55, 0, done]])
      await sim.advance(100)
      expect(events).toEqual([
        [55, 0, done],
        [0, 1, done],
      ])
      source.cast.end('normal')
      await ended
    })
  })

  it('F185 fires by its trigger', async () => {
    await given(async (sim, source) => {
      const flow = Flow.fromStages([source], { window: window.triggerEvery(5) })
      const { events, done: ended } = gathered(flow.reduce(zero, add).onTrigger(told))
      await sim.settle()
      source.cast.give(...numbers(1, 10))
      await sim.advance(150)
      source.cast.end('normal')
      await ended
      expect(events).toEqual([
        [15, 0, { every: 5 }],
        [55, 0, { every: 5 }],
        [55, 0, done],
        [0, 1, done],
      ])
    })
  })

  it('F186 F187 closes once more at the end of the input, and its timer is no more', async () => {
    await given(async (sim, source) => {
      const flow = Flow.fromStages([source], { window })
      const { events, done: ended } = gathered(flow.reduce(list<number>, append).onTrigger(told))
      await sim.settle()
      source.cast.give(1)
      await sim.advance(100)
      source.cast.give(2, 3)
      await sim.advance(100)
      source.cast.end('normal')
      await ended
      const all = [
        [[1], 0, done],
        [[2, 3], 1, done],
        [[], 2, done],
      ]
      expect(events).toEqual(all)
      expect(sim.clock.pending).toBe(0)
      await sim.advance(1000)
      expect(events).toEqual(all)
    })
  })

  it('F187 closes the last window once, also when its time is over just as the input ends', async () => {
    await given(async (sim, source) => {
      const { events, done: ended } = gathered(Flow.fromStages([source], { window }).reduce(zero, add).onTrigger(told))
      await sim.settle()
      source.cast.give(1)
      source.cast.end('normal')
      sim.clock.fireNext(100)
      await ended
      const ids = events.map(([, id]) => id)
      expect(ids).toEqual([...new Set(ids)])
      expect(events.map(([sum]) => sum).filter((sum) => sum > 0)).toEqual([1])
    })
  })

  it('F188 closes once without any event', async () => {
    await inSimulation(async () => {
      const sums = src<number>([], { window }).reduce(zero, add).onTrigger(told)
      expect(await sums.toArray()).toEqual([[0, 0, done]])
    })
  })

  it('F189 fires by a message, and stays open', async () => {
    await given(async (sim, source) => {
      const sums = Flow.fromStages([source], { window }).reduce((context) => {
        context.triggerAfter(30, 'sample')
        return 0
      }, add)
      const { events, done: ended } = gathered(sums.onTrigger(told))
      await sim.settle()
      source.cast.give(1, 2)
      await sim.advance(30)
      source.cast.give(3)
      await sim.advance(70)
      expect(events).toEqual([
        [3, 0, 'sample'],
        [6, 0, done],
      ])
      source.cast.end('normal')
      await ended
    })
  })
})
