import { GenServer, type Ref } from 'sluice'
import { Broadway, CallerAcknowledger, Message } from 'sluice/broadway'
import type { Simulation } from 'sluice/testing'
import { describe, expect, it } from 'vitest'
import { dataOf, inSimulation, noted, outcomesOf, partOf, silent } from '../support/broadway.ts'
import { gate } from '../support/owner.ts'

type Incoming = Message<number, 'default'>

/** What the error lines of a simulation say. */
const errorsOf = (sim: Simulation): readonly string[] =>
  sim.logs.filter(({ level }) => level === 'error').map(({ message }) => message)

/** A pipeline without batchers. */
const start = ({
  handleFailed,
  ...options
}: {
  readonly prepareMessages?: (messages: readonly Incoming[]) => readonly Incoming[] | Promise<readonly Incoming[]>
  readonly handleMessage: (message: Incoming) => Message | Promise<Message>
  readonly handleFailed?: (messages: readonly Message[]) => readonly Message[]
}) =>
  Broadway.start({
    name: 'handles',
    producer: silent,
    processors: { default: { concurrency: 1, ...options } },
    handleFailed,
  })

describe('prepareMessages', () => {
  it('B39 sees the messages that came together, before any is handled', async () => {
    await inSimulation(async () => {
      const order: unknown[] = []
      const pipeline = await start({
        prepareMessages: (list) =>
          noted(
            order,
            dataOf(list),
            list.map((message) => message.updateData((n) => n * 10)),
          ),
        handleMessage: (message) => noted(order, message.data, message),
      })
      expect(outcomesOf(await pipeline.call.testBatch([1, 2]))).toEqual([[[10, 20], []]])
      expect(order).toEqual([[1, 2], 10, 20])
      await pipeline.stop()
    })
  })

  it('B39 may take its time', async () => {
    await inSimulation(async () => {
      const pipeline = await start({
        prepareMessages: async (list) => list.map((message) => message.updateData((n) => n * 10)),
        handleMessage: (message) => message,
      })
      expect(outcomesOf(await pipeline.call.testBatch([1, 2]))).toEqual([[[10, 20], []]])
      await pipeline.stop()
    })
  })

  it.each([
    [
      'drops a message',
      (list: readonly Incoming[]) => list.slice(1),
      'prepareMessages got 4 messages and has to return each of them once, as it is or made from it: 1 are missing',
    ],
    ['returns nothing', () => undefined as never, 'returned undefined'],
    ['returns something else', () => [1, 2, 3, 4] as never, 'returned an array of 4, expected an array of messages'],
    [
      'returns other messages',
      (list: readonly Incoming[]) => list.map(({ data }) => new Message(data)) as never,
      '4 are missing',
    ],
  ])('B40 fails all messages when it %s; none is handled', async (_title, prepareMessages, text) => {
    await inSimulation(async (sim) => {
      const handled: unknown[] = []
      const pipeline = await start({ prepareMessages, handleMessage: (message) => noted(handled, message, message) })
      const processor = partOf(sim, 'Processor_default_0')
      const [ack, ...others] = await pipeline.call.testBatch([1, 2, 3, 4])
      expect(others).toEqual([])
      expect(dataOf(ack?.failed ?? [])).toEqual([1, 2, 3, 4])
      expect(ack?.failed[0]?.status).toMatchObject({ kind: 'error', reason: { code: 'bad_return' } })
      expect(handled).toEqual([])
      expect(errorsOf(sim)).toMatchObject([expect.stringContaining(text)])
      expect(partOf(sim, 'Processor_default_0')).toBe(processor)
      await pipeline.stop()
    })
  })

  it.each([
    [
      'throws',
      () => {
        throw new Error('no database')
      },
    ],
    ['rejects', () => Promise.reject(new Error('no database'))],
  ])('B41 fails all messages, in their order, when it %s', async (_title, prepareMessages) => {
    await inSimulation(async (sim) => {
      const pipeline = await start({ prepareMessages, handleMessage: (message) => message })
      const [ack] = await pipeline.call.testBatch([1, 2, 3, 4])
      expect(ack?.successful).toEqual([])
      expect(ack?.failed.map(({ data, status }) => [data, status])).toEqual(
        [1, 2, 3, 4].map((data) => [data, { kind: 'error', reason: new Error('no database') }]),
      )
      expect(errorsOf(sim)).toMatchObject([
        expect.stringContaining('prepareMessages failed, and with it 4 messages: no database'),
      ])
      await pipeline.stop()
    })
  })

  it('B42 may fail a message, which is handled all the same and stays failed when it is returned as it is', async () => {
    await inSimulation(async (sim) => {
      const handled: unknown[] = []
      const pipeline = await start({
        prepareMessages: (list) => list.map((message) => (message.data === 2 ? message.failed('not found') : message)),
        handleMessage: (message) => noted(handled, message.status, message),
      })
      const [ack] = await pipeline.call.testBatch([1, 2])
      expect(handled).toEqual(['ok', { kind: 'failed', reason: 'not found' }])
      expect(dataOf(ack?.successful ?? [])).toEqual([1])
      expect(ack?.failed).toMatchObject([{ data: 2, status: { kind: 'failed', reason: 'not found' } }])
      expect(sim.logs).toEqual([])
      await pipeline.stop()
    })
  })
})

