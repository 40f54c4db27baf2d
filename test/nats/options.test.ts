import { fresh, start } from 'sluice'
import { NatsPublisher, NatsSink, NatsSource } from 'sluice/nats'
import { describe, expect, it } from 'vitest'
import { inSimulation } from '../support/broadway.ts'
import { consuming } from '../support/nats-pipeline.ts'
import { ScriptedNats } from '../support/scripted-nats.ts'

const complete = { stream: 's', consumer: 'worker' }
const make = (options: object) => () => new NatsSource({ ...complete, ...options })

describe('options of a source', () => {
  it.each([
    [{ stream: undefined }, 'stream of NatsSource: expected the name of a stream, without'],
    [
      { stream: 'a.b' },
      "stream of NatsSource: expected the name of a stream, without spaces and any of . * > / \\, got 'a.b'",
    ],
    [{ consumer: '' }, 'consumer of NatsSource: expected the name of a consumer'],
    [{ consumr: 'c' }, 'NatsSource has no option consumr: did you mean consumer?'],
    [
      { onFailure: 'drop' },
      "onFailure of NatsSource: expected 'ack', 'retry', { retryAfter: milliseconds }, 'dead_letter' or 'term', got 'drop'",
    ],
    [{ onFailure: { retryAfter: -1 } }, 'onFailure of NatsSource: expected'],
    [
      { onFailure: 'dead_letter' },
      "deadLetters of NatsSource: expected the subject of dead letters, since onFailure is 'dead_letter', got nothing",
    ],
    [{ maxDeliver: 0 }, 'maxDeliver of NatsSource: expected a whole number >= 1 or Infinity, got 0'],
    [{ retryDelay: '1s' }, "retryDelay of NatsSource: expected milliseconds >= 0, got '1s'"],
    [{ expires: 0 }, 'expires of NatsSource: expected milliseconds > 0, got 0'],
    [{ maxMessages: 1.5 }, 'maxMessages of NatsSource: expected a whole number >= 1'],
    [{ confirmAcks: 1 }, 'confirmAcks of NatsSource: expected a boolean, got 1'],
    [{ heartbeat: 1 }, 'heartbeat of NatsSource: expected a boolean, got 1'],
    [{ declare: { streams: {} } }, 'declare of NatsSource has no option streams: did you mean stream?'],
    [{ declare: { stream: { subjects: [] } } }, 'declare.stream.subjects of NatsSource: expected an array of subjects'],
    [
      { declare: { stream: { retention: 'queue' } } },
      "declare.stream.retention of NatsSource: expected 'limits', 'interest' or 'workqueue', got 'queue'",
    ],
    [
      { declare: { consumer: { ackWait: 0 } } },
      'declare.consumer.ackWait of NatsSource: expected milliseconds > 0, got 0',
    ],
    [
      { declare: { consumer: { maxDeliver: 0 } } },
      'declare.consumer.maxDeliver of NatsSource: expected a whole number >= 1, got 0',
    ],
    [{ backoffMin: 5, backoffMax: 1 }, 'backoffM'],
    [{ client: {} }, 'client of NatsSource: expected a function that gives a client'],
  ])('N1 %j is refused', (options, sentence) => {
    expect(make(options)).toThrow(sentence)
    expect(make(options)).toThrow(expect.objectContaining({ code: 'bad_options' }))
  })

  it.each([
    ['http://joe:s3cret@host', 'got one that begins with http:'],
    ['nats://joe:s3cret@ho st', 'this text is none (it is not shown'],
    ['nats://joe:s3cret%zz@host', 'a % has no two hexadecimal digits'],
    [{ password: ['s3cret'] }, 'connection.password of NatsSource: expected a string, got object'],
    [{ token: ['s3cret'] }, 'connection.token of NatsSource: expected a string, got object'],
    [['nats://a', ['s3cret']], 'expected a URL or several, got object'],
    [[], 'at least one URL, got none'],
    [{ authenticator: 1 }, 'connection.authenticator of NatsSource: expected a function of the client'],
    [{ timeout: 0 }, 'connection.timeout of NatsSource: expected milliseconds > 0'],
    [{ host: 'a' }, 'connection of NatsSource has no option host'],
  ])('N1 the connection %j is refused, and shows nothing that is secret', (connection, sentence) => {
    expect(make({ connection })).toThrow(sentence)
    expect(make({ connection })).not.toThrow('s3cret')
  })

  it.each([
    [{ maxUnconfirmed: 0 }, 'maxUnconfirmed of NatsPublisher: expected a whole number >= 1, got 0'],
    [{ subjects: 'a' }, 'NatsPublisher has no option subjects: did you mean subject?'],
  ])('N1 a publisher refuses %j', (options, sentence) => {
    expect(() => new NatsPublisher(options as object)).toThrow(sentence)
  })

  it('N1 a sink needs a publisher', () => {
    expect(() => new NatsSink({ toPublication: () => ({ content: '' }) } as never)).toThrow(
      'publisher of NatsSink: expected the ref or the name of a NatsPublisher, got nothing',
    )
  })
})

