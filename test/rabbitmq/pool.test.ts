import { type ChannelModel, connect } from 'amqplib'
import { configure } from 'sluice'
import { Broadway } from 'sluice/broadway'
import { type AmqpChannel, type ChannelPool, RabbitMQSource } from 'sluice/rabbitmq'
import { describe, expect, it } from 'vitest'
import { Arrivals } from '../support/arrivals.ts'
import { inSimulation, partOf } from '../support/broadway.ts'
import { Cable } from '../support/cable.ts'
import { LogBook } from '../support/log-book.ts'
import { Ledger } from '../support/rabbitmq-ledger.ts'
import { pipelineOver } from '../support/rabbitmq-pipeline.ts'
import { Broker, RABBITMQ, rabbitmqIsThere } from '../support/rabbitmq-server.ts'
import { ScriptedServer } from '../support/scripted-rabbitmq.ts'

/** Channels of one connection that scripts say what happens to. */
async function scriptedPool(server: ScriptedServer, ways: Partial<ChannelPool> = {}) {
  const connection = await server.client().connect({} as never)
  const given: AmqpChannel[] = []
  const pool: ChannelPool = {
    checkout: () => connection.createChannel(),
    checkin: (channel) => void given.push(channel),
    ...ways,
  }
  return { pool, given }
}

describe('a pool of channels', () => {
  it('B158 has an idle channel again as it was, without our listeners', async () => {
    await inSimulation(async (sim) => {
      const server = new ScriptedServer()
      const { pool, given } = await scriptedPool(server)
      const pipeline = await pipelineOver(server, { connection: { pool } })
      await sim.settle()
      server.channel.deliver([1])
      await sim.settle()
      await pipeline.stop()
      expect(server.toldOf('ack')).toHaveLength(1)
      expect(given).toEqual([server.channel])
      expect(server.channel.closed).toBe(false)
      expect([server.channel.listenerCount('error'), server.channel.listenerCount('close')]).toEqual([0, 0])
      expect(server.toldOf('close')).toEqual([])
    })
  })

  it('B158 has a channel again closed when its source was killed, so that the server takes its messages back', async () => {
    await inSimulation(async (sim) => {
      const server = new ScriptedServer()
      const { pool, given } = await scriptedPool(server)
      const never = new Promise<never>(() => {})
      const pipeline = await pipelineOver(server, { connection: { pool } }, () => never)
      await sim.settle()
      server.channel.deliver([1])
      await sim.settle()
      partOf(sim, 'Producer_0').kill()
      await sim.settle()
      expect(given).toEqual([server.channel])
      expect(server.toldOf('close channel')).toHaveLength(1)
      pipeline.kill()
      await sim.settle()
    })
  })

  it('B156 that has no channel is asked again', async () => {
    await inSimulation(async (sim) => {
      const server = new ScriptedServer()
      let asked = 0
      const { pool } = await scriptedPool(server, {
        checkout: () => {
          if (++asked === 1) throw new Error('all channels are out')
          return server.connection.createChannel()
        },
      })
      const pipeline = await pipelineOver(server, { connection: { pool } })
      await sim.settle()
      expect(sim.logs).toMatchObject([
        {
          level: 'error',
          message: expect.stringContaining('a pool of channels (other): all channels are out; it tries'),
        },
      ])
      await sim.advance(10)
      server.channel.deliver([1])
      await sim.settle()
      expect(server.toldOf('ack')).toHaveLength(1)
      await pipeline.stop()
    })
  })

  it('B146 that gives something else than a channel ends the source', async () => {
    await inSimulation(async (sim) => {
      const server = new ScriptedServer()
      let asked = 0
      const { pool } = await scriptedPool(server, {
        checkout: () => (++asked === 1 ? ({} as AmqpChannel) : server.connection.createChannel()),
      })
      const pipeline = await pipelineOver(server, { connection: { pool } })
      await sim.settle()
      expect(sim.logs.map(({ message }) => message)).toContainEqual(
        expect.stringContaining('checkout of the pool gave no channel of amqplib'),
      )
      await pipeline.stop()
    })
  })

  it('B158 that does not take its channel back is told in the log, and the channel is closed', async () => {
    await inSimulation(async (sim) => {
      const server = new ScriptedServer()
      const { pool } = await scriptedPool(server, {
        checkin: () => {
          throw new Error('not mine')
        },
      })
      const pipeline = await pipelineOver(server, { connection: { pool } })
      await sim.settle()
      await pipeline.stop()
      expect(sim.logs).toMatchObject([{ message: expect.stringContaining('did not take its channel back') }])
      expect(server.toldOf('close channel')).toHaveLength(1)
    })
  })
})

