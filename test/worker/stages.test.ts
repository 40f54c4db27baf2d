/** Stages of different threads: subscriptions, demand as credit, ends. */

import { Consumer, type ExitReason, Producer, type Ref, start } from 'sluice'
import { stageInfo } from 'sluice/stage'
import { inWorker, Workers, workerModule } from 'sluice/worker'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Halt, keepReports, newProbe } from '../support/places.ts'

const module = workerModule<typeof import('./modules/stages.ts')>(import.meta.resolve('./modules/stages.js'))
const servers = workerModule<typeof import('./modules/servers.ts')>(import.meta.resolve('./modules/servers.js'))
const workers = new Workers({ size: 2 })
const on = workers.at(0)
const there = workers.at(1)

const reports = keepReports()
afterAll(() => workers.stop())
// The first start loads everything, which takes its time on a busy machine.
beforeAll(async () => {
  await Promise.all([start(inWorker(module, 'Numbers', { on })), start(inWorker(module, 'Numbers', { on: there }))])
}, 60_000)

class Here extends Consumer<unknown> {
  readonly #to: Ref

  constructor({ to }: { readonly to: Ref }) {
    super()
    this.#to = to
  }

  override handleEvents(events: readonly unknown[]): void {
    this.#to.send(events)
  }

  override terminate(reason: ExitReason): void {
    this.#to.send({ ended: reason })
  }
}