describe('where a source connects to', () => {
  it.each([
    [undefined, { servers: ['nats://localhost:4222'] }],
    ['nats://joe:s3cr%2Ft@a', { servers: ['nats://a:4222'], username: 'joe', password: 's3cr/t' }],
    ['t0ken@a:1', { servers: ['nats://a:1'], token: 't0ken' }],
    [['nats://a', 'b:7'], { servers: ['nats://a:4222', 'nats://b:7'] }],
    ['tls://a', { servers: ['tls://a:4222'], tls: {} }],
    [
      { servers: 'nats://joe:wrong@a', password: 'right', timeout: 70, domain: 'hub', tls: { ca: 'x' } },
      { servers: ['nats://a:4222'], username: 'joe', password: 'right', timeout: 70, domain: 'hub', tls: { ca: 'x' } },
    ],
  ])('N2 %j', async (connection, target) => {
    await inSimulation(async (sim) => {
      const server = new ScriptedNats()
      const pipeline = await consuming({ stream: 's', connection, client: server.client, name: 'me' })
      await sim.settle()
      expect(server.targets).toMatchObject([{ name: 'me', ...target }])
      await pipeline.stop()
    })
  })

  it('N2 what a publisher logs has nothing that is secret', async () => {
    await inSimulation(async (sim) => {
      const server = new ScriptedNats()
      server.refusals.push(new Error("'s3cret' is wrong"))
      const connection = 'nats://joe:s3cret@a'
      const options = { connection, subject: 'a', backoffMin: 10, client: server.client }
      const publisher = await start(NatsPublisher, { arg: fresh(() => options) })
      publisher.cast.publish({ content: '' })
      await sim.settle()
      expect(sim.logs.map(({ message }) => message)).toEqual([
        expect.stringContaining("could not publish 1 messages: '***' is wrong; it sends them again in"),
      ])
      expect(JSON.stringify(sim.logs.map(({ fields }) => Reflect.get(fields, 'err') ?? ''))).toBe('[""]')
      publisher.exit('kill')
    })
  })

  it('N2 what is logged has the user, and nothing that is secret', async () => {
    await inSimulation(async (sim) => {
      const server = new ScriptedNats()
      server.refusals.push(new Error("'s3cret' is wrong"))
      const pipeline = await consuming({ stream: 's', connection: 'nats://joe:s3cret@a', client: server.client })
      await sim.settle()
      expect(sim.logs.map(({ message }) => message)).toEqual([
        expect.stringContaining("at nats://joe@a:4222 (other): '***' is wrong; it tries again in 10 ms"),
      ])
      expect(JSON.stringify(sim.logs)).not.toContain('s3cret')
      await pipeline.stop()
    })
  })
})