/** Some connections, made when they are needed and again when they are lost; channels are lent of one after the other. */
class Connections implements ChannelPool, AsyncDisposable {
  readonly #uri: string
  readonly #connections: (Promise<ChannelModel> | undefined)[]
  #turn = 0
  /** Channels that are lent. */
  readonly out = new Set<AmqpChannel>()
  /** Channels ever lent, of each connection. */
  readonly lent: number[]
  /** Of those that were given back, how many were open. */
  readonly open = new Arrivals<boolean>()

  constructor(uri: string, size: number) {
    this.#uri = uri
    this.#connections = new Array(size).fill(undefined)
    this.lent = new Array(size).fill(0)
  }

  async checkout(): Promise<AmqpChannel> {
    const place = this.#turn++ % this.#connections.length
    this.#connections[place] ??= this.#connect(place)
    const channel = await (await this.#connections[place])?.createChannel()
    if (channel === undefined) throw new Error('there is no connection')
    this.lent[place] = (this.lent[place] ?? 0) + 1
    this.out.add(channel)
    return channel
  }

  async checkin(channel: AmqpChannel): Promise<void> {
    this.out.delete(channel)
    // This pool does not keep them.
    this.open.add(
      await channel.close().then(
        () => true,
        () => false,
      ),
    )
  }

  async #connect(place: number): Promise<ChannelModel> {
    const forget = (): void => {
      this.#connections[place] = undefined
    }
    try {
      const model = await connect(this.#uri)
      return model.on('error', () => {}).on('close', forget)
    } catch (error) {
      forget()
      throw error
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const connection of this.#connections) await (await connection)?.close()
  }
}

/** Six sources that share the connections of a pool. */
function sharing(pool: ChannelPool, queue: string, ledger: Ledger, opened: Arrivals<unknown>) {
  return Broadway.start({
    name: 'sharing',
    producer: {
      module: RabbitMQSource,
      arg: {
        queue,
        // A pool is shared on purpose: a function is not looked into.
        mergeOptions: () => ({ connection: { pool } }),
        onFailure: 'reject_and_requeue',
        qos: { prefetchCount: 10 },
        afterConnect: (channel) => opened.add(channel),
        backoffMin: 10,
        backoffMax: 100,
      },
      concurrency: 6,
    },
    processors: {
      default: {
        concurrency: 2,
        handleMessage: (message) => {
          ledger.note(Number(message.data))
          return message
        },
      },
    },
  })
}

describe.skipIf(!rabbitmqIsThere)('a pool of channels of a real server', () => {
  it('B160 six sources share two connections; all channels come back open, and the connections stay', async () => {
    const log = new LogBook()
    configure({ logger: log })
    await using broker = await Broker.connect()
    await using pool = new Connections(RABBITMQ, 2)
    const queue = await broker.queue(500)
    const ledger = new Ledger(1000)
    const opened = new Arrivals<unknown>()
    const pipeline = await sharing(pool, queue, ledger, opened)
    await opened.reach(6)
    await broker.fill(queue, 500, 500)
    await ledger.reach(1000)
    await pipeline.stop()
    expect(pool.lent).toEqual([3, 3])
    expect([...pool.out]).toEqual([])
    expect(await pool.open.reach(6)).toEqual([true, true, true, true, true, true])
    expect(ledger.duplicates).toBe(0)
    expect(await broker.take(queue)).toEqual([])
    expect(log.lines).toEqual([])
  })

  it('B160 when its connections are lost the sources borrow again, and nothing is lost', async () => {
    configure({ logger: new LogBook() })
    await using broker = await Broker.connect()
    await using cable = await Cable.lay(RABBITMQ)
    await using pool = new Connections(cable.uri, 2)
    const queue = await broker.queue(500)
    const ledger = new Ledger(1000)
    const opened = new Arrivals<unknown>()
    const pipeline = await sharing(pool, queue, ledger, opened)
    await opened.reach(6)
    await ledger.reach(1)
    cable.cut()
    await opened.reach(12)
    await broker.fill(queue, 500, 500)
    await ledger.reach(1000)
    await pipeline.stop()
    expect([...pool.out]).toEqual([])
    expect(ledger.missing(1000)).toEqual([])
    expect(ledger.duplicates).toBeLessThanOrEqual(6 * 10)
  })
})
