import { channels, type NatsAck } from 'sluice/telemetry'
import { describe, expect, it } from 'vitest'
import { listen } from '../support/arrivals.ts'
import { Gate, inSimulation, partOf } from '../support/broadway.ts'
import { consuming, type Delivered, text } from '../support/nats-pipeline.ts'
import { ScriptedNats } from '../support/scripted-nats.ts'

/** Fails those whose text says so. */
const failing = (message: Delivered) => (text(message).startsWith('fail') ? message.failed('asked for') : message)
const seconds = (...counts: readonly number[]) => counts.map((count) => `-NAK {"delay":${count * 1e9}}`)
const lines = (sim: { readonly logs: readonly { readonly message: string }[] }) =>
  sim.logs.map(({ message }) => message)

describe('answers', () => {
  it('N10 what was handled is acknowledged', async () => {
    await inSimulation(async (sim) => {
      const told = listen<NatsAck>(channels.natsAck)
      const server = new ScriptedNats()
      const pipeline = await consuming({ stream: 's', client: server.client }, failing)
      await sim.settle()
      for (const [index, data] of ['a', 'fail', 'c'].entries()) server.connection.deliver(data, { sequence: index + 1 })
      await sim.settle()
      expect(server.answers.toSorted()).toEqual(['1 +ACK', `2 ${seconds(1)[0]}`, '3 +ACK'])
      const counted = { ack: 0, nak: 0, term: 0, dead_letter: 0 }
      for (const { answer, messages } of told.all) counted[answer] += messages
      expect(counted).toEqual({ ack: 2, nak: 1, term: 0, dead_letter: 0 })
      await pipeline.stop()
    })
  })

  it('N11 what failed comes again, later each time, after a minute at most', async () => {
    await inSimulation(async (sim) => {
      const server = new ScriptedNats()
      const pipeline = await consuming({ stream: 's', client: server.client }, failing)
      await sim.settle()
      for (const deliveries of [1, 2, 3, 6, 7, 20]) {
        server.connection.deliver('fail', { deliveries })
        await sim.settle()
      }
      expect(server.answers).toEqual(seconds(1, 2, 4, 32, 60, 60).map((answer) => `1 ${answer}`))
      await pipeline.stop()
    })
  })

  it('N12 the options choose, a function of the message too, and the message itself', async () => {
    await inSimulation(async (sim) => {
      const server = new ScriptedNats()
      const pipeline = await consuming(
        {
          stream: 's',
          client: server.client,
          onSuccess: 'term',
          onFailure: ({ metadata }) => (metadata.deliveries > 1 ? { retryAfter: 0 } : { retryAfter: 5000 }),
        },
        (message) => (text(message) === 'own' ? message.configureAck({ onSuccess: 'ack' }) : failing(message)),
      )
      await sim.settle()
      server.connection.deliver('fine', { sequence: 1 })
      server.connection.deliver('fail', { sequence: 2 })
      server.connection.deliver('fail', { sequence: 3, deliveries: 2 })
      server.connection.deliver('own', { sequence: 4 })
      await sim.settle()
      expect(server.answers.toSorted()).toEqual(['1 +TERM', `2 ${seconds(5)[0]}`, '3 -NAK', '4 +ACK'])
      await pipeline.stop()
    })
  })

  it.each([
    [
      { onFailure: 'drop' },
      "expected 'ack', 'retry', { retryAfter: milliseconds }, 'dead_letter' or 'term', got 'drop'",
    ],
    [{ onFailed: 'ack' }, 'has no option onFailed: did you mean onFailure?'],
  ])('N12 configureAck refuses %j: the message fails', async (options, sentence) => {
    await inSimulation(async (sim) => {
      const server = new ScriptedNats()
      const pipeline = await consuming({ stream: 's', client: server.client }, (message) =>
        message.configureAck(options),
      )
      await sim.settle()
      server.connection.deliver('a')
      await sim.settle()
      expect(server.answers).toEqual([`1 ${seconds(1)[0]}`])
      expect(JSON.stringify(sim.logs)).toContain(sentence.replaceAll('"', '\\"'))
      await pipeline.stop()
    })
  })

  it('N12 a function that gives no answer lets the message come again', async () => {
    await inSimulation(async (sim) => {
      const server = new ScriptedNats()
      const onSuccess = () => 'drop' as 'ack'
      const pipeline = await consuming({ stream: 's', client: server.client, onSuccess })
      await sim.settle()
      server.connection.deliver('a')
      await sim.settle()
      expect(server.answers).toEqual([`1 ${seconds(1)[0]}`])
      expect(lines(sim)[0]).toContain('onSuccess of NatsSource')
      await pipeline.stop()
    })
  })

  it.each([
    ['2.9.10', '+TERM'],
    ['2.10.3', '+TERM'],
    ['2.10.4', '+TERM asked for'],
    ['2.11.0', '+TERM asked for'],
    ['3.0.0', '+TERM asked for'],
  ])('N13 a server %s is told %s', async (version, said) => {
    await inSimulation(async (sim) => {
      const server = new ScriptedNats()
      const pipeline = await consuming({ stream: 's', client: server.client, onFailure: 'term' }, failing)
      await sim.settle()
      server.connection.version = version
      server.connection.deliver('fail')
      await sim.settle()
      expect(server.answers).toEqual([`1 ${said}`])
      await pipeline.stop()
    })
  })

  it('N14 a dead letter is published with where it came from and why, and only then terminated', async () => {
    await inSimulation(async (sim) => {
      const server = new ScriptedNats()
      const options = { stream: 's', client: server.client, deadLetters: 'dead', onFailure: 'dead_letter' } as const
      const pipeline = await consuming(options, failing)
      await sim.settle()
      server.connection.deliver('fail', { sequence: 5, headers: { 'X-Kind': ['a', 'b'], 'Nats-Msg-Id': ['1'] } })
      await sim.settle()
      const headers = {
        'X-Kind': ['a', 'b'],
        'Sluice-Subject': 's.a',
        'Sluice-Stream': 's',
        'Sluice-Consumer': 'worker',
        'Sluice-Sequence': '5',
        'Sluice-Deliveries': '1',
        'Sluice-Reason': 'asked for',
      }
      expect(server.toldOf('send', 'say')).toEqual([
        ['send', 'dead', 'fail', 'dead-letter-s-worker-5', headers],
        ['say', expect.stringContaining('.5.'), '+TERM'],
      ])
      await pipeline.stop()
    })
  })

  it('N14 one that cannot be published comes again', async () => {
    await inSimulation(async (sim) => {
      const server = new ScriptedNats()
      server.failures.set('send', [new Error('no stream takes it')])
      const options = { stream: 's', client: server.client, deadLetters: 'dead', onFailure: 'dead_letter' } as const
      const pipeline = await consuming(options, failing)
      await sim.settle()
      server.connection.deliver('fail')
      await sim.settle()
      expect(server.answers).toEqual([`1 ${seconds(1)[0]}`])
      expect(JSON.stringify(sim.logs)).toContain('no stream takes it')
      await pipeline.stop()
    })
  })

  it('N14 dead_letter for a message, without a subject for them, lets it come again and says so', async () => {
    await inSimulation(async (sim) => {
      const server = new ScriptedNats()
      const pipeline = await consuming({ stream: 's', client: server.client }, (message) =>
        message.configureAck({ onFailure: 'dead_letter' }).failed('asked for'),
      )
      await sim.settle()
      server.connection.deliver('a')
      await sim.settle()
      expect(server.answers).toEqual([`1 ${seconds(1)[0]}`])
      expect(JSON.stringify(sim.logs)).toContain('has no option deadLetters')
      await pipeline.stop()
    })
  })

  it.each([
    ['the source', { maxDeliver: 3 }, -1],
    ['the consumer', {}, 3],
  ])('N15 a message that fails at its last delivery, as %s has it, is given up', async (_, options, max_deliver) => {
    await inSimulation(async (sim) => {
      const server = new ScriptedNats()
      server.consumer = { ...server.consumer, max_deliver }
      const pipeline = await consuming({ stream: 's', client: server.client, deadLetters: 'dead', ...options }, failing)
      await sim.settle()
      server.connection.deliver('fail', { sequence: 1, deliveries: 2 })
      server.connection.deliver('fail', { sequence: 2, deliveries: 3 })
      await sim.settle()
      expect(server.answers.toSorted()).toEqual([`1 ${seconds(2)[0]}`, '2 +TERM'])
      expect(server.toldOf('send').map(([, subject, data]) => [subject, data])).toEqual([['dead', 'fail']])
      await pipeline.stop()
    })
  })

  it('N15 one that was delivered too often, and never answered for, is not handled again', async () => {
    await inSimulation(async (sim) => {
      const server = new ScriptedNats()
      const seen: string[] = []
      const pipeline = await consuming({ stream: 's', client: server.client, maxDeliver: 3 }, (message) => {
        seen.push(text(message))
        return message
      })
      await sim.settle()
      server.connection.deliver('killer', { sequence: 1, deliveries: 4 })
      server.connection.deliver('fine', { sequence: 2 })
      await sim.settle()
      expect(seen).toEqual(['fine'])
      expect(server.answers.toSorted()).toEqual(['1 +TERM', '2 +ACK'])
      expect(lines(sim)).toEqual([expect.stringContaining('more than 3 times and not answered for; it is given up')])
      // What was not handed on is asked for anew.
      const asked = server.toldOf('pull').reduce((sum, [, batch]) => sum + Number(batch), 0)
      expect(asked).toBeGreaterThan(10)
      await pipeline.stop()
    })
  })

  it('N16 acknowledgements are confirmed, and one that is not is told', async () => {
    await inSimulation(async (sim) => {
      const server = new ScriptedNats()
      server.failures.set('request', [new Error('no answer')])
      const pipeline = await consuming({ stream: 's', client: server.client, confirmAcks: true })
      await sim.settle()
      server.connection.deliver('a', { sequence: 1 })
      await sim.settle()
      server.connection.deliver('b', { sequence: 2 })
      await sim.settle()
      expect(server.toldOf('request').map(([, , said]) => said)).toEqual(['+ACK', '+ACK'])
      expect(JSON.stringify(sim.logs)).toContain('1 of 1 answers of NatsSource')
      await pipeline.stop()
    })
  })
})

