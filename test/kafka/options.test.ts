import { Broadway } from 'sluice/broadway'
import { KafkaPublisher, type KafkaPublisherOptions, KafkaSource, type KafkaSourceOptions } from 'sluice/kafka'
import { describe, expect, it } from 'vitest'
import { readSourceOptions } from '../../src/kafka/options/source-options.ts'
import { inSimulation } from '../support/broadway.ts'
import { common, pipelineOver } from '../support/kafka-pipeline.ts'
import { ScriptedKafka } from '../support/scripted-kafka.ts'
import { settlement } from '../support/settlement.ts'

const base = { hosts: 'localhost:9092', groupId: 'g', topics: ['t'] }
const read = (options: object = {}) => readSourceOptions('KafkaSource', { ...base, ...options })
const make = (options: object) => () => new KafkaSource({ ...base, ...options } as KafkaSourceOptions)
const refusedWith = (sentence: string) =>
  expect.objectContaining({ code: 'bad_options', message: expect.stringContaining(sentence) })

describe('the options of a source', () => {
  it('B161 have defaults', () => {
    const { connection, ...options } = read()
    expect(options).toEqual({
      topics: ['t'],
      receiveInterval: 2000,
      offsetCommitOnAck: true,
      offsetResetPolicy: 'latest',
      beginOffset: 'assigned',
      group: {
        groupId: 'g',
        offsetCommitInterval: 5000,
        rejoinDelay: 1000,
        sessionTimeout: 30_000,
        heartbeatInterval: 5000,
        rebalanceTimeout: 30_000,
        assignors: ['roundrobin', 'range'],
      },
      fetch: { minBytes: 1, maxBytes: 1_048_576, maxWaitTime: 1000 },
      sharedClient: false,
      redeliverLostAfter: 30_000,
      backoff: { type: 'rand_exp', min: 1000, max: 30_000 },
    })
    expect(connection.target).toEqual({
      brokers: ['localhost:9092'],
      clientId: 'sluice-',
      ssl: false,
      sasl: undefined,
      connectTimeout: 10_000,
      requestTimeout: 30_000,
    })
  })

  it.each([
    ['one:1,two:2', ['one:1', 'two:2']],
    ['one:1, two:2', ['one:1', 'two:2']],
    ['[::1]:9092', ['[::1]:9092']],
    [
      [{ host: 'one', port: 1 }, 'two:2'],
      ['one:1', 'two:2'],
    ],
  ])('B161 hosts may be %j', (hosts, brokers) => {
    expect(read({ hosts }).connection.target.brokers).toEqual(brokers)
  })

  it('B161 topics that are named twice are one', () => {
    expect(read({ topics: ['b', 'a', 'b'] }).topics).toEqual(['b', 'a'])
  })

  it.each([
    [{ hosts: undefined }, 'hosts of KafkaSource: expected brokers, as'],
    [{ hosts: 'localhost' }, "got 'localhost'"],
    [{ hosts: 'localhost:9092,' }, "got 'localhost:9092,'"],
    [{ hosts: 'localhost:99999' }, 'hosts of KafkaSource'],
    [{ hosts: [] }, 'hosts of KafkaSource'],
    [{ hosts: [{ host: 'one' }] }, 'hosts of KafkaSource'],
    [{ groupId: undefined }, 'groupId of KafkaSource: expected the name of a group, got nothing'],
    [{ groupId: '' }, "groupId of KafkaSource: expected the name of a group, got ''"],
    [{ groupId: 1 }, 'groupId of KafkaSource: expected a string, got 1'],
    [{ topics: undefined }, 'topics of KafkaSource: expected an array of names of topics, at least one, got nothing'],
    [{ topics: [] }, 'topics of KafkaSource'],
    [{ topics: 'orders' }, "topics of KafkaSource: expected an array of names of topics, at least one, got 'orders'"],
    [{ topics: [1] }, 'topics of KafkaSource'],
    [{ receiveInterval: -1 }, 'receiveInterval of KafkaSource: expected a whole number >= 0, got -1'],
    [{ offsetCommitOnAck: 1 }, 'offsetCommitOnAck of KafkaSource: expected a boolean, got 1'],
    [
      { offsetResetPolicy: 'first' },
      "offsetResetPolicy of KafkaSource: expected 'earliest', 'latest' or { timestamp: milliseconds since 1970 }, got 'first'",
    ],
    [{ offsetResetPolicy: { timestamp: 0 } }, 'offsetResetPolicy of KafkaSource'],
    [{ offsetResetPolicy: { timestamp: 1, offset: 1 } }, 'offsetResetPolicy of KafkaSource'],
    [{ beginOffset: 'earliest' }, "beginOffset of KafkaSource: expected 'assigned' or 'reset', got 'earliest'"],
    [{ sharedClient: 1 }, 'sharedClient of KafkaSource: expected a boolean'],
    [{ redeliverLostAfter: 0 }, 'redeliverLostAfter of KafkaSource'],
    [{ groupConfig: 1 }, 'groupConfig of KafkaSource: expected an object of options, got 1'],
    [
      { groupConfig: { offsetCommitInterval: 0 } },
      'groupConfig.offsetCommitInterval of KafkaSource: expected a whole number >= 1, got 0',
    ],
    [{ groupConfig: { rejoinDelay: -1 } }, 'groupConfig.rejoinDelay of KafkaSource: expected a whole number >= 0'],
    [{ groupConfig: { sessionTimeout: 0 } }, 'groupConfig.sessionTimeout of KafkaSource'],
    [{ groupConfig: { heartbeatInterval: 0 } }, 'groupConfig.heartbeatInterval of KafkaSource'],
    [
      { groupConfig: { sessionTimeout: 100, heartbeatInterval: 100 } },
      'groupConfig.heartbeatInterval of KafkaSource: expected a whole number < sessionTimeout, which is 100, got 100',
    ],
    [{ groupConfig: { rebalanceTimeout: 0 } }, 'groupConfig.rebalanceTimeout of KafkaSource'],
    [
      { groupConfig: { assignors: [] } },
      'groupConfig.assignors of KafkaSource: expected an array of roundrobin, range',
    ],
    [{ groupConfig: { assignors: ['sticky'] } }, 'groupConfig.assignors of KafkaSource'],
    [{ groupConfig: { sessionTimeoutSeconds: 1 } }, 'groupConfig of KafkaSource has no option sessionTimeoutSeconds'],
    [{ fetchConfig: { minBytes: 0 } }, 'fetchConfig.minBytes of KafkaSource: expected a whole number >= 1, got 0'],
    [{ fetchConfig: { maxBytes: 0 } }, 'fetchConfig.maxBytes of KafkaSource'],
    [{ fetchConfig: { maxWaitTime: 0 } }, 'fetchConfig.maxWaitTime of KafkaSource'],
    [{ fetchConfig: { max_bytes: 1 } }, 'fetchConfig of KafkaSource has no option max_bytes'],
    [{ clientConfig: { clientIdPrefix: 1 } }, 'clientConfig.clientIdPrefix of KafkaSource: expected a string, got 1'],
    [{ clientConfig: { ssl: 'yes' } }, 'clientConfig.ssl of KafkaSource: expected a boolean or options of tls.connect'],
    [
      { clientConfig: { connectTimeout: 0 } },
      'clientConfig.connectTimeout of KafkaSource: expected a whole number >= 1',
    ],
    [
      { clientConfig: { requestTimeout: 999 } },
      'clientConfig.requestTimeout of KafkaSource: expected a whole number >= 1000, got 999',
    ],
    [
      { clientConfig: { sasl: { mechanism: 'md5' } } },
      "clientConfig.sasl.mechanism of KafkaSource: expected 'plain', 'scram-sha-256', 'scram-sha-512' or 'oauthbearer'",
    ],
    [{ clientConfig: { sasl: { username: 'u' } } }, 'clientConfig.sasl.mechanism of KafkaSource'],
    [
      { clientConfig: { sasl: { mechanism: 'plain' } } },
      'clientConfig.sasl.username of KafkaSource: expected a string',
    ],
    [
      { clientConfig: { sasl: { mechanism: 'plain', username: 'u' } } },
      'clientConfig.sasl.password of KafkaSource: expected a string, got nothing',
    ],
    [{ clientConfig: { retries: 1 } }, 'clientConfig of KafkaSource has no option retries'],
    [
      { client: 'node-rdkafka' },
      "client of KafkaSource: expected 'platformatic', 'kafkajs' or a function that gives a client, got 'node-rdkafka'",
    ],
    [
      { backoffMin: 10, backoffMax: 5 },
      'backoffMax of KafkaSource: expected a whole number >= backoffMin, which is 10',
    ],
    [{ brokers: 'localhost:9092' }, 'KafkaSource has no option brokers: known are groupId, topics'],
  ])('B161 %j is refused', (options, sentence) => {
    expect(make(options)).toThrow(refusedWith(sentence))
  })

  it.each([
    { mechanism: 'plain', username: 'u', password: 31337 },
    { mechanism: 'oauthbearer', token: 31337 },
  ])('B161 errors about $mechanism do not show secrets', (sasl) => {
    expect(make({ clientConfig: { sasl } })).toThrow(refusedWith('got number'))
    expect(make({ clientConfig: { sasl } })).not.toThrow(/31337/)
  })

  it('B161 are refused before the pipeline starts', async () => {
    await inSimulation(async () => {
      const cluster = new ScriptedKafka()
      const started = pipelineOver(cluster, undefined, { options: { groupId: '' } })
      const { error } = await settlement(started)
      expect(String(error)).toContain('groupId of KafkaSource')
      expect(cluster.asked).toEqual([])
    })
  })

  const handleMessage = <M>(message: M): M => message
  const handleBatch = <M>(messages: readonly M[]): readonly M[] => messages
  const partitionBy = (): number => 0
  it.each([
    ['the pipeline', { partitionBy }],
    ['processors.default', { processors: { default: { handleMessage, partitionBy } } }],
    ['batchers.late', { batchers: { early: { handleBatch }, late: { handleBatch, partitionBy } } }],
  ])('B162 partitionBy of %s is refused', async (where, options) => {
    await inSimulation(async () => {
      const cluster = new ScriptedKafka()
      const started = Broadway.start({
        name: 'numbers',
        producer: { module: KafkaSource, arg: { ...common, client: cluster.client } },
        processors: { default: { handleMessage } },
        ...options,
      } as never)
      const error = refusedWith(`partitionBy of ${where}: with KafkaSource it has to be left out`)
      expect(await settlement(started)).toMatchObject({ error: { cause: error } })
    })
  })
})

describe('the options of a publisher', () => {
  it.each([
    [{ hosts: 'x' }, 'hosts of KafkaPublisher'],
    [{ topic: 1 }, 'topic of KafkaPublisher: expected a string, got 1'],
    [{ maxBatch: 0 }, 'maxBatch of KafkaPublisher: expected a whole number >= 1, got 0'],
    [{ maxBytes: 0 }, 'maxBytes of KafkaPublisher'],
    [{ maxRequests: 0 }, 'maxRequests of KafkaPublisher'],
    [{ maxWaiting: -1 }, 'maxWaiting of KafkaPublisher'],
    [{ groupId: 'g' }, 'KafkaPublisher has no option groupId'],
  ])('%j is refused', (options, sentence) => {
    const given = { hosts: 'localhost:9092', ...options } as KafkaPublisherOptions
    expect(() => new KafkaPublisher(given)).toThrow(refusedWith(sentence))
  })
})
