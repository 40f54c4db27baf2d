/** A producer may have ended before a subscription from another thread reaches it: its consumer hears what it would in one thread. */

import { type ExitReason, type Ref, start } from 'sluice'
import { type CancelMode, stageInfo, syncSubscribe } from 'sluice/stage'
import { simulate } from 'sluice/testing'
import { inWorker, Workers, workerModule } from 'sluice/worker'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { currentRuntime } from '../../src/process/runtime.ts'
import { Places } from '../../src/worker/places.ts'
import { keepReports, newProbe } from '../support/places.ts'
import { Giver, Teller } from './modules/stages.ts'

const module = workerModule<typeof import('./modules/stages.ts')>(import.meta.resolve('./modules/stages.js'))
const workers = new Workers({ size: 2 })
const on = workers.at(0)
const there = workers.at(1)

keepReports()
afterAll(() => workers.stop())
// The first start loads everything, which takes its time on a busy machine.
beforeAll(async () => {
  await Promise.all([start(inWorker(module, 'Giver', { on })), start(inWorker(module, 'Giver', { on: there }))])
}, 60_000)

interface Cast {
  readonly Producer: typeof Giver
  readonly Consumer: typeof Teller
}

const placements: readonly (readonly [string, Cast])[] = [
  ['in one thread', { Producer: Giver, Consumer: Teller }],
  ['the producer in a worker', { Producer: inWorker(module, 'Giver', { on }), Consumer: Teller }],
  ['the consumer in a worker', { Producer: Giver, Consumer: inWorker(module, 'Teller', { on }) }],
  ['both in one worker', { Producer: inWorker(module, 'Giver', { on }), Consumer: inWorker(module, 'Teller', { on }) }],
  [
    'each in a worker',
    { Producer: inWorker(module, 'Giver', { on }), Consumer: inWorker(module, 'Teller', { on: there }) },
  ],
  [
    'the producer in a thread that has ended with it',
    { Producer: inWorker(module, 'Giver'), Consumer: inWorker(module, 'Teller', { on: there }) },
  ],
]

/** What becomes of a consumer: the reason that it ends with, or that it has no producers and lives. */
async function outcome(consumer: Ref<Teller>, cancel: CancelMode): Promise<ExitReason> {
  if (cancel !== 'temporary') return await consumer.done
  while ((await stageInfo(consumer)).producers.length > 0);
  await consumer.stop()
  return 'it lives'
}

const modes: readonly (readonly [CancelMode, string])[] = [
  ['permanent', 'noproc'],
  ['transient', 'noproc'],
  ['temporary', 'it lives'],
]

describe.each(placements)('a producer that has ended, %s', (_where, { Producer, Consumer }) => {
  it.each(modes)('is subscribed to by a %s consumer that starts: %s', async (cancel, expected) => {
    const producer = await start(Producer)
    await producer.stop()
    const subscribeTo = [{ to: producer, cancel }]
    const consumer = await start(Consumer, { arg: { to: newProbe().ref }, subscribeTo })
    expect(await outcome(consumer, cancel)).toBe(expected)
  })

  it.each(modes)('is subscribed to by a %s consumer that runs: %s', async (cancel, expected) => {
    const producer = await start(Producer)
    await producer.stop()
    const consumer = await start(Consumer, { arg: { to: newProbe().ref } })
    await syncSubscribe(consumer, { to: producer, cancel })
    expect(await outcome(consumer, cancel)).toBe(expected)
  })

  it('ends its consumer also when it ends while that subscribes, whichever comes first', async () => {
    for (let round = 0; round < 5; round++) {
      const producer = await start(Producer)
      const consumer = await start(Consumer, { arg: { to: newProbe().ref } })
      const subscribed = syncSubscribe(consumer, { to: producer }).catch(() => {})
      producer.cast.leave([])
      expect(['normal', 'noproc']).toContain(await consumer.done)
      await subscribed
      await producer.done
    }
  })
})

it('a producer that its own thread has forgotten is still one that has ended', async () => {
  await simulate().run(async () => {
    const places = new Places(currentRuntime(), 1, () => {})
    const type = {
      name: 'Giver',
      messages: ['give'],
      childType: 'worker' as const,
      callTimeout: 5000,
      stopTimeout: 5000,
      stage: 'producer' as const,
    }
    const { ref } = places.received({ place: 1, id: 123_456, label: 'Giver', type })
    const subscribeTo = [{ to: ref as Ref<Giver> }]
    const consumer = await start(Teller, { arg: { to: newProbe().ref }, subscribeTo })
    expect(await consumer.done).toBe('noproc')
    await expect((ref as Ref<Giver>).call.give([])).rejects.toMatchObject({ code: 'noproc' })
  })
})
