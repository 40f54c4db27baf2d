import { type Ref, start } from 'sluice'
import { Broadway } from 'sluice/broadway'
import { NatsPublisher, NatsSource } from 'sluice/nats'
import { describe, expect, it } from 'vitest'
import { Arrivals } from '../support/arrivals.ts'
import { Gate, inSimulation } from '../support/broadway.ts'
import { consuming, text } from '../support/nats-pipeline.ts'
import { JetStream, NATS, natsIsThere } from '../support/nats-server.ts'
import { settlement } from '../support/settlement.ts'

const numbers = (count: number) => Array.from({ length: count }, (_, n) => String(n))
const byNumber = (a: string, b: string) => Number(a) - Number(b)

/** Logs are written by processes that do not wait for the test. */
async function logged(sim: { readonly logs: readonly { readonly message: string }[] }, part: string): Promise<void> {
  while (!sim.logs.some(({ message }) => message.includes(part))) await new Promise((resolve) => setImmediate(resolve))
}

describe.skipIf(!natsIsThere)('a source of a real server', () => {
  it('N3 makes the stream and the consumer that are declared, and finds them the next time', async () => {
    await using server = await JetStream.connect()
    await inSimulation(async (sim) => {
      const stream = server.name()
      const declare = {
        stream: { subjects: [`${stream}.>`], retention: 'workqueue', maxMessages: 100, maxAge: 3_600_000 },
        consumer: { ackWait: 7000, maxAckPending: 50, filterSubject: `${stream}.a` },
      } as const
      for (const round of ['first', 'second']) {
        const seen = new Arrivals<string>()
        const pipeline = await consuming({ stream, declare }, (message) => {
          seen.add(text(message))
          return message
        })
        if (round === 'first') while ((await server.find(stream)) === undefined);
        await server.client.publish(`${stream}.a`, round)
        expect(await seen.reach(1)).toEqual([round])
        await pipeline.stop()
      }
      const { config } = await server.info(stream)
      expect(config).toMatchObject({ ack_wait: 7e9, max_ack_pending: 50, filter_subject: `${stream}.a` })
      const info = await server.manager.streams.info(stream)
      expect(info.config).toMatchObject({ retention: 'workqueue', max_msgs: 100, max_age: 3600e9 })
      expect(sim.logs).toEqual([])
    })
  })

  it.each([
    ['a stream', { stream: { maxMessages: 7 } }, 'maxMessages is -1 and not 7'],
    [
      'a consumer',
      { consumer: { ackWait: 7000, maxAckPending: 5 } },
      'ackWait is 30000 ms and not 7000 ms; maxAckPending is 1000 and not 5',
    ],
  ])(
    'N4 %s that is not as it is declared is left as it is, and the log says what differs',
    async (_, declare, sentence) => {
      await using server = await JetStream.connect()
      await inSimulation(async (sim) => {
        const stream = await server.stream()
        await server.manager.consumers.add(stream, { durable_name: 'worker', ack_policy: 'explicit' })
        const pipeline = await consuming({ stream, declare })
        await logged(sim, '(differs)')
        expect(sim.logs[0]?.message).toContain(sentence)
        expect((await server.info(stream)).config).toMatchObject({ ack_wait: 30e9, max_ack_pending: 1000 })
        await pipeline.stop()
      })
    },
  )

  it('N5 what is not declared is waited for', async () => {
    await using server = await JetStream.connect()
    await inSimulation(async (sim) => {
      const stream = server.name()
      const seen = new Arrivals<string>()
      const options = { stream, declare: undefined, backoffMin: 1000, backoffMax: 1000 }
      const pipeline = await consuming(options, (message) => {
        seen.add(text(message))
        return message
      })
      await logged(sim, `(not_found): there is no stream '${stream}'; the option declare`)
      await server.manager.streams.add({ name: stream, subjects: [stream] })
      await sim.advance(1000, { foreign: true })
      await logged(
        sim,
        `(not_found): the stream '${stream}' has no consumer 'worker'; the option declare: {} would make it`,
      )
      await server.manager.consumers.add(stream, { durable_name: 'worker', ack_policy: 'explicit' })
      await sim.advance(1000, { foreign: true })
      await server.fill(stream, 1)
      expect(await seen.reach(1)).toEqual(['0'])
      await pipeline.stop()
    })
  })

  it('N6 pulls no more than is asked for; the rest waits at the server', async () => {
    await using server = await JetStream.connect()
    await inSimulation(async (sim) => {
      const stream = await server.stream(100)
      const gate = new Gate()
      const arrived = new Arrivals<string>()
      const pipeline = await consuming({ stream }, async (message) => {
        arrived.add(text(message))
        await gate.opened
        return message
      })
      await arrived.reach(1)
      while ((await server.info(stream)).num_ack_pending < 10);
      const info = await server.info(stream)
      expect([info.num_ack_pending, info.num_pending, info.num_waiting]).toEqual([10, 90, 0])
      gate.open()
      await arrived.reach(100)
      expect(arrived.all).toEqual(numbers(100))
      await server.done(stream)
      await pipeline.stop()
      expect(sim.logs).toEqual([])
    })
  })

  it('N7 handles at once a message that comes alone', async () => {
    await using server = await JetStream.connect()
    await inSimulation(async () => {
      const stream = await server.stream()
      const seen = new Arrivals<string>()
      const pipeline = await consuming({ stream }, (message) => {
        seen.add(text(message))
        return message
      })
      for (let n = 0; n < 5; n++) {
        await server.fill(stream, 1, n)
        await seen.reach(n + 1)
      }
      expect(seen.all).toEqual(numbers(5))
      await pipeline.stop()
    })
  })

  it('N9 two sources share the messages: each is handled once', async () => {
    await using server = await JetStream.connect()
    await inSimulation(async (sim) => {
      const stream = await server.stream(500)
      const seen: string[] = []
      const handle = (message: Parameters<typeof text>[0]) => void seen.push(text(message))
      const pipeline = await consuming(
        { stream },
        (message) => {
          handle(message)
          return message
        },
        { sources: 2, concurrency: 2 },
      )
      while (!(await server.find(stream)));
      await server.done(stream)
      expect(seen.toSorted(byNumber)).toEqual(numbers(500))
      await pipeline.stop()
      expect(sim.logs).toEqual([])
    })
  })

  it('N10 N13 a work queue is empty when all are handled or terminated; a stream with limits keeps them', async () => {
    await using server = await JetStream.connect()
    await inSimulation(async () => {
      const queue = await server.stream(10, { retention: 'workqueue' })
      const log = await server.stream(10)
      for (const stream of [queue, log]) {
        const pipeline = await consuming({ stream, onFailure: 'term', confirmAcks: true }, (message) =>
          Number(text(message)) % 2 === 0 ? message : message.failed('odd'),
        )
        while (!(await server.find(stream)));
        await server.done(stream)
        await pipeline.stop()
      }
      while ((await server.size(queue)) > 0);
      expect(await server.size(log)).toBe(10)
      expect((await server.info(log)).num_redelivered).toBe(0)
    })
  })

  it('N11 N15 what fails comes again, with its deliveries, and is a dead letter at the last', async () => {
    await using server = await JetStream.connect()
    await inSimulation(async () => {
      const stream = await server.stream(1, { retention: 'workqueue' })
      const dead = await server.stream()
      const seen = new Arrivals<number>()
      const options = { stream, retryDelay: 1, maxDeliver: 3, deadLetters: dead }
      const pipeline = await consuming(options, (message) => {
        seen.add(message.metadata.deliveries)
        return message.failed(new Error('always'))
      })
      expect(await seen.reach(3)).toEqual([1, 2, 3])
      while ((await server.size(stream)) > 0);
      await pipeline.stop()
      const letter = await server.message(dead, 1)
      expect(letter.text).toBe('0')
      expect(letter.headers).toMatchObject({
        'Sluice-Subject': [stream],
        'Sluice-Sequence': ['1'],
        'Sluice-Deliveries': ['3'],
        'Sluice-Reason': ['always (delivery 3 of 3)'],
      })
    })
  })

  it('N18 what a pipeline that is killed had comes again', async () => {
    await using server = await JetStream.connect()
    await inSimulation(async () => {
      const stream = await server.stream(5)
      const arrived = new Arrivals<string>()
      const declare = { consumer: { ackWait: 200 } }
      const first = await consuming({ stream, declare }, (message) => {
        arrived.add(text(message))
        return new Promise(() => {})
      })
      await arrived.reach(1)
      await first.kill()
      const seen: string[] = []
      const second = await consuming({ stream, declare }, (message) => {
        seen.push(text(message))
        return message
      })
      await server.done(stream)
      await second.stop()
      // On a busy machine some of them may have taken too long again.
      expect(new Set(seen)).toEqual(new Set(numbers(5)))
    })
  })

  it('N19 tells subject, headers, sequence, deliveries and time, and keeps the order of a subject', async () => {
    await using server = await JetStream.connect()
    await inSimulation(async () => {
      const stream = await server.stream()
      const publisher = await start(NatsPublisher, { arg: { connection: NATS } })
      const before = Date.now()
      await publisher.call.publishMany(
        numbers(300).map((content) => ({
          subject: `${stream}.${Number(content) % 3}`,
          content,
          headers: { 'X-Number': content, 'X-Both': ['a', 'b'] },
        })),
      )
      const orders: string[][] = [[], [], []]
      const metadata: unknown[] = []
      const keyOf = (subject: string) => Number(subject.split('.').at(-1))
      const pipeline = await Broadway.start({
        name: 'ordered',
        producer: { module: NatsSource, arg: { stream, consumer: 'worker', connection: NATS, declare: {} } },
        processors: {
          default: {
            concurrency: 3,
            partitionBy: (message) => keyOf(message.metadata.subject),
            handleMessage: async (message) => {
              await new Promise((resolve) => setImmediate(resolve))
              orders[keyOf(message.metadata.subject)]?.push(String(message.data))
              if (String(message.data) === '7') metadata.push(message.metadata)
              return message
            },
          },
        },
      })
      while (!(await server.find(stream)));
      await server.done(stream)
      await pipeline.stop()
      await publisher.stop()
      expect(orders).toEqual([0, 1, 2].map((key) => numbers(300).filter((n) => Number(n) % 3 === key)))
      const headers = expect.objectContaining({ 'X-Number': ['7'], 'X-Both': ['a', 'b'] })
      const expected = { subject: `${stream}.1`, headers, stream, consumer: 'worker', sequence: 8, deliveries: 1 }
      expect(metadata).toMatchObject([expected])
      const timestamp = Reflect.get(Object(metadata[0]), 'timestamp')
      // Two clocks of one machine.
      expect(Math.abs(timestamp - before)).toBeLessThan(60_000)
    })
  })

  it('N20 draining answers for everything that came, and another source gets the rest', async () => {
    await using server = await JetStream.connect()
    await inSimulation(async (sim) => {
      const stream = await server.stream(500, { retention: 'workqueue' })
      const seen = new Arrivals<string>()
      const first = await Broadway.start({
        name: 'draining',
        producer: {
          module: NatsSource,
          arg: { stream, consumer: 'worker', connection: NATS, declare: {} },
          concurrency: 3,
        },
        processors: { default: { concurrency: 4, handleMessage: (message) => message } },
        batchers: {
          default: {
            batchSize: 20,
            handleBatch: async (messages) => {
              await new Promise((resolve) => setImmediate(resolve))
              for (const message of messages) seen.add(String(message.data))
              return messages
            },
          },
        },
      })
      await seen.reach(100)
      await first.stop()
      // What it had handled, and no more, is gone; what came too late for it was given back.
      while ((await server.size(stream)) > 500 - seen.all.length);
      const rest = new Set<string>()
      const second = await consuming({ stream }, (message) => {
        const number = text(message)
        // What a server could not bring to the first one's inbox, which was just gone, it may deliver as new and again (2.9.10 does).
        if (!rest.has(number)) seen.add(number)
        rest.add(number)
        return message
      })
      await seen.reach(500)
      await second.stop()
      expect(seen.all.toSorted(byNumber)).toEqual(numbers(500))
      while ((await server.size(stream)) > 0);
      expect(sim.logs).toEqual([])
    })
  })

  it('N22 a wrong password is no crash, and is not told', async () => {
    await inSimulation(async (sim) => {
      // Nothing listens there.
      const pipeline = await consuming({ stream: 'none', connection: 'nats://joe:wr0ng-s3cret@127.0.0.1:1' })
      await logged(sim, '(econnrefused)')
      expect(JSON.stringify(sim.logs)).not.toContain('wr0ng-s3cret')
      await pipeline.stop()
    })
  })

  it('N23 a consumer that is deleted is made again, and goes on', async () => {
    await using server = await JetStream.connect()
    await inSimulation(async (sim) => {
      const stream = await server.stream(1, { retention: 'workqueue' })
      const seen = new Arrivals<string>()
      const pipeline = await consuming({ stream, backoffMin: 0, backoffMax: 0 }, (message) => {
        seen.add(text(message))
        return message
      })
      await seen.reach(1)
      while ((await server.size(stream)) > 0);
      while ((await server.info(stream)).num_waiting === 0);
      await server.deleteConsumer(stream)
      await server.fill(stream, 1, 7)
      expect(await seen.reach(2)).toEqual(['0', '7'])
      await pipeline.stop()
      expect(sim.logs.map(({ message }) => message)).toEqual([expect.stringContaining('409 Consumer Deleted')])
    })
  })

  it('tells how it stands', async () => {
    await using server = await JetStream.connect()
    await inSimulation(async () => {
      const stream = await server.stream(30)
      const gate = new Gate()
      const arrived = new Arrivals<string>()
      const pipeline = await consuming({ stream }, async (message) => {
        arrived.add(text(message))
        await gate.opened
        return message
      })
      await arrived.reach(1)
      while ((await server.info(stream)).num_ack_pending < 10);
      const [source] = await pipeline.call.producerNames()
      expect(await source?.call.stats()).toEqual({ connected: true, waiting: 20, unanswered: 10 })
      gate.open()
      await pipeline.stop()
    })
  })
})

