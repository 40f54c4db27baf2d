/** What stages in other threads are asked, beside the messages of their classes. */

import { CallError, Consumer, type ExitReason, name, Producer, type Ref, start } from 'sluice'
import {
  asyncInfo,
  asyncSubscribe,
  BroadcastDispatcher,
  demand,
  estimateBufferedCount,
  resubscribe,
  StageError,
  type Subscription,
  setDemand,
  stageInfo,
  stream,
  syncInfo,
  syncSubscribe,
} from 'sluice/stage'
import { inWorker, Workers, workerModule } from 'sluice/worker'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { failure } from '../support/owner.ts'
import { Halt, keepReports, newProbe } from '../support/places.ts'

const module = workerModule<typeof import('./modules/stages.ts')>(import.meta.resolve('./modules/stages.js'))
const servers = workerModule<typeof import('./modules/servers.ts')>(import.meta.resolve('./modules/servers.js'))
const workers = new Workers({ size: 2 })
const on = workers.at(0)
const there = workers.at(1)
const Numbers = inWorker(module, 'Numbers', { on })
const Giver = inWorker(module, 'Giver', { on })
const Teller = inWorker(module, 'Teller', { on: there })

const reports = keepReports()
afterAll(() => workers.stop())
// The first start loads everything, which takes its time on a busy machine.
beforeAll(async () => {
  await Promise.all([start(Numbers), start(Teller, { arg: { to: newProbe().ref } })])
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
}

/** Emits what it is told to, in this thread, and tells what its consumers do. */
class GiverHere extends Producer<number> {
  readonly #to: Ref

  constructor({ to, broadcast = false }: { readonly to: Ref; readonly broadcast?: boolean }) {
    super(broadcast ? { dispatcher: new BroadcastDispatcher() } : {})
    this.#to = to
  }

  override handleDemand(count: number): readonly number[] {
    this.#to.send({ asked: count })
    return []
  }

  override handleCancel({ reason }: { readonly reason: ExitReason }): undefined {
    this.#to.send({ cancelled: reason })
  }

  give(events: readonly number[]): void {
    this.emit(events)
  }
}

/** Waits until a stage is so. */
async function until(stage: Ref, isSo: (info: Awaited<ReturnType<typeof stageInfo>>) => boolean): Promise<void> {
  while (!isSo(await stageInfo(stage)));
}

describe('a stage in a worker', () => {
  it('tells what it is doing, with its consumers as the refs that they are here', async () => {
    const giver = await start(Giver)
    const consumer = await start(Here, { arg: { to: newProbe().ref }, subscribeTo: [{ to: giver, maxDemand: 10 }] })
    await until(giver, ({ demand }) => demand === 10)
    expect(await stageInfo(giver)).toEqual({
      kind: 'producer',
      dispatcher: 'DemandDispatcher',
      demandMode: 'forward',
      producers: [],
      consumers: [consumer],
      buffered: 0,
      demand: 10,
      mailbox: expect.any(Number),
    })
    expect((await stageInfo(consumer)).producers).toEqual([giver])
    await consumer.stop()
    await giver.stop()
  })

  it('keeps its demand, and is let go', async () => {
    const probe = newProbe()
    const numbers = await start(Numbers, { arg: { count: 5 } })
    setDemand(numbers, 'accumulate')
    expect(await demand(numbers)).toBe('accumulate')
    await start(Here, { arg: { to: probe.ref }, subscribeTo: [{ to: numbers }] })
    await until(numbers, ({ consumers }) => consumers.length === 1)
    expect(await numbers.call.asked()).toBe(0)
    setDemand(numbers, 'forward')
    expect(await probe.receive()).toEqual([0, 1, 2, 3, 4])
    await numbers.done
  })

  it('counts what waits in its buffer, and gets messages behind that', async () => {
    const probe = newProbe()
    const giver = await start(Giver)
    giver.cast.give([1, 2, 3])
    expect(await estimateBufferedCount(giver)).toBe(3)
    await syncInfo(giver, { first: giver })
    asyncInfo(giver, 'second')
    expect(await giver.call.heard()).toEqual([])
    await start(Here, { arg: { to: probe.ref }, subscribeTo: [{ to: giver, cancel: 'temporary' }] })
    expect(await probe.receive()).toEqual([1, 2, 3])
    expect(await giver.call.heard()).toEqual([{ first: giver }, 'second'])
    expect(await estimateBufferedCount(giver)).toBe(0)
    await giver.stop()
  })

  it('is iterated, and cancelled when the loop is left', async () => {
    const whole: number[] = []
    for await (const n of stream<number>(await start(Numbers, { arg: { count: 2500 } }))) whole.push(n)
    expect(whole).toEqual(Array.from({ length: 2500 }, (_, index) => index))
    const numbers = await start(Numbers)
    for await (const n of stream<number>({ to: numbers, maxDemand: 10 })) if (n === 100) break
    await until(numbers, ({ consumers }) => consumers.length === 0)
    await numbers.stop()
  })

  it('answers within the timeout of the question, or it fails', async () => {
    const giver = await start(Giver)
    const blocker = await start(inWorker(servers, 'Counter', { on }))
    const halt = new Halt()
    blocker.cast.stands(halt.gate)
    await halt.reached()
    const error = await failure(stageInfo(giver, 0))
    halt.goOn()
    expect(error).toBeInstanceOf(CallError)
    expect(error).toMatchObject({ code: 'timeout', method: 'stageInfo' })
    await giver.stop()
    await expect(stageInfo(giver)).rejects.toMatchObject({ code: 'noproc' })
  })

  it('is asked by a stage of another worker, which subscribes itself', async () => {
    const probe = newProbe()
    const giver = await start(Giver)
    const teller = await start(Teller, { arg: { to: probe.ref } })
    await teller.call.follow(giver)
    // The producer has another way to go for that than for what it is told from here.
    await until(giver, ({ consumers }) => consumers.length === 1)
    giver.cast.leave([7])
    expect(await probe.receive()).toEqual([7])
    expect(await teller.done).toBe('normal')
  })
})

describe('a consumer in a worker', () => {
  it('is subscribed to a producer here, and the subscription is cancelled', async () => {
    const probe = newProbe()
    const teller = await start(Teller, { arg: { to: newProbe().ref } })
    const giver = await start(GiverHere, { arg: { to: probe.ref } })
    const subscription = await syncSubscribe(teller, { to: giver, maxDemand: 4, minDemand: 2 })
    expect(subscription).toMatchObject({ consumer: teller, producer: giver })
    expect(await probe.receive()).toEqual({ asked: 4 })
    // Whoever subscribes by hand asks by hand: this only adds to it.
    subscription.ask(3)
    expect(await probe.receive()).toEqual({ asked: 3 })
    expect(() => subscription.ask(-1)).toThrow('expected a whole number >= 0')
    subscription.cancel('enough')
    expect(await probe.receive()).toEqual({ cancelled: 'enough' })
    expect(await teller.done).toBe('enough')
    await giver.stop()
  })

  it('is subscribed to a producer of its own thread, and to one of another', async () => {
    for (const type of [inWorker(module, 'Giver', { on: there }), Giver]) {
      const probe = newProbe()
      const giver = await start(type)
      const teller = await start(Teller, { arg: { to: probe.ref } })
      await syncSubscribe(teller, { to: giver })
      await until(giver, ({ consumers }) => consumers.length === 1)
      giver.cast.leave([1, 2])
      expect(await probe.receive()).toEqual([1, 2])
      expect(await teller.done).toBe('normal')
    }
  })

  it('is subscribed by somebody who does not wait', async () => {
    const probe = newProbe()
    const Named = name(GiverHere, 'by name')
    const giver = await start(GiverHere, { name: Named, arg: { to: newProbe().ref } })
    const teller = await start(Teller, { arg: { to: probe.ref } })
    asyncSubscribe(teller, { to: Named })
    await until(giver, ({ consumers }) => consumers[0] === teller)
    giver.cast.give([1])
    expect(await probe.receive()).toEqual([1])
    await giver.stop()
    expect(await teller.done).toBe('normal')
  })

  it('is subscribed to another producer instead', async () => {
    const probe = newProbe()
    const teller = await start(Teller, { arg: { to: newProbe().ref } })
    const first = await start(GiverHere, { arg: { to: probe.ref } })
    const second = await start(GiverHere, { arg: { to: newProbe().ref } })
    const old = await syncSubscribe(teller, { to: first, cancel: 'temporary', maxDemand: 2 })
    expect(await probe.receive()).toEqual({ asked: 2 })
    await resubscribe(teller, old, 'moved', { to: second })
    expect(await probe.receive()).toEqual({ cancelled: 'moved' })
    await until(teller, ({ producers }) => producers.length === 1 && producers[0] === second)
    await second.stop()
    await teller.done
    await first.stop()
  })

  it('ends when it is to be subscribed to a name that nobody bears', async () => {
    const teller = await start(Teller, { arg: { to: newProbe().ref } })
    const nobody = name(GiverHere, 'nobody')
    await expect(syncSubscribe(teller, { to: nobody })).rejects.toMatchObject({ code: 'noproc' })
    expect(await teller.done).toBe('noproc')
  })

  it('cannot be subscribed with functions, nor in place of what is not its own', async () => {
    const teller = await start(Teller, { arg: { to: newProbe().ref } })
    const giver = await start(GiverHere, { arg: { to: newProbe().ref, broadcast: true } })
    const other = await start(Here, { arg: { to: newProbe().ref } })
    const selector = (n: unknown): boolean => n !== 1
    const foreign: Subscription = await syncSubscribe(other, { to: giver, selector, cancel: 'temporary' })
    const refusals: readonly (readonly [Promise<unknown>, string])[] = [
      [syncSubscribe(teller, { to: giver, selector }), 'selector of a subscription: Teller in worker 2 is in another'],
      [resubscribe(teller, foreign, 'moved', { to: giver }), 'expected a subscription that syncSubscribe gave for Te'],
    ]
    for (const [refused, text] of refusals) {
      const error = await failure(refused)
      expect(error).toBeInstanceOf(StageError)
      expect(error).toMatchObject({ code: 'bad_options', message: expect.stringContaining(text) })
    }
    await giver.stop()
    for (const stage of [teller, other]) await stage.stop()
  })

  it('refuses what the producer beside it does not take', async () => {
    const teller = await start(Teller, { arg: { to: newProbe().ref } })
    const parted = await start(inWorker(module, 'Parted', { on: there }))
    const error = await failure(syncSubscribe(teller, { to: parted }))
    expect(error).toBeInstanceOf(StageError)
    expect(error).toMatchObject({ code: 'bad_options', message: expect.stringContaining('partition') })
    asyncSubscribe(teller, { to: parted })
    expect((await stageInfo(teller)).producers).toEqual([])
    expect(reports.filter((text) => text.includes('cannot subscribe to')).length).toBe(1)
    await syncSubscribe(teller, { to: parted, partition: 1 })
    await parted.stop()
    expect(await teller.done).toBe('normal')
  })
})

it('what is no stage, or no consumer, is not asked', async () => {
  const counter = await start(inWorker(servers, 'Counter', { on }))
  const giver = await start(Giver)
  expect(() => stageInfo(counter)).toThrow('Counter in worker 1 is no stage')
  await expect(syncSubscribe(giver as never, { to: giver })).rejects.toMatchObject({ code: 'not_a_consumer' })
  expect(() => asyncSubscribe(counter as never, { to: giver })).toThrow('it handles no events')
})
