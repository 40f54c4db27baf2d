import { AsyncLocalStorage } from 'node:async_hooks'
import { QueueProducer } from 'sluice'
import { type Acknowledger, ackImmediately, Broadway, Message } from 'sluice/broadway'
import { channels, type PipelineSpan } from 'sluice/telemetry'
import type { Simulation } from 'sluice/testing'
import { describe, expect, it } from 'vitest'
import { acked, dataOf, inSimulation, Ledger, messages, partOf, Silent } from '../support/broadway.ts'

type Told = readonly [event: string, payload: Record<string, unknown>]

/** Everything that pipelines tell during a test, in order. */
async function listening(run: (simulation: Simulation, told: readonly Told[]) => Promise<void>): Promise<void> {
  const told: Told[] = []
  const heard = Object.entries(channels)
    .filter(([key]) => key.startsWith('broadway'))
    .map(([key, channel]: [string, (typeof channels)[keyof typeof channels]]) => {
      const listener = (payload: object): void => void told.push([key.slice('broadway'.length), { ...payload }])
      channel.subscribe(listener)
      return () => channel.unsubscribe(listener)
    })
  try {
    await inSimulation((simulation) => run(simulation, told))
  } finally {
    for (const stop of heard) stop()
  }
}

const eventsOf = (told: readonly Told[]): readonly string[] => told.map(([event]) => event)

const payloadsOf = (told: readonly Told[], event: string): readonly Record<string, unknown>[] =>
  told.filter(([each]) => each === event).map(([, payload]) => payload)

const dataIn = (list: unknown): readonly unknown[] => dataOf(list as readonly Message[])

/** Handles 1, 2, fails, throws, and has a batch processor fail. */
function handleMessage(message: Message<number | string>): Message<number | string> {
  if (message.data === 'fail') return message.failed('no use')
  if (message.data === 'throw') throw new Error('boom')
  if (message.data === 'batcher') return message.putBatcher('nowhere')
  return message
}

