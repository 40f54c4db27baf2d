import { asyncSubscribe, Consumer, name, Producer, type Ref, type Subscription, start, timeout } from 'sluice'
import { simulate } from 'sluice/testing'
import { describe, expect, it } from 'vitest'

class Source extends Producer<number> {
  override handleDemand(): void {}
  give(events: readonly number[]): void {
    this.emit(events)
  }
}
class Sink extends Consumer<number> {
  override handleEvents(): void {}
}

describe('small mistakes in wiring', () => {
  it('a subscription without to says so', async () => {
    await simulate().run(async () => {
      const mistake = [{ maxDemand: 3 }] as unknown as readonly { to: Ref<Source> }[]
      await expect(start(Sink, { subscribeTo: mistake })).rejects.toThrow('got { maxDemand } without to')
    })
  })

  it('only whole numbers can be asked for', async () => {
    await simulate().run(async () => {
      const subscriptions: Subscription[] = []
      class Noting extends Sink {
        override handleSubscribe(_peer: 'producer' | 'consumer', subscription: Subscription): undefined {
          subscriptions.push(subscription)
          return undefined
        }
      }
      const source = await start(Source)
      await start(Noting, { subscribeTo: [source] })
      for (const demand of [1.5, -1, Infinity, Number.NaN]) {
        expect(() => subscriptions[0]?.ask(demand)).toThrow('expected a whole number >= 0')
      }
      expect(() => subscriptions[0]?.ask(0)).not.toThrow()
    })
  })

  it('a stop in handleSubscribe refuses the start with its reason', async () => {
    await simulate().run(async (sim) => {
      class Picky extends Sink {
        override handleSubscribe(): undefined {
          this.stop('not_this_one')
          return undefined
        }
      }
      const source = await start(Source)
      const started = start(Picky, { subscribeTo: [source] })
      await expect(started).rejects.toMatchObject({ code: 'start_failed', reason: 'not_this_one' })
      expect(sim.processes).toEqual([source])
    })
  })

  it('a temporary asyncSubscribe to a name that nobody bears does nothing', async () => {
    await simulate().run(async (sim) => {
      const sink = await start(Sink)
      asyncSubscribe(sink, { to: name(Source, 'nobody'), cancel: 'temporary' })
      expect(() => asyncSubscribe(sink, { to: name(Source, 'nobody') })).toThrow('no process bears that name')
      await sim.settle()
      expect(sink.alive).toBe(false)
    })
  })

  it('callbacks are no messages, declared by the base or not', async () => {
    await simulate().run(async () => {
      const sink = await start(Sink)
      expect(Reflect.get(sink.call, 'handleEvents')).toBeUndefined()
      expect(Reflect.get(sink.cast, 'handleInfo')).toBeUndefined()
    })
  })

  it('events disarm the idle timeout of a stage', async () => {
    await simulate().run(async (sim) => {
      const idle: number[] = []
      class Watchful extends Sink {
        constructor() {
          super()
          this.idleTimeout(100)
        }
        override handleEvents(): void {
          this.idleTimeout(100)
        }
        override handleInfo(message: unknown): void {
          if (message === timeout) idle.push(sim.now)
        }
      }
      const source = await start(Source)
      await start(Watchful, { subscribeTo: [source] })
      await sim.advance(60)
      source.cast.give([1])
      await sim.advance(60)
      source.cast.give([2])
      await sim.advance(99)
      expect(idle).toEqual([])
      await sim.advance(1)
      expect(idle).toEqual([220])
    })
  })
})
