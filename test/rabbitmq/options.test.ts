import { RabbitMQSource, type RabbitMQSourceOptions } from 'sluice/rabbitmq'
import { describe, expect, it } from 'vitest'
import { inSimulation } from '../support/broadway.ts'
import { common, pipelineOver } from '../support/rabbitmq-pipeline.ts'
import { ScriptedServer } from '../support/scripted-rabbitmq.ts'
import { settlement } from '../support/settlement.ts'

const make = (options: object) => () => new RabbitMQSource({ queue: 'q', ...options } as RabbitMQSourceOptions<never>)

describe('the options of a source', () => {
  it.each([
    [{ queue: undefined }, 'queue of RabbitMQSource: expected the name of a queue, got nothing'],
    [{ queue: 1 }, 'queue of RabbitMQSource: expected a string, got 1'],
    [{ queue: '' }, "the server only names one with the option declare, got ''"],
    [{ queueName: 'q' }, 'RabbitMQSource has no option queueName: known are queue, connection'],
    [{ connection: 5 }, 'connection of RabbitMQSource: expected an AMQP URI or an object of options'],
    [
      { connection: 'http://localhost' },
      'connection of RabbitMQSource: expected an AMQP URI, as amqp://localhost:5672 or amqps://..., got one that begins with http:',
    ],
    [{ connection: 'amqp://localhost?verify=1' }, 'there is no verify'],
    [
      { connection: { hosts: 'x' } },
      'connection of RabbitMQSource has no option hosts: did you mean host? Known are uri, host, port',
    ],
    [{ connection: { port: 70_000 } }, 'connection.port of RabbitMQSource: expected a whole number from 1 to 65535'],
    [{ connection: { authMechanism: 'digest' } }, "expected 'plain', 'amqplain' or 'external', got 'digest'"],
    [{ connection: { pool: {} } }, 'expected pool to have the methods checkout and checkin'],
    [{ qos: { prefetchCount: -1 } }, 'qos.prefetchCount of RabbitMQSource: expected a whole number >= 0, got -1'],
    [{ qos: { prefetchSize: 10 } }, 'qos.prefetchSize of RabbitMQSource: expected 0'],
    [{ qos: { global: true } }, 'qos of RabbitMQSource: global is not supported'],
    [{ qos: { count: 1 } }, 'qos of RabbitMQSource has no option count: known are prefetchCount, prefetchSize'],
    [{ qos: { prefetchCount: 0 } }, 'bufferSize of RabbitMQSource: expected a whole number >= 1 or Infinity, since'],
    [{ bufferSize: 0 }, 'bufferSize of RabbitMQSource: expected a whole number >= 1 or Infinity, got 0'],
    [{ bufferKeep: 'middle' }, "bufferKeep of RabbitMQSource: expected 'first' or 'last', got 'middle'"],
    [{ declare: { lasting: true } }, 'declare of RabbitMQSource has no option lasting'],
    [{ declare: { durable: 1 } }, 'declare.durable of RabbitMQSource: expected a boolean, got 1'],
    [{ bindings: [{ routingKey: 'a' }] }, 'bindings[0].exchange of RabbitMQSource: expected the name of an exchange'],
    [{ bindings: [{ exchange: 'e', key: 'a' }] }, 'bindings[0] of RabbitMQSource has no option key'],
    [{ consume: { tag: 'a' } }, 'consume of RabbitMQSource has no option tag'],
    [{ metadata: ['routing_key'] }, 'metadata of RabbitMQSource: expected names out of contentType'],
    [{ onSuccess: 'drop' }, "onSuccess of RabbitMQSource: expected 'ack', 'reject', 'reject_and_requeue'"],
    [{ onFailure: 'requeue' }, 'onFailure of RabbitMQSource'],
    [{ backoffType: 'linear' }, "backoffType of RabbitMQSource: expected 'rand_exp', 'exp', 'rand' or 'stop'"],
    [
      { backoffMin: 10, backoffMax: 5 },
      'backoffMax of RabbitMQSource: expected a whole number >= backoffMin, which is 10',
    ],
    [{ backoffMin: -1 }, 'backoffMin of RabbitMQSource: expected a whole number >= 0, got -1'],
    [{ afterConnect: 1 }, 'afterConnect of RabbitMQSource: expected a function of a channel, got 1'],
    [{ redeliverLostAfter: 0 }, 'redeliverLostAfter of RabbitMQSource'],
  ])('B146 %j is refused', (options, sentence) => {
    expect(make(options)).toThrow(
      expect.objectContaining({ code: 'bad_options', message: expect.stringContaining(sentence) }),
    )
  })

  it('B146 are refused before the pipeline starts', async () => {
    await inSimulation(async () => {
      const server = new ScriptedServer()
      const { error } = await settlement(pipelineOver(server, { qos: { prefetchCount: -1 } }))
      expect(String(error)).toContain('qos.prefetchCount')
      expect(server.targets).toEqual([])
    })
  })

  it.each([
    'amqp://joe:s3cret@@:x',
    'amqp://joe:s3cret%@localhost',
    'http://joe:s3cret@localhost',
    'amqp://joe:s3cret@localhost?a=b',
  ])('B146 a bad URI is not shown, since it may hold a password: %s', (connection) => {
    let message = ''
    try {
      make({ connection })()
    } catch (error) {
      message = String(error)
    }
    expect(message).toContain('connection of RabbitMQSource: expected')
    expect(message).not.toContain('s3cret')
  })

  it('B146 an AMQP URI is taken apart', async () => {
    await inSimulation(async (sim) => {
      const server = new ScriptedServer()
      const uri = 'amqps://joe:p%40ss@rabbit.example.org:5999/my%2Fhost?heartbeat=7&connectionTimeout=500'
      const pipeline = await pipelineOver(server, { connection: uri, name: 'orders' })
      await sim.settle()
      expect(server.targets).toMatchObject([
        {
          protocol: 'amqps',
          hostname: 'rabbit.example.org',
          port: 5999,
          username: 'joe',
          password: 'p@ss',
          virtualHost: 'my/host',
          heartbeat: 7,
          connectionTimeout: 500,
          name: 'orders',
        },
      ])
      await pipeline.stop()
    })
  })

  it('B147 keeps five times of what is sent ahead, or what it is told', async () => {
    await inSimulation(async (sim) => {
      const server = new ScriptedServer()
      const never = new Promise<never>(() => {})
      const pipeline = await pipelineOver(server, { qos: { prefetchCount: 2 } }, () => never)
      await sim.settle()
      expect(server.toldOf('prefetch')).toEqual([['prefetch', 2]])
      // Ten are asked for; ten more fit into the buffer, and a server that kept to its word would send none of them.
      server.channel.deliver(Array.from({ length: 21 }, (_, n) => n))
      await sim.settle()
      expect(sim.logs.map(({ message }) => message)).toMatchObject([expect.stringContaining('discarded 1 ')])
      const stopped = settlement(pipeline.stop({ timeout: 100 }))
      await sim.advance(60_000, { foreign: true })
      await stopped
    })
  })

  it('B148 mergeOptions lays options over the others, by the number of the source, for each attempt', async () => {
    await inSimulation(async (sim) => {
      const server = new ScriptedServer()
      const seen: number[] = []
      const mergeOptions = (index: number) => {
        seen.push(index)
        return { queue: `q${index}`, connection: { host: `rabbit${seen.length}` } }
      }
      const pipeline = await pipelineOver(server, { mergeOptions, queue: 'none' }, undefined, 2)
      await sim.settle()
      expect(seen).toEqual([0, 1])
      expect(server.toldOf('consume').map(([, queue]) => queue)).toEqual(['q0', 'q1'])
      await sim.advance(10)
      server.drop()
      await sim.settle()
      expect(seen).toHaveLength(3)
      expect(server.targets.map(({ hostname }) => hostname)).toEqual(['rabbit1', 'rabbit2', 'rabbit3'])
      await pipeline.stop()
    })
  })

  it.each([
    [() => 5, 'the result of mergeOptions of RabbitMQSource: expected an object of options, got 5'],
    [() => ({ qos: { prefetchCount: -1 } }), 'qos.prefetchCount of RabbitMQSource'],
    [
      (a: number, b: number) => ({ qos: { prefetchCount: a + b } }),
      'mergeOptions of RabbitMQSource: expected a function of the number of the source, which is all that it is given, got one that needs 2 arguments',
    ],
    ['a string', "mergeOptions of RabbitMQSource: expected a function of the number of the source, got 'a string'"],
  ])('B148 refuses what mergeOptions must not be or give: %s', (mergeOptions, sentence) => {
    expect(make({ mergeOptions })).toThrow(sentence)
  })

  it('B148 bad options that mergeOptions gives later end the source', async () => {
    await inSimulation(async (sim) => {
      const server = new ScriptedServer()
      let calls = 0
      const mergeOptions = () => (++calls === 2 ? { queue: '' } : {})
      const pipeline = await pipelineOver(server, { ...common, mergeOptions })
      await sim.advance(10)
      server.drop()
      await sim.settle()
      expect(sim.logs.map(({ message }) => message)).toContainEqual(expect.stringContaining('crashed: RabbitMQError'))
      expect(calls).toBe(3)
      await pipeline.stop()
    })
  })
})