describe('telemetry', () => {
  it('B9 tells once that a pipeline runs, which can be found by then', async () => {
    await listening(async (_, told) => {
      let found: readonly string[] = []
      const look = (): void => {
        found = Broadway.allRunning().map(String)
      }
      channels.broadwayInit.subscribe(look)
      const options = {
        name: 'init',
        producer: { module: Silent<number>, concurrency: 3 },
        processors: { default: { handleMessage: (message: Message<number>) => message } },
      }
      const pipeline = await Broadway.start(options)
      channels.broadwayInit.unsubscribe(look)
      expect(found).toEqual([String(pipeline)])
      expect(told).toEqual([
        [
          'Init',
          {
            pipeline: 'init',
            id: pipeline.id,
            options,
            supervisor: expect.objectContaining({ id: expect.any(Number) }),
          },
        ],
      ])
      await pipeline.stop()
    })
  })

  it('B142 tells of lists, messages, batches and failures, with where they are', async () => {
    await listening(async (sim, told) => {
      const context = { table: 'tickets' }
      const pipeline = await Broadway.start({
        name: 'tickets',
        context,
        producer: { module: Silent<number | string>, arg: undefined },
        processors: { default: { concurrency: 1, maxDemand: 6, minDemand: 0, handleMessage } },
        batchers: {
          default: {
            batchSize: 3,
            maxDemand: 6,
            handleBatch: (batch) => batch.map((each) => (each.data === 'fail_batch' ? each.failed('late') : each)),
          },
        },
        handleFailed: (failed) => failed.map((each) => each.updateData((data) => `${data}!`)),
      })
      const pushed = [1, 2, 'fail', 'fail_batch', 'throw', 'batcher'].map((data) => new Message(data))
      await pipeline.call.pushMessages(pushed)
      await sim.settle()
      const batch = { batcher: 'default', batchKey: 'default', partition: undefined, size: 3, trigger: 'size' }
      const message = ['MessageStart', 'MessageStop']
      expect(eventsOf(told)).toEqual([
        'Init',
        'ProcessorStart',
        ...[...message, ...message, ...message, ...message],
        ...['MessageStart', 'MessageException', 'MessageStart', 'MessageException'],
        ...['HandleFailedStart', 'HandleFailedStop', 'ProcessorStop'],
        ...['BatcherStart', 'Batch', 'BatcherStop'],
        ...['BatchProcessorStart', 'HandleFailedStart', 'HandleFailedStop', 'BatchProcessorStop'],
      ])

      const place = {
        pipeline: 'tickets',
        key: 'default',
        index: 0,
        context,
        producer: { module: Silent, arg: undefined },
      }
      const at = (base: string) => ({ ...place, id: partOf(sim, base).id, stage: `${partOf(sim, base)}` })
      for (const [event, payload] of told) {
        if (event === 'Init') continue
        const base = event.startsWith('Batch') ? 'Batch' : 'Processor'
        const stages = ['Processor_default_0', 'Batcher_default', 'BatchProcessor_default_0'].map(at)
        expect(stages).toContainEqual(expect.objectContaining({ id: payload['id'], stage: payload['stage'] }))
        if (!event.startsWith('HandleFailed')) expect(payload['stage']).toContain(`.Broadway.${base}`)
        expect(payload).toMatchObject(place)
      }

      const [started] = payloadsOf(told, 'ProcessorStart')
      expect(started).toMatchObject({ ...at('Processor_default_0'), messages: pushed })
      const [stopped] = payloadsOf(told, 'ProcessorStop')
      expect(stopped?.['successfulToAck']).toEqual([])
      expect(dataIn(stopped?.['successfulToForward'])).toEqual([1, 2, 'fail_batch'])
      expect(dataIn(stopped?.['failed'])).toEqual(['fail!', 'throw!', 'batcher!'])
      expect(payloadsOf(told, 'MessageStop').map(({ message }) => (message as Message).status)).toEqual([
        'ok',
        'ok',
        { kind: 'failed', reason: 'no use' },
        'ok',
      ])
      expect(payloadsOf(told, 'Batch')).toMatchObject([{ ...at('Batcher_default'), batch }])
      const [batchStopped] = payloadsOf(told, 'BatchProcessorStop')
      expect(batchStopped).toMatchObject({ ...at('BatchProcessor_default_0'), batch })
      expect(dataIn(batchStopped?.['successful'])).toEqual([1, 2])
      expect(dataIn(batchStopped?.['failed'])).toEqual(['fail_batch!'])
      // The same objects, so that a listener can follow them.
      const forwarded = stopped?.['successfulToForward'] as readonly Message[]
      const batched = payloadsOf(told, 'BatchProcessorStart')[0]?.['messages'] as readonly Message[]
      expect(batched.every((each, index) => each === forwarded[index])).toBe(true)
      await pipeline.stop()
    })
  })

  it('B142 without batchers all that succeeded is to be acknowledged', async () => {
    await listening(async (sim, told) => {
      const pipeline = await Broadway.start({
        name: 'plain',
        producer: { module: Silent },
        processors: { default: { concurrency: 1, handleMessage: async (message) => message } },
      })
      await pipeline.call.pushMessages(messages(1, 2))
      await sim.settle()
      const [stopped] = payloadsOf(told, 'ProcessorStop')
      expect(dataIn(stopped?.['successfulToAck'])).toEqual([1, 2])
      expect(stopped).toMatchObject({ successfulToForward: [], failed: [] })
      await pipeline.stop()
    })
  })

  it('B143 start and end of a piece of work have one number, and that of what they are a part of', async () => {
    await listening(async (sim, told) => {
      const pipeline = await Broadway.start({
        name: 'spans',
        producer: { module: Silent<number | string> },
        processors: {
          default: {
            concurrency: 1,
            async handleMessage(message, _context, stage) {
              await stage.sleep(20)
              return handleMessage(message)
            },
          },
        },
        handleFailed: (failed) => failed,
      })
      await pipeline.call.pushMessages([new Message(1), new Message('throw')])
      await sim.advance(40)
      const spans = told.slice(1).map(([event, { span, parent, duration }]) => [event, span, parent, duration])
      const first = Number(spans[0]?.[1])
      expect(spans).toEqual([
        ['ProcessorStart', first, undefined, undefined],
        ['MessageStart', first + 1, first, undefined],
        ['MessageStop', first + 1, first, 20],
        ['MessageStart', first + 2, first, undefined],
        ['MessageException', first + 2, first, 20],
        ['HandleFailedStart', first + 3, first, undefined],
        ['HandleFailedStop', first + 3, first, 0],
        ['ProcessorStop', first, undefined, 40],
      ])
      const [exception] = payloadsOf(told, 'MessageException')
      expect(exception).toMatchObject({ kind: 'error', reason: { message: 'boom' } })
      expect(exception?.['reason']).toHaveProperty('stack', expect.stringContaining('handleMessage'))
      await pipeline.stop()
    })
  })

  it('B143 what a callback does, whatever it waits for, has the stores that are bound to its start', async () => {
    const spans = new AsyncLocalStorage<PipelineSpan>()
    const bound = [channels.broadwayProcessorStart, channels.broadwayMessageStart, channels.broadwayBatchProcessorStart]
    for (const channel of bound) channel.bindStore(spans, (span) => span)
    try {
      await inSimulation(async (sim) => {
        const seen: unknown[] = []
        const note = (where: string): void => {
          const span = spans.getStore()
          const message = span !== undefined && 'message' in span ? (span.message as Message).data : undefined
          seen.push([where, /\.(\w+)_default_0/.exec(`${span?.stage}`)?.[1], message])
        }
        const acknowledger: Acknowledger = { ack: () => note('ack') }
        const pipeline = await Broadway.start({
          name: 'stores',
          producer: { module: Silent },
          processors: {
            default: {
              concurrency: 1,
              async handleMessage(message, _context, stage) {
                await stage.sleep(5)
                note('message')
                return message
              },
            },
          },
          batchers: {
            default: {
              batchSize: 2,
              async handleBatch(batch, _info, _context, stage) {
                await stage.sleep(5)
                note('batch')
                return batch
              },
            },
          },
        })
        await pipeline.call.pushMessages(acked(acknowledger, 1, 2))
        await sim.advance(100)
        expect(seen).toEqual([
          ['message', 'Processor', 1],
          ['message', 'Processor', 2],
          ['batch', 'BatchProcessor', undefined],
          ['ack', 'BatchProcessor', undefined],
        ])
        await pipeline.stop()
      })
    } finally {
      for (const channel of bound) channel.unbindStore(spans)
    }
  })

  it('B144 a listener that throws is removed, and touches nothing else', async () => {
    const warnings: string[] = []
    const warned = (warning: Error): void => void warnings.push(warning.message)
    process.on('warning', warned)
    const { broadwayMessageStart } = channels
    let calls = 0
    let others = 0
    const broken = (): void => {
      calls++
      throw new Error('broken listener')
    }
    const sound = (): void => {
      others++
    }
    broadwayMessageStart.subscribe(broken)
    broadwayMessageStart.subscribe(sound)
    try {
      await inSimulation(async () => {
        const pipeline = await Broadway.start({
          name: 'broken',
          producer: { module: Silent },
          processors: { default: { concurrency: 1, handleMessage: (message) => message } },
        })
        const acks = await pipeline.call.testBatch([1, 2, 3])
        expect(acks.flatMap(({ successful }) => dataOf(successful))).toEqual([1, 2, 3])
        await pipeline.stop()
      })
      expect([calls, others]).toEqual([1, 3])
      expect(broadwayMessageStart.unsubscribe(broken)).toBe(false)
      await new Promise(setImmediate)
      expect(warnings).toEqual([
        'a listener of sluice:broadway:message_start threw, and was removed: Error: broken listener',
      ])
    } finally {
      broadwayMessageStart.unsubscribe(sound)
      process.off('warning', warned)
    }
  })

  it('B145 a processor has acknowledged when it tells that it is done, however long that took', async () => {
    await listening(async (sim, told) => {
      const done: string[] = []
      const acknowledger: Acknowledger = {
        async ack() {
          await new Promise<void>((resolve) => sim.clock.setTimer(30, resolve))
          done.push(...eventsOf(told).filter((event) => event === 'ProcessorStop'), 'acknowledged')
        },
      }
      const pipeline = await Broadway.start({
        name: 'slow',
        producer: { module: Silent },
        processors: { default: { concurrency: 1, handleMessage: (message) => message } },
      })
      await pipeline.call.pushMessages([new Message(1, { acknowledger })])
      await sim.advance(30, { foreign: true })
      expect(done).toEqual(['acknowledged'])
      expect(eventsOf(told).slice(-2)).toEqual(['Ack', 'ProcessorStop'])
      expect(payloadsOf(told, 'ProcessorStop')).toMatchObject([{ duration: 30 }])
      await pipeline.stop()
    })
  })

  it('B64 tells of handleFailed in processors and batch processors, and what it threw', async () => {
    await listening(async (sim, told) => {
      const pipeline = await Broadway.start({
        name: 'failures',
        producer: { module: Silent<number | string> },
        processors: { default: { concurrency: 1, handleMessage } },
        batchers: { default: { batchSize: 1, handleBatch: (batch) => batch.map((each) => each.failed('late')) } },
        handleFailed(failed) {
          if (failed.some(({ data }) => data === 1)) throw new TypeError('no mail today')
          return failed.map((each) => each.putData('told'))
        },
      })
      await pipeline.call.pushMessages(['fail', 1, 2].map((data) => new Message(data)))
      await sim.settle()
      const ended = told.filter(([event]) => /^HandleFailed(Stop|Exception)$/.test(event))
      expect(
        ended.map(([event, { stage, messages, kind }]) => [
          event,
          /\.(\w+)_default_0/.exec(`${stage}`)?.[1],
          dataIn(messages),
          kind,
        ]),
      ).toEqual([
        ['HandleFailedStop', 'Processor', ['told'], undefined],
        ['HandleFailedException', 'BatchProcessor', [1], 'error'],
        ['HandleFailedStop', 'BatchProcessor', ['told'], undefined],
      ])
      await pipeline.stop()
    })
  })

  it('tells of batches that leave because their time is up, or the pipeline ends', async () => {
    await listening(async (sim, told) => {
      const pipeline = await Broadway.start({
        name: 'triggers',
        producer: { module: Silent },
        processors: { default: { concurrency: 1, handleMessage: (message) => message } },
        batchers: { default: { batchSize: 10, batchTimeout: 100, handleBatch: (batch) => batch } },
      })
      await pipeline.call.pushMessages(messages(1, 2))
      await sim.advance(100)
      await pipeline.call.pushMessages(messages(3))
      await sim.settle()
      await pipeline.stop()
      expect(payloadsOf(told, 'Batch').map(({ batch, messages }) => [batch, dataIn(messages)])).toMatchObject([
        [{ trigger: 'timeout', size: 2 }, [1, 2]],
        [{ trigger: 'flush', size: 1 }, [3]],
      ])
    })
  })

  it('tells of every acknowledgement: how many, how long, and why not', async () => {
    await listening(async (sim, told) => {
      const ledger = new Ledger()
      const broken: Acknowledger = {
        ack() {
          throw new Error('gone')
        },
      }
      const pipeline = await Broadway.start({
        name: 'acks',
        producer: { module: Silent<number | string> },
        processors: {
          default: {
            concurrency: 1,
            maxDemand: 4,
            minDemand: 0,
            handleMessage: (message) => (message.data === 'now' ? ackImmediately(message) : handleMessage(message)),
          },
        },
      })
      const made = (data: number | string, acknowledger: Acknowledger) =>
        new Message(data, { acknowledger, ackRef: 'a' })
      await pipeline.call.pushMessages([made('now', ledger), made(1, ledger), made('fail', ledger), made(2, broken)])
      await sim.settle()
      const processor = partOf(sim, 'Processor_default_0')
      const [{ span } = {}] = payloadsOf(told, 'ProcessorStart')
      const acks = payloadsOf(told, 'Ack')
      const lists = acks.map(({ successful, failed }) => [dataIn(successful), dataIn(failed)])
      expect(lists).toEqual([
        [['now'], []],
        [[1], ['fail']],
        [[2], []],
      ])
      expect(acks).toMatchObject([
        { acknowledger: ledger, ackRef: 'a', place: undefined, parent: undefined, error: undefined, duration: 0 },
        { acknowledger: ledger, place: { pipeline: 'acks', id: processor.id }, parent: span, error: undefined },
        { acknowledger: broken, parent: span, error: { message: 'gone' } },
      ])
      await pipeline.stop()
    })
  })

  it('tells when a producer may let nothing more through, when it may again, and how many messages wait', async () => {
    await listening(async (sim, told) => {
      const pipeline = await Broadway.start({
        name: 'limited',
        context: 'here',
        producer: {
          module: QueueProducer<number>,
          transformer: (data) => new Message(data),
          rateLimiting: { allowedMessages: 2, interval: 1000 },
        },
        processors: { default: { concurrency: 1, handleMessage: (message) => message } },
      })
      const [queue] = await pipeline.call.producerNames()
      for (const each of [1, 2, 3]) await queue?.call.enqueue(each)
      await sim.settle()
      const producer = partOf(sim, 'Producer_0')
      await sim.advance(1000)
      const where = { pipeline: 'limited', id: producer.id, stage: `${producer}`, index: 0, context: 'here' }
      expect(payloadsOf(told, 'RateLimit')).toMatchObject([
        { ...where, state: 'closed', held: 1 },
        { ...where, state: 'open', held: 1 },
      ])
      await pipeline.stop()
    })
  })

  it('B127 tells what is abandoned when the time to stop is over', async () => {
    await listening(async (sim, told) => {
      const pipeline = await Broadway.start({
        name: 'stuck',
        shutdown: 100,
        producer: { module: Silent },
        processors: { default: { concurrency: 1, handleMessage: () => new Promise<Message>(() => {}) } },
      })
      await pipeline.call.pushMessages(messages(1, 2, 3))
      await sim.settle()
      const stage = `${partOf(sim, 'Processor_default_0')}`
      const stopped = pipeline.stop()
      await sim.advance(100, { foreign: true })
      await stopped
      expect(payloadsOf(told, 'Abandon')).toEqual([
        { pipeline: 'stuck', ms: 100, messages: 3, stages: [{ stage, waitedFor: 'handleMessage', messages: 3 }] },
      ])
    })
  })

  it('is not listened to half: a processor that began before the listener came tells nothing', async () => {
    await inSimulation(async (sim) => {
      const heard: unknown[] = []
      const listener = ({
        successfulToAck,
      }: {
        readonly successfulToAck: readonly { readonly data: unknown }[]
      }): void => void heard.push(successfulToAck.map(({ data }) => data))
      const pipeline = await Broadway.start({
        name: 'half',
        producer: { module: Silent },
        processors: {
          default: {
            concurrency: 1,
            maxDemand: 1,
            minDemand: 0,
            async handleMessage(message, _context, stage) {
              await stage.sleep(10)
              return message
            },
          },
        },
      })
      await pipeline.call.pushMessages(messages(1, 2, 3))
      await sim.advance(5)
      channels.broadwayProcessorStop.subscribe(listener)
      await sim.advance(10)
      await sim.advance(10)
      channels.broadwayProcessorStop.unsubscribe(listener)
      await sim.advance(10)
      expect(heard).toEqual([[2]])
      await pipeline.stop()
    })
  })
})
