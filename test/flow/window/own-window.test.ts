import { type OpenWindow, type Pane, Window, type WindowDefinition, type WindowHost } from 'sluice/flow'
import { describe, expect, it } from 'vitest'
import { append, inSimulation, list, numbers, src, told } from '../../support/flows.ts'

/** A window for each batch. */
class BatchWindow implements WindowDefinition {
  readonly type = 'batch'

  open<P extends Pane>(host: WindowHost<P>): OpenWindow<P> {
    let batches = 0
    return {
      *batch(events) {
        const pane = host.pane(`batch ${++batches}`)
        yield { pane, events }
        yield { pane, trigger: 'done', closes: true }
      },
      end: () => [],
    }
  }
}

describe('a window of the user', () => {
  it('is a window as the others', async () => {
    await inSimulation(async () => {
      const lists = src(numbers(1, 7), { window: new BatchWindow(), maxDemand: 3, minDemand: 0 })
      expect(
        await lists
          .reduce(list<number>, append)
          .onTrigger(told)
          .toArray(),
      ).toEqual([
        [[1, 2, 3], 'batch 1', 'done'],
        [[4, 5, 6], 'batch 2', 'done'],
        [[7], 'batch 3', 'done'],
      ])
    })
  })

  it('is given triggers', async () => {
    await inSimulation(async () => {
      const window = Window.of(new BatchWindow()).triggerEvery(2)
      const lists = src(numbers(1, 4), { window, maxDemand: 3, minDemand: 0 }).reduce(list<number>, append)
      expect(await lists.onTrigger(told).toArray()).toEqual([
        [[1, 2], 'batch 1', { every: 2 }],
        [[1, 2, 3], 'batch 1', 'done'],
        [[4], 'batch 2', 'done'],
      ])
    })
  })
})