describe.skipIf(!natsIsThere)('a publisher to a real server', () => {
  const publishing = (options: object = {}): Promise<Ref<NatsPublisher>> =>
    start(NatsPublisher, { arg: { connection: NATS, ...options } })

  it('N24 publishes in the order of its calls, and a message with the same id once', async () => {
    await using server = await JetStream.connect()
    await inSimulation(async () => {
      const stream = await server.stream()
      const publisher = await publishing({ subject: stream })
      const same = { content: 'same', messageId: 'one' }
      await Promise.all([
        publisher.call.publishMany(numbers(1200).map((content) => ({ content }))),
        publisher.call.publishMany([same, same, same]),
      ])
      const twice = { content: 'twice' }
      await publisher.call.publishMany([twice, twice])
      await publisher.stop()
      expect(await server.size(stream)).toBe(1203)
      const texts: string[] = []
      for (const sequence of [1, 2, 600, 1200, 1201, 1202, 1203])
        texts.push((await server.message(stream, sequence)).text)
      expect(texts).toEqual(['0', '1', '599', '1199', 'same', 'twice', 'twice'])
    })
  })

  it('N24 tells which messages were refused, and why', async () => {
    await using server = await JetStream.connect()
    await inSimulation(async () => {
      const stream = await server.stream(1)
      const publisher = await publishing()
      const { error } = await settlement(
        publisher.call.publishMany([
          { subject: stream, content: 'fine' },
          { subject: `${stream}-none`, content: 'lost' },
          { subject: stream, content: 'late', expect: { lastSequence: 77 } },
          { content: 'nowhere' },
        ]),
      )
      expect(error).toMatchObject({
        code: 'failed',
        cause: {
          failures: [
            { index: 1, error: { code: 'unroutable' } },
            { index: 2, error: { code: 'refused', message: expect.stringContaining('wrong last sequence') } },
            { index: 3, error: { code: 'bad_publication' } },
          ],
        },
      })
      await publisher.stop()
      expect(await server.size(stream)).toBe(2)
    })
  })
})