describe('time', () => {
  it('N17 a message that takes long is kept, up to maxExtension', async () => {
    await inSimulation(async (sim) => {
      const server = new ScriptedNats()
      server.consumer = { ...server.consumer, ack_wait: 10e9 }
      const gate = new Gate()
      const pipeline = await consuming(
        { stream: 's', client: server.client, maxExtension: 20_000 },
        async (message) => {
          await gate.opened
          return message
        },
      )
      await sim.settle()
      server.connection.deliver('a')
      // The first look is early, as long as a pipeline may still be starting.
      await sim.advance(5000, { foreign: true })
      expect(server.answers).toEqual(['1 +WPI'])
      await sim.advance(10_000, { foreign: true })
      expect(server.answers).toEqual(['1 +WPI', '1 +WPI', '1 +WPI'])
      await sim.advance(30_000, { foreign: true })
      expect(server.answers).toHaveLength(4)
      gate.open()
      await sim.settle()
      expect(server.answers.at(-1)).toBe('1 +ACK')
      await pipeline.stop()
    })
  })

  it('N18 what a stage had that died is kept no longer', async () => {
    await inSimulation(async (sim) => {
      const server = new ScriptedNats()
      const gate = new Gate()
      const pipeline = await consuming({ stream: 's', client: server.client }, async (message) => {
        await gate.opened
        return message
      })
      await sim.settle()
      server.connection.deliver('a')
      await sim.settle()
      await partOf(sim, 'Processor_default_0').kill()
      for (let beat = 0; beat < 3; beat++) {
        await sim.advance(14_000, { foreign: true })
        server.connection.status(100, 'Idle Heartbeat')
      }
      expect(server.answers).toEqual([])
      gate.open()
      await pipeline.stop()
    })
  })
})