describe('handleMessage', () => {
  it('B43 forwards what succeeded', async () => {
    await inSimulation(async () => {
      const statuses: unknown[] = []
      const pipeline = await Broadway.start({
        name: 'forwards',
        producer: silent,
        processors: { default: { handleMessage: (message) => message.updateData(String) } },
        batchers: {
          default: {
            handleBatch: (list) =>
              noted(
                statuses,
                list.map(({ data, status }) => [data, status]),
                list,
              ),
          },
        },
      })
      expect(dataOf((await pipeline.call.testMessage(1)).successful)).toEqual(['1'])
      expect(statuses).toEqual([[['1', 'ok']]])
      await pipeline.stop()
    })
  })

  it('B44 fails a message, which is acknowledged at once and not forwarded', async () => {
    await inSimulation(async (sim) => {
      const batches: unknown[] = []
      const pipeline = await Broadway.start({
        name: 'fails',
        producer: silent,
        processors: { default: { handleMessage: (message) => message.failed('too late') } },
        batchers: { default: { handleBatch: (list: readonly Message[]) => noted(batches, list, list) } },
      })
      expect(await pipeline.call.testMessage(1)).toMatchObject({
        successful: [],
        failed: [{ data: 1, status: { kind: 'failed', reason: 'too late' } }],
      })
      await pipeline.stop()
      expect(batches).toEqual([])
      expect(sim.logs).toEqual([])
    })
  })

  it('B45 leaves failed messages out of batches', async () => {
    await inSimulation(async () => {
      const batches: unknown[] = []
      const pipeline = await Broadway.start({
        name: 'fails',
        producer: silent,
        processors: {
          default: {
            concurrency: 1,
            handleMessage: (message) => ([2, 3].includes(message.data) ? message.failed('no') : message),
          },
        },
        batchers: { default: { batchSize: 2, handleBatch: (list) => noted(batches, dataOf(list), list) } },
      })
      expect(outcomesOf(await pipeline.call.testBatch([1, 2, 3, 4]))).toEqual([
        [[], [2, 3]],
        [[1, 4], []],
      ])
      expect(batches).toEqual([[1, 4]])
      await pipeline.stop()
    })
  })

  it.each([
    ['B46 an error', new Error('boom'), 'error', 'boom'],
    ['B49 something that is no error', 'a word', 'throw', 'a word'],
  ])('fails one message when it throws %s; the others and the processor go on', async (_title, thrown, kind, text) => {
    for (const later of [false, true]) {
      await inSimulation(async (sim) => {
        const pipeline = await start({
          handleMessage(message) {
            if (message.data !== 2) return message
            if (later) return Promise.reject(thrown)
            throw thrown
          },
        })
        const processor = partOf(sim, 'Processor_default_0')
        const [ack] = await pipeline.call.testBatch([1, 2, 4])
        expect(dataOf(ack?.successful ?? [])).toEqual([1, 4])
        expect(ack?.failed).toMatchObject([{ data: 2, status: { kind, reason: thrown } }])
        expect(errorsOf(sim)).toMatchObject([
          expect.stringContaining(`handleMessage failed, and with it one message: ${text}`),
        ])
        expect(partOf(sim, 'Processor_default_0')).toBe(processor)
        await pipeline.stop()
      })
    }
  })

  it.each([
    ['nothing', undefined, 'undefined'],
    ['data', 3, '3'],
    ['an array', [], 'an empty array'],
  ])('B47 fails the message when it returns %s', async (_title, returned, text) => {
    for (const result of [returned, Promise.resolve(returned)]) {
      await inSimulation(async (sim) => {
        const pipeline = await start({ handleMessage: () => result as never })
        const { failed } = await pipeline.call.testMessage(1)
        expect(failed).toMatchObject([{ data: 1, status: { kind: 'error', reason: { code: 'bad_return' } } }])
        expect(errorsOf(sim)).toMatchObject([
          expect.stringContaining(`handleMessage returned ${text}, expected a message`),
        ])
        await pipeline.stop()
      })
    }
  })

  it('B47 fails the message when it returns another one, which would be acknowledged in its place', async () => {
    await inSimulation(async (sim) => {
      const pipeline = await start({ handleMessage: ({ data }) => new Message(data) })
      const { failed } = await pipeline.call.testMessage(1)
      expect(failed).toMatchObject([{ data: 1, status: { kind: 'error', reason: { code: 'bad_return' } } }])
      expect(errorsOf(sim)).toMatchObject([
        expect.stringContaining('handleMessage returned another message than it got, expected a message'),
      ])
      await pipeline.stop()
    })
  })

  it('B48 fails a message that it sends to a batcher that is not there, unless it has failed anyway', async () => {
    await inSimulation(async (sim) => {
      const pipeline = await Broadway.start({
        name: 'lost',
        producer: silent,
        processors: {
          default: {
            handleMessage: (message): Message<number, 's3'> => {
              const lost = message.putBatcher('nowhere' as 's3')
              return message.data === 1 ? lost : lost.failed('anyway')
            },
          },
        },
        batchers: { s3: { handleBatch: (list) => list } },
      })
      const { failed } = await pipeline.call.testMessage(1)
      expect(failed).toMatchObject([
        { batcher: 'default', status: { kind: 'error', reason: { code: 'unknown_batcher' } } },
      ])
      expect(errorsOf(sim)).toMatchObject([
        expect.stringContaining("sent to the batcher 'nowhere', which the pipeline does not have; known are 's3'"),
      ])
      expect((await pipeline.call.testMessage(2)).failed).toMatchObject([
        { status: { kind: 'failed', reason: 'anyway' } },
      ])
      expect(errorsOf(sim)).toHaveLength(1)
      await pipeline.stop()
    })
  })

  it('B49 fails a message with what a task failed with that it waits for; B50 and lives on when it is linked to it', async () => {
    await inSimulation(async (sim) => {
      const pipeline = await Broadway.start({
        name: 'tasks',
        producer: silent,
        processors: {
          default: {
            concurrency: 1,
            async handleMessage(message, _context, stage) {
              const task = stage.task(() => Promise.reject(new Error('no network')))
              await task.await()
              return message
            },
          },
        },
      })
      const processor = partOf(sim, 'Processor_default_0')
      const { failed } = await pipeline.call.testMessage(1)
      expect(failed).toMatchObject([{ status: { kind: 'exit', reason: { code: 'exit' } } }])
      await sim.settle()
      expect(errorsOf(sim)).toContainEqual(expect.stringContaining('received a trapped exit from'))
      expect(partOf(sim, 'Processor_default_0')).toBe(processor)
      await pipeline.stop()
    })
  })

  it('B50 goes on when a process ends that it has linked, and says so', async () => {
    class Helper extends GenServer {
      fail(): void {
        throw new Error('on purpose')
      }
    }
    await inSimulation(async (sim) => {
      let helper: Ref<Helper> | undefined
      const pipeline = await Broadway.start({
        name: 'links',
        producer: silent,
        processors: {
          default: {
            concurrency: 1,
            async handleMessage(message, _context, stage) {
              helper ??= await stage.startLink(Helper)
              return message
            },
          },
        },
      })
      const processor = partOf(sim, 'Processor_default_0')
      await pipeline.call.testMessage(1)
      helper?.cast.fail()
      await sim.settle()
      expect(errorsOf(sim)).toContainEqual(
        expect.stringMatching(/Processor_default_0.*received a trapped exit from Helper.*on purpose/),
      )
      expect(dataOf((await pipeline.call.testMessage(2)).successful)).toEqual([2])
      expect(partOf(sim, 'Processor_default_0')).toBe(processor)
      await pipeline.stop()
    })
  })

  it('B51 may return a message that a callback has failed before', async () => {
    await inSimulation(async (sim) => {
      const probe = sim.probe()
      const acknowledger = new CallerAcknowledger(probe.ref)
      let thrown: Message | undefined
      const pipeline = await start({
        handleMessage() {
          if (thrown !== undefined) return thrown
          throw new Error('the first one')
        },
        handleFailed: (failed) => noted([], (thrown = failed[0]), failed),
      })
      const processor = partOf(sim, 'Processor_default_0')
      const message = new Message(1, { acknowledger })
      for (const _time of ['first', 'second']) {
        await pipeline.call.pushMessages([message])
        expect(await probe.receive()).toMatchObject({
          successful: [],
          failed: [{ data: 1, status: { kind: 'error' } }],
        })
      }
      expect(partOf(sim, 'Processor_default_0')).toBe(processor)
      await pipeline.stop()
    })
  })

  it('B52 tells of failed messages in their order, however each of them failed', async () => {
    await inSimulation(async () => {
      const pipeline = await start({
        handleMessage(message) {
          if (message.data === 1) return message.failed('one')
          if (message.data === 2) throw new Error('two')
          if (message.data === 3) return Promise.reject(new Error('three'))
          if (message.data === 4) return Promise.resolve(message.failed('four'))
          return message
        },
      })
      expect(outcomesOf(await pipeline.call.testBatch([1, 2, 3, 4, 5]))).toEqual([[[5], [1, 2, 3, 4]]])
      await pipeline.stop()
    })
  })

  it('B53 handles the next message when the one before is done', async () => {
    await inSimulation(async (sim) => {
      const gates = [gate(), gate(), gate()]
      const begun: number[] = []
      const pipeline = await start({
        async handleMessage(message) {
          begun.push(message.data)
          await gates[message.data]?.opened
          return message
        },
      })
      const acks = pipeline.call.testBatch([0, 1, 2])
      for (const [index, { open }] of gates.entries()) {
        await sim.settle()
        expect(begun).toHaveLength(index + 1)
        open()
      }
      expect(outcomesOf(await acks)).toEqual([[[0, 1, 2], []]])
      await pipeline.stop()
    })
  })
})