class Source extends Producer<number> {
  #next = 0
  override handleDemand(demand: number): readonly number[] {
    return Array.from({ length: demand }, () => this.#next++)
  }
}

const upTo = (count: number): readonly number[] => Array.from({ length: count }, (_, index) => index)

/** The events that a probe was told of, until there are so many. */
async function take(probe: ReturnType<typeof newProbe>, count: number): Promise<readonly unknown[]> {
  const events: unknown[] = []
  while (events.length < count) {
    const batch = await probe.receive(Array.isArray)
    if (Array.isArray(batch)) events.push(...batch)
  }
  return events.slice(0, count)
}

/** Waits until a producer was asked for so many events that it has not emitted. */
async function asked(producer: Ref, count: number): Promise<void> {
  while ((await stageInfo(producer)).demand < count);
}

describe('a stage', () => {
  it('takes the events of a producer in a worker, all of them, in order, and its end behind them', async () => {
    const probe = newProbe()
    const numbers = await start(inWorker(module, 'Numbers', { on }), { arg: { count: 2000 } })
    const subscribeTo = [{ to: numbers, maxDemand: 100, minDemand: 50 }]
    const consumer = await start(Here, { arg: { to: probe.ref }, subscribeTo })
    expect(await take(probe, 2000)).toEqual(upTo(2000))
    expect(await probe.receive()).toEqual({ ended: 'normal' })
    expect(await consumer.done).toBe('normal')
  })

  it('in a worker takes events from here', async () => {
    const probe = newProbe()
    const source = await start(Source)
    const subscribeTo = [{ to: source, maxDemand: 10 }]
    const teller = await start(inWorker(module, 'Teller', { on }), { arg: { to: probe.ref }, subscribeTo })
    expect(await take(probe, 1000)).toEqual(upTo(1000))
    await teller.stop()
    expect(source.alive).toBe(true)
    await source.stop()
  })

  it('in a worker takes events of another worker, over a port of their own', async () => {
    const probe = newProbe()
    const numbers = await start(inWorker(module, 'Numbers', { on }))
    const doubler = await start(inWorker(module, 'Doubler', { on: there }), { subscribeTo: [{ to: numbers }] })
    const teller = await start(inWorker(module, 'Teller', { on }), {
      arg: { to: probe.ref },
      subscribeTo: [{ to: doubler }],
    })
    expect(await take(probe, 3000)).toEqual(upTo(3000).map((n) => 2 * n))
    await teller.stop()
    await doubler.stop()
    await numbers.stop()
  })

  it('gets all events of a producer whose thread has ended before they were read', async () => {
    const probe = newProbe()
    const halt = new Halt()
    const giver = await start(inWorker(module, 'Giver'))
    const teller = await start(inWorker(module, 'Teller', { on: there }), {
      arg: { to: probe.ref },
      subscribeTo: [{ to: giver }],
    })
    await asked(giver, 1000)
    const blocker = await start(inWorker(servers, 'Counter', { on: there }))
    blocker.cast.stands(halt.gate)
    await halt.reached()
    giver.cast.leave(upTo(100))
    // Its thread is no more.
    expect(await giver.done).toBe('normal')
    halt.goOn()
    expect(await take(probe, 100)).toEqual(upTo(100))
    expect(await teller.done).toBe('normal')
  }, 60_000)

  it('is never sent more than it asked for', async () => {
    const probe = newProbe()
    const numbers = await start(inWorker(module, 'Numbers', { on }))
    class Slow extends Consumer<number> {
      override async handleEvents(events: readonly number[]): Promise<void> {
        probe.ref.send(events.length)
        await new Promise(() => {})
      }
    }
    const slow = await start(Slow, { subscribeTo: [{ to: numbers, maxDemand: 10, minDemand: 5 }] })
    expect(await probe.receive()).toBe(5)
    expect(await numbers.call.asked()).toBe(10)
    slow.kill()
    await numbers.stop()
  })

  it('is cancelled when the other one cannot be reached any more', async () => {
    const probe = newProbe()
    const numbers = await start(inWorker(module, 'Numbers', { on: there }))
    const consumer = await start(Here, { arg: { to: probe.ref }, subscribeTo: [{ to: numbers, maxDemand: 2 }] })
    await probe.receive()
    numbers.kill()
    expect(await consumer.done).toBe('killed')
  })

  it('falls with a producer that fails there, and not the other way round', async () => {
    const probe = newProbe()
    const source = await start(Source)
    const fussy = await start(inWorker(module, 'Fussy', { on }), { subscribeTo: [{ to: source, maxDemand: 10 }] })
    const consumer = await start(Here, { arg: { to: probe.ref }, subscribeTo: [{ to: fussy, maxDemand: 10 }] })
    expect(await consumer.done).toMatchObject({ name: 'RangeError', message: 'thirteen' })
    expect(source.alive).toBe(true)
    // The producer has noticed, and goes on for others.
    const second = await start(Here, { arg: { to: probe.ref }, subscribeTo: [{ to: source, maxDemand: 1 }] })
    await probe.receive((message) => Array.isArray(message) && Number(message[0]) > 13)
    await second.stop()
    expect((await stageInfo(source)).consumers).toEqual([])
    await source.stop()
  })

  it('is cancelled, with the path to it, when an event cannot be sent', async () => {
    const probe = newProbe()
    const odd = await start(inWorker(module, 'Odd', { on }))
    const consumer = await start(Here, { arg: { to: probe.ref }, subscribeTo: [{ to: odd, maxDemand: 2 }] })
    const reason = await consumer.done
    expect(reason).toMatchObject({ name: 'WorkerError', code: 'not_cloneable' })
    expect(reason).toHaveProperty(
      'message',
      expect.stringContaining('[1].callback in the events is the function callback'),
    )
    expect(odd.alive).toBe(true)
    await odd.stop()
    // Its thread has sent its report before that of the end.
    expect(reports).toContainEqual(expect.stringContaining('was cancelled: [1].callback'))
  })

  it('gets memory that moved', async () => {
    const probe = newProbe()
    const samples = await start(inWorker(module, 'Samples', { on }))
    const consumer = await start(Here, {
      arg: { to: probe.ref },
      subscribeTo: [{ to: samples, maxDemand: 2, minDemand: 0 }],
    })
    expect(await take(probe, 2)).toEqual([Float64Array.of(0, 1), Float64Array.of(1, 2)])
    await consumer.stop()
    expect((await samples.call.left()).slice(0, 2)).toEqual([0, 0])
    await samples.stop()
  })

  it('cannot get memory that has moved already', async () => {
    const probe = newProbe()
    const twice = await start(inWorker(module, 'Twice', { on }))
    const first = await start(Here, {
      arg: { to: probe.ref },
      subscribeTo: [{ to: twice, maxDemand: 1, minDemand: 0 }],
    })
    expect(await take(probe, 1)).toEqual([Float64Array.of(1)])
    // What is sent beside it is not lost with it.
    expect(await twice.call.sum(2, 3)).toBe(5)
    expect(await first.done).toMatchObject({ code: 'not_cloneable' })
    await twice.stop()
  })

  it('is refused where nothing is emitted', async () => {
    const teller = await start(inWorker(module, 'Teller', { on }), { arg: { to: newProbe().ref } })
    const wrong = { to: teller as never, maxDemand: 2 }
    await expect(start(Here, { arg: { to: newProbe().ref }, subscribeTo: [wrong] })).rejects.toThrow('emits no events')
    await teller.stop()
  })
})
