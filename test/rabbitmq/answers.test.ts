import { Broadway } from 'sluice/broadway'
import { type MetadataName, RabbitMQSource } from 'sluice/rabbitmq'
import { describe, expect, it } from 'vitest'
import { inSimulation, partOf } from '../support/broadway.ts'
import { common, type Delivered, pipelineOver, text } from '../support/rabbitmq-pipeline.ts'
import { ScriptedServer } from '../support/scripted-rabbitmq.ts'

const ANSWERS = ['ack', 'reject', 'requeue'] as const

/** Fails those whose text says so. */
const failing = (message: Delivered) => (text(message).startsWith('fail') ? message.failed('asked for') : message)

/** Batches of five. */
function inBatches(server: ScriptedServer, options: object = {}, batchSize = 5) {
  return Broadway.start({
    name: 'batches',
    producer: { module: RabbitMQSource<MetadataName>, arg: { ...common, client: server.client, ...options } },
    processors: { default: { concurrency: 1, maxDemand: 20, handleMessage: (message) => message } },
    batchers: {
      default: { batchSize, handleBatch: (messages) => messages.map((message) => failing(message as Delivered)) },
    },
  })
}

describe('answers to the server', () => {
  it('B149 what was handled is acknowledged, what failed is rejected', async () => {
    await inSimulation(async (sim) => {
      const server = new ScriptedServer()
      const pipeline = await pipelineOver(server, { qos: { prefetchCount: 5 } }, failing)
      await sim.settle()
      server.channel.deliver([1, 2, 'fail', 4, 5])
      await sim.settle()
      const answered = new Map<number, unknown>()
      for (const [kind, tag, many] of server.toldOf(...ANSWERS)) {
        const from = many === undefined ? Number(tag) : 1
        for (let each = from; each <= Number(tag); each++) if (!answered.has(each)) answered.set(each, kind)
      }
      expect([...answered].sort(([a], [b]) => a - b)).toEqual([
        [1, 'ack'],
        [2, 'ack'],
        [3, 'reject'],
        [4, 'ack'],
        [5, 'ack'],
      ])
      await pipeline.stop()
    })
  })

  it('B149 one frame speaks for all messages that are next to each other', async () => {
    await inSimulation(async (sim) => {
      const server = new ScriptedServer()
      const pipeline = await inBatches(server)
      await sim.settle()
      server.channel.deliver([1, 2, 3, 4, 5, 6, 7, 'fail', 'fail', 10])
      await sim.settle()
      expect(server.toldOf(...ANSWERS)).toEqual([
        ['ack', 5, 'all up to'],
        ['ack', 7, 'all up to'],
        ['reject', 9, 'all up to'],
        ['ack', 10],
      ])
      await pipeline.stop()
    })
  })

  it('B150 onSuccess and onFailure say otherwise, and so does each message', async () => {
    await inSimulation(async (sim) => {
      const server = new ScriptedServer()
      const handle = (message: Delivered) => {
        if (text(message) === 'fail quietly')
          return message.configureAck({ onFailure: 'reject_and_requeue' }).failed('x')
        return text(message) === 'keep' ? message.configureAck({ onSuccess: 'ack' }) : failing(message)
      }
      const pipeline = await pipelineOver(server, { onSuccess: 'reject', onFailure: 'ack' }, handle)
      await sim.settle()
      for (const each of ['good', 'fail', 'fail quietly', 'keep']) {
        server.channel.deliver([each])
        await sim.settle()
      }
      expect(server.toldOf(...ANSWERS)).toEqual([
        ['reject', 1],
        ['ack', 2],
        ['requeue', 3],
        ['ack', 4],
      ])
      await pipeline.stop()
    })
  })

  it.each([{ onFailure: 'drop' }, { onFailure: 5 }, { onError: 'ack' }])(
    'B150 options that make no sense fail the message: %j',
    async (options) => {
      await inSimulation(async (sim) => {
        const server = new ScriptedServer()
        const pipeline = await pipelineOver(server, {}, (message) => message.configureAck(options))
        await sim.settle()
        server.channel.deliver([1])
        await sim.settle()
        expect(server.toldOf(...ANSWERS)).toEqual([['reject', 1]])
        expect(sim.logs.map(({ message }) => message).join()).toContain('configureAck of')
        await pipeline.stop()
      })
    },
  )

  it('B150 a function chooses; when it fails the message is requeued', async () => {
    await inSimulation(async (sim) => {
      const server = new ScriptedServer()
      const onFailure = ({ status }: { status: unknown }) => {
        const reason = Reflect.get(Object(status), 'reason')
        if (reason === 'bug') throw new Error('in the function')
        return reason === 'spam' ? ('ack' as const) : ('reject' as const)
      }
      const pipeline = await pipelineOver(server, { onFailure }, (message) => message.failed(text(message)))
      await sim.settle()
      for (const each of ['spam', 'bug', 'other']) {
        server.channel.deliver([each])
        await sim.settle()
      }
      expect(server.toldOf(...ANSWERS)).toEqual([
        ['ack', 1],
        ['requeue', 2],
        ['reject', 3],
      ])
      expect(sim.logs.map(({ message }) => message)).toEqual([
        expect.stringMatching(/failed; the message is answered for with 'reject_and_requeue'$/),
      ])
      await pipeline.stop()
    })
  })

  it.each([
    ['reject', false, 'reject'],
    ['reject', true, 'reject'],
    ['reject_and_requeue', false, 'requeue'],
    ['reject_and_requeue', true, 'requeue'],
    ['reject_and_requeue_once', false, 'requeue'],
    ['reject_and_requeue_once', true, 'reject'],
  ] as const)('B151 %s, redelivered %s: %s', async (onFailure, redelivered, told) => {
    await inSimulation(async (sim) => {
      const server = new ScriptedServer()
      const pipeline = await pipelineOver(server, { onFailure }, failing)
      await sim.settle()
      server.channel.deliver(['fail'], redelivered)
      await sim.settle()
      expect(server.toldOf(...ANSWERS)).toEqual([[told, 1]])
      await pipeline.stop()
    })
  })

  it('B151 a source without onFailure warns that failed messages come over and over', async () => {
    await inSimulation(async (sim) => {
      const server = new ScriptedServer()
      const pipeline = await pipelineOver(server, { onFailure: undefined }, failing)
      await sim.settle()
      server.channel.deliver(['fail'])
      await sim.settle()
      expect(server.toldOf(...ANSWERS)).toEqual([['requeue', 1]])
      expect(sim.logs).toMatchObject([
        { level: 'warn', message: expect.stringContaining('is not given: failed messages') },
      ])
      await pipeline.stop()
    })
  })

  it('B152 with noAck nobody is told, and there is nothing to configure', async () => {
    await inSimulation(async (sim) => {
      const server = new ScriptedServer()
      const handle = (message: Delivered) =>
        text(message) === '2' ? message.configureAck({ onSuccess: 'ack' }) : message
      const pipeline = await pipelineOver(server, { consume: { noAck: true } }, handle)
      await sim.settle()
      expect(server.toldOf('consume')).toEqual([['consume', 'q', { noAck: true }]])
      server.channel.deliver([1, 2, 'fail'])
      await sim.settle()
      expect(server.toldOf(...ANSWERS)).toEqual([])
      expect(sim.logs.map(({ message }) => message).join()).toContain('has no configure')
      await pipeline.stop()
    })
  })

  it('B153 the metadata are the chosen properties and the channel', async () => {
    await inSimulation(async (sim) => {
      const server = new ScriptedServer()
      const seen: unknown[] = []
      const pipeline = await pipelineOver(server, { metadata: ['routingKey', 'headers', 'messageId'] }, (message) => {
        seen.push(message.metadata)
        return message
      })
      await sim.settle()
      server.channel.deliver([1], false, { headers: { a: 1 }, appId: 'not asked for' })
      await sim.settle()
      expect(seen).toEqual([{ amqpChannel: server.channel, routingKey: 'q', headers: { a: 1 }, messageId: undefined }])
      await pipeline.stop()
    })
  })

  it('B159 an answer that fails does not touch the others; each is logged, and one error tells of all', async () => {
    await inSimulation(async (sim) => {
      const server = new ScriptedServer()
      const pipeline = await inBatches(server)
      await sim.settle()
      server.failures.set('ack', new Error('no such tag'))
      server.channel.deliver([1, 'fail', 3, 'fail', 5])
      await sim.settle()
      expect(server.toldOf(...ANSWERS)).toEqual([
        ['ack', 1],
        ['reject', 2],
        ['ack', 3],
        ['reject', 4],
        ['ack', 5],
      ])
      const lines = sim.logs.map(({ message }) => message)
      expect(lines.filter((line) => line.includes('could not ack'))).toHaveLength(3)
      expect(lines.filter((line) => line.includes('3 answers of') && line.includes('no such tag'))).toHaveLength(1)
      await pipeline.stop()
    })
  })
})

describe('messages that the pipeline loses', () => {
  it('B160 are requeued after a while when a processor is killed; the others are not', async () => {
    await inSimulation(async (sim) => {
      const server = new ScriptedServer()
      const pipeline = await pipelineOver(server, { redeliverLostAfter: 1000 }, async (message) => {
        if (text(message) === 'stuck') await new Promise<never>(() => {})
        return message
      })
      await sim.advance(1)
      server.channel.deliver(['stuck', 'behind it'])
      await sim.advance(10, { foreign: true })
      partOf(sim, 'Processor_default_0')
        .stop({ timeout: 1 })
        .catch(() => {})
      await sim.advance(100, { foreign: true })
      server.channel.deliver(['later'])
      await sim.advance(3000)
      expect(server.toldOf(...ANSWERS)).toEqual([
        ['ack', 3],
        ['requeue', 2, 'all up to'],
      ])
      expect(sim.logs.map(({ message }) => message)).toContainEqual(
        expect.stringMatching(/^2 messages of .* were lost when a stage died/),
      )
      await pipeline.stop()
    })
  })
})
