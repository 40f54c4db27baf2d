import { Broadway } from 'sluice/broadway'
import { RedisListSource, RedisPublisher, RedisSink, RedisStreamSource } from 'sluice/redis'
import { simulate } from 'sluice/testing'
import { describe, expect, it } from 'vitest'

const stream = (options: object) => () => new RedisStreamSource({ stream: 's', group: 'g', ...options })
const list = (options: object) => () => new RedisListSource({ list: 'l', ...options })

describe('options', () => {
  it.each([
    [{ stream: undefined }, 'stream of RedisStreamSource: expected the key of a stream, got nothing'],
    [{ stream: '' }, "stream of RedisStreamSource: expected a key of Redis, which is not empty, got ''"],
    [{ group: 7 }, 'group of RedisStreamSource: expected a string, got 7'],
    [{ start: 'now' }, "start of RedisStreamSource: expected '0', '$' or the id of an entry, got 'now'"],
    [{ claimIdle: 0 }, 'claimIdle of RedisStreamSource: expected milliseconds > 0, got 0'],
    [{ claimInterval: '1' }, "claimInterval of RedisStreamSource: expected milliseconds > 0, got '1'"],
    [{ retryDelay: -1 }, 'retryDelay of RedisStreamSource: expected milliseconds >= 0, got -1'],
    [{ maxDeliver: 0 }, 'maxDeliver of RedisStreamSource: expected a whole number >= 1 or Infinity, got 0'],
    [{ maxMessages: Infinity }, 'maxMessages of RedisStreamSource: expected a whole number >= 1, got Infinity'],
    [
      { onFailure: 'drop' },
      "onFailure of RedisStreamSource: expected 'ack', 'retry', { retryAfter: milliseconds } or 'dead_letter', got 'drop'",
    ],
    [
      { onFailure: 'dead_letter' },
      "deadLetters of RedisStreamSource: expected the key of dead letters, since an answer is 'dead_letter'",
    ],
    [{ deleteAcked: 1 }, 'deleteAcked of RedisStreamSource: expected a boolean, got 1'],
    [{ groop: 'g' }, 'RedisStreamSource has no option groop: did you mean group?'],
    [{ backoffMin: 5, backoffMax: 1 }, 'backoffM'],
    [{ client: {} }, 'client of RedisStreamSource: expected a function that gives a client'],
  ])('R1 a source over a stream refuses %j', (options, sentence) => {
    expect(stream(options)).toThrow(sentence)
    expect(stream(options)).toThrow(expect.objectContaining({ code: 'bad_options' }))
  })

  it.each([
    [{ list: undefined }, 'list of RedisListSource: expected the key of a list, got nothing'],
    [{ take: 'first' }, "take of RedisListSource: expected 'left' or 'right', got 'first'"],
    [{ onFailure: { retryAfter: 1 } }, "onFailure of RedisListSource: expected 'ack', 'retry' or 'dead_letter'"],
    [{ lst: 'l' }, 'RedisListSource has no option lst: did you mean list?'],
  ])('R1 a source over a list refuses %j', (options, sentence) => {
    expect(list(options)).toThrow(sentence)
  })

  it.each([
    [{ trim: {} }, 'trim.maxLength of RedisPublisher: expected either maxLength, a whole number >= 0, or minId'],
    [{ trim: { maxLength: 1, minId: '1' } }, 'trim.maxLength of RedisPublisher: expected either maxLength'],
    [{ push: 'up' }, "push of RedisPublisher: expected 'left' or 'right', got 'up'"],
    [{ maxUnconfirmed: 0 }, 'maxUnconfirmed of RedisPublisher: expected a whole number >= 1, got 0'],
  ])('R1 a publisher refuses %j', (options, sentence) => {
    expect(() => new RedisPublisher(options as object)).toThrow(sentence)
  })

  it('R1 a sink needs a publisher', () => {
    expect(() => new RedisSink({ toPublication: () => ({ value: '' }) } as never)).toThrow(
      'publisher of RedisSink: expected the ref or the name of a RedisPublisher, got nothing',
    )
  })

  it.each([
    ['http://joe:s3cret@host', 'got one that begins with http:'],
    ['redis://joe:s3cret@ho st', 'this text is none (it is not shown'],
    ['redis://joe:s3cret%zz@host', 'a % has no two hexadecimal digits'],
    [{ password: ['s3cret'] }, 'connection.password of RedisStreamSource: expected a string, got object'],
    [{ url: ['s3cret'] }, 'connection.url of RedisStreamSource: expected a string, got object'],
    [{ timeout: 0 }, 'connection.timeout of RedisStreamSource: expected milliseconds > 0'],
    [{ host: 'a' }, 'connection of RedisStreamSource has no option host'],
  ])('R2 the connection %j is refused, and shows nothing that is secret', (connection, sentence) => {
    expect(stream({ connection })).toThrow(sentence)
    expect(stream({ connection })).not.toThrow('s3cret')
  })

  it('of a list that do not say what becomes of what failed are told of once, since it comes again at once', async () => {
    const client = () => ({ connect: () => new Promise<never>(() => {}) })
    const started = (options: object) =>
      Broadway.start({
        name: 'jobs',
        producer: { module: RedisListSource, arg: { list: 'l', client, ...options }, concurrency: 2 },
        processors: { default: { handleMessage: (message) => message } },
      })
    await simulate().run(async (sim) => {
      const silent = await started({})
      const told = [expect.stringMatching(/^onFailure of RedisListSource.* is not given: .* choose one of ack, retry/)]
      expect(sim.logs.map(({ message }) => message)).toEqual(told)
      await silent.stop()
      const chosen = await started({ onFailure: 'retry' })
      expect(sim.logs.map(({ message }) => message)).toEqual(told)
      await chosen.stop()
    })
  })
})
