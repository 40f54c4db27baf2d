import { channels, type NatsConnect, type NatsConnectionFailure } from 'sluice/telemetry'
import { describe, expect, it } from 'vitest'
import { listen } from '../support/arrivals.ts'
import { Gate, inSimulation } from '../support/broadway.ts'
import { consuming, text } from '../support/nats-pipeline.ts'
import { connectionRefused, ScriptedNats } from '../support/scripted-nats.ts'

const pulls = (server: ScriptedNats) => server.toldOf('pull').map(([, batch]) => batch)

describe('pulls', () => {
  it('N6 N7 ask for what is wanted and not on its way, and hand on at once what came', async () => {
    await inSimulation(async (sim) => {
      const server = new ScriptedNats()
      const gate = new Gate()
      const seen: string[] = []
      const pipeline = await consuming({ stream: 's', client: server.client }, async (message) => {
        seen.push(text(message))
        await gate.opened
        return message
      })
      await sim.settle()
      expect(pulls(server)).toEqual([10])
      server.connection.deliver('a', { sequence: 1 })
      await sim.settle()
      expect(seen).toEqual(['a'])
      for (let n = 2; n <= 10; n++) server.connection.deliver(`${n}`, { sequence: n })
      await sim.settle()
      // All that was asked for came; the rest of the demand comes when messages are handled.
      expect(pulls(server)).toEqual([10])
      gate.open()
      await sim.settle()
      expect(seen).toHaveLength(10)
      const asked = pulls(server).reduce((sum: number, batch) => sum + Number(batch), 0)
      expect(asked).toBeGreaterThan(10)
      expect(asked).toBeLessThanOrEqual(20)
      await pipeline.stop()
    })
  })

  it('N8 a pull whose time is over is made again, for what it did not bring', async () => {
    await inSimulation(async (sim) => {
      const server = new ScriptedNats()
      const pipeline = await consuming({ stream: 's', client: server.client })
      await sim.settle()
      server.connection.status(408, 'Request Timeout', { 'Nats-Pending-Messages': ['10'], 'Nats-Pending-Bytes': ['0'] })
      await sim.settle()
      expect(pulls(server)).toEqual([10, 10])
      expect(sim.logs).toEqual([])
      await pipeline.stop()
    })
  })

  it('N8 a pull of which nothing is heard any more is given up, and everything is set up anew', async () => {
    await inSimulation(async (sim) => {
      const server = new ScriptedNats()
      const pipeline = await consuming({ stream: 's', client: server.client, declare: {} })
      await sim.settle()
      await sim.advance(14_000)
      server.connection.status(100, 'Idle Heartbeat')
      await sim.advance(14_000)
      expect(pulls(server)).toEqual([10])
      server.consumer = undefined
      await sim.advance(2000)
      expect(server.toldOf('consumer')).toMatchObject([
        ['consumer', { durable_name: 'worker', ack_policy: 'explicit' }],
      ])
      expect(pulls(server)).toEqual([10, 10])
      expect(sim.logs.map(({ message }) => message)).toEqual([
        expect.stringContaining('(pull_failed): nothing is heard of a request for messages since 15000 ms'),
      ])
      server.connection.deliver('a')
      await sim.settle()
      expect(server.answers).toEqual(['1 +ACK'])
      await pipeline.stop()
    })
  })

  it('N23 a pull that the server ends is no crash: everything is set up anew', async () => {
    await inSimulation(async (sim) => {
      const server = new ScriptedNats()
      const pipeline = await consuming({ stream: 's', client: server.client })
      await sim.settle()
      server.consumer = undefined
      server.connection.status(409, 'Consumer Deleted')
      await sim.advance(10)
      expect(sim.logs.map(({ message }) => message)).toEqual([
        expect.stringContaining('the server ended a request for messages: 409 Consumer Deleted'),
      ])
      expect(server.toldOf('consumer')).toHaveLength(1)
      expect(pulls(server)).toEqual([10, 10])
      await pipeline.stop()
    })
  })

  it('N20 what was sent when the source stops is given back, and the connection is closed behind the last words', async () => {
    await inSimulation(async (sim) => {
      const server = new ScriptedNats()
      const pipeline = await consuming({ stream: 's', client: server.client })
      await sim.settle()
      server.onDrain = () => server.connection.deliver('late', { sequence: 7 })
      await pipeline.stop()
      expect(server.toldOf('drain', 'say', 'flush', 'close')).toEqual([
        ['drain'],
        ['say', expect.stringContaining('.7.'), '-NAK'],
        ['flush'],
        ['close'],
      ])
    })
  })
})

describe('a connection', () => {
  it('N21 that is lost comes back: the process stays, and answers that were given meanwhile are sent then', async () => {
    await inSimulation(async (sim) => {
      const connected = listen<NatsConnect>(channels.natsConnect)
      const server = new ScriptedNats()
      const gate = new Gate()
      const pipeline = await consuming({ stream: 's', client: server.client }, async (message) => {
        await gate.opened
        return message
      })
      await sim.settle()
      const [before] = await pipeline.call.producerNames()
      server.connection.deliver('a', { sequence: 1 })
      server.connection.drop()
      gate.open()
      await sim.settle()
      expect(server.answers).toEqual([])
      server.connection.back()
      await sim.settle()
      expect(server.answers).toEqual(['1 +ACK'])
      // What was asked for on the lost connection, and did not come, is asked for again.
      expect(pulls(server)).toEqual([10, 9])
      expect(await pipeline.call.producerNames()).toEqual([before])
      expect(connected.all).toHaveLength(2)
      expect(sim.logs.map(({ message }) => message)).toEqual([expect.stringContaining('lost its connection to')])
      await pipeline.stop()
    })
  })

  it('N21 that the client gives up is made anew', async () => {
    await inSimulation(async (sim) => {
      const server = new ScriptedNats()
      const pipeline = await consuming({ stream: 's', client: server.client })
      await sim.settle()
      server.connection.end(new Error('the cluster is gone'))
      await sim.advance(10)
      expect(server.connections).toHaveLength(2)
      server.connection.deliver('a')
      await sim.settle()
      expect(server.answers).toEqual(['1 +ACK'])
      await pipeline.stop()
    })
  })

  it('N22 that cannot be made is tried again after waits that grow, and telemetry says why', async () => {
    await inSimulation(async (sim) => {
      const failures = listen<NatsConnectionFailure>(channels.natsConnectionFailure)
      const server = new ScriptedNats()
      server.refusals.push(connectionRefused(), connectionRefused(), connectionRefused())
      const pipeline = await consuming({ stream: 's', client: server.client })
      await sim.settle()
      expect(server.targets).toHaveLength(1)
      await sim.advance(10)
      await sim.advance(20)
      await sim.advance(40)
      expect(server.connections).toHaveLength(1)
      expect(failures.all.map(({ reason, retryIn }) => [reason, retryIn])).toEqual([
        ['econnrefused', 10],
        ['econnrefused', 20],
        ['econnrefused', 40],
      ])
      await pipeline.stop()
    })
  })

  it('N22 is not tried again with the backoff stop', async () => {
    await inSimulation(async (sim) => {
      const server = new ScriptedNats()
      server.refusals.push(connectionRefused())
      const pipeline = await consuming({ stream: 's', client: server.client, backoffType: 'stop' })
      await sim.settle()
      await sim.advance(100_000)
      expect(server.targets).toHaveLength(1)
      expect(sim.logs.map(({ message }) => message)).toEqual([expect.stringContaining('it does not try again')])
      await pipeline.stop()
    })
  })
})
