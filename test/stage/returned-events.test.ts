import { Consumer, Producer, ProducerConsumer, start } from 'sluice'
import { type Handled, ProbeConsumer, type Simulation, simulate } from 'sluice/testing'
import { describe, expect, it } from 'vitest'

const run = (test: (sim: Simulation) => Promise<void>) => simulate().run(test)

class Inbox extends Producer<string> {
  override handleDemand(): void {}
  override handleInfo(message: unknown): readonly string[] {
    this.continue('echo')
    return [`info ${String(message)}`]
  }
  override async handleContinue(step: string): Promise<readonly string[]> {
    await this.sleep(10)
    return [`continued with ${step}`]
  }
}

/** What a probe got from its consumer, in order. */
async function eventsAt(probe: ReturnType<Simulation['probe']>): Promise<readonly unknown[]> {
  return ((await probe.received()) as readonly Handled<unknown>[]).flatMap(({ events }) => events)
}

describe('what handleInfo and handleContinue return', () => {
  it('is emitted by a producer, now or when the promise settles', () =>
    run(async (sim) => {
      const probe = sim.probe()
      const inbox = await start(Inbox)
      await start(ProbeConsumer<string>, { arg: probe.ref, subscribeTo: [inbox] })
      inbox.send('one')
      inbox.send('two')
      await sim.advance(20)
      expect(await eventsAt(probe)).toEqual(['info one', 'continued with echo', 'info two', 'continued with echo'])
    }))

  it('is emitted by a producer-consumer', () =>
    run(async (sim) => {
      class Middle extends ProducerConsumer<string, string> {
        override handleEvents(events: readonly string[]): readonly string[] {
          return events
        }
        override handleInfo(message: unknown): readonly string[] {
          return [`info ${String(message)}`]
        }
      }
      const probe = sim.probe()
      const inbox = await start(Inbox)
      const middle = await start(Middle, { subscribeTo: [inbox] })
      await start(ProbeConsumer<string>, { arg: probe.ref, subscribeTo: [middle] })
      middle.send('hello')
      await sim.settle()
      expect(await eventsAt(probe)).toEqual(['info hello'])
    }))

  it('is reported and dropped by a consumer, which goes on', () =>
    run(async (sim) => {
      class Confused extends Consumer<string> {
        override handleEvents(): void {}
        override handleInfo(): void {
          return ['never'] as unknown as undefined
        }
      }
      const consumer = await start(Confused)
      consumer.send('hello')
      await sim.settle()
      expect(consumer.alive).toBe(true)
      expect(sim.logs.map(({ message }) => message)).toEqual([expect.stringContaining('is a consumer and returned')])
    }))

  it('ends a producer when it is no array', () =>
    run(async (sim) => {
      class Loose extends Producer<string> {
        override handleDemand(): void {}
        override handleInfo(): readonly string[] {
          return 'one' as unknown as readonly string[]
        }
      }
      const loose = await start(Loose)
      loose.send('hello')
      await sim.settle()
      expect(await loose.done).toMatchObject({
        code: 'bad_return',
        message: expect.stringContaining('handleInfo of Loose'),
      })
    }))
})
