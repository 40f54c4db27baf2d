import { Consumer, Producer, ProducerConsumer, stageInfo, start } from 'sluice'
import { channels } from 'sluice/telemetry'
import { simulate } from 'sluice/testing'
import { describe, expect, it } from 'vitest'

class Source extends Producer<number> {
  override handleDemand(): void {}
  give(events: readonly number[]): void {
    this.emit(events)
  }
}
class Middle extends ProducerConsumer<number, number> {
  override handleEvents(events: readonly number[]): readonly number[] {
    return events
  }
}
class Sink extends Consumer<number> {
  override handleEvents(): void {}
}

describe('what a stage tells about itself', () => {
  it('S167 is its kind, dispatcher, subscriptions, buffer and unanswered demand', async () => {
    await simulate().run(async (sim) => {
      const source = await start(Source)
      await source.call.give([1, 2])
      expect(await stageInfo(source)).toEqual({
        kind: 'producer',
        dispatcher: 'DemandDispatcher',
        demandMode: 'forward',
        producers: [],
        consumers: [],
        buffered: 2,
        demand: 0,
        mailbox: 0,
      })
      const middle = await start(Middle, { subscribeTo: [{ to: source, maxDemand: 10, minDemand: 0 }] })
      const sink = await start(Sink, { subscribeTo: [{ to: middle, maxDemand: 4 }] })
      await sim.settle()
      expect(await stageInfo(source)).toMatchObject({ consumers: [middle], buffered: 0, demand: 8 })
      const info = await stageInfo(middle)
      expect(info).toMatchObject({ kind: 'producer_consumer', producers: [source], consumers: [sink], demand: 4 })
      expect(await stageInfo(sink)).toMatchObject({ kind: 'consumer', dispatcher: undefined, producers: [middle] })
    })
  })

  it('is published as demand and batches, with the number of the process', async () => {
    await simulate().run(async (sim) => {
      const seen: object[] = []
      const note = (message: object): void => void seen.push(message)
      channels.stageDemand.subscribe(note)
      channels.stageBatch.subscribe(note)
      const source = await start(Source)
      const sink = await start(Sink, { subscribeTo: [{ to: source, maxDemand: 2, minDemand: 0 }] })
      await sim.settle()
      await source.call.give([1])
      await sim.settle()
      channels.stageDemand.unsubscribe(note)
      channels.stageBatch.unsubscribe(note)
      expect(seen).toEqual([
        { id: source.id, stage: `${source}`, demand: 2 },
        { id: sink.id, stage: `${sink}`, events: 1 },
      ])
    })
  })
})
