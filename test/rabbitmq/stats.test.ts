import type { Later, Ref } from 'sluice'
import { Broadway } from 'sluice/broadway'
import { RabbitMQSource, type RabbitMQSourceStats } from 'sluice/rabbitmq'
import { describe, expect, it } from 'vitest'
import { Arrivals } from '../support/arrivals.ts'
import { inSimulation } from '../support/broadway.ts'
import { pipelineOver } from '../support/rabbitmq-pipeline.ts'
import { Broker, RABBITMQ, rabbitmqIsThere } from '../support/rabbitmq-server.ts'
import { refused, ScriptedServer } from '../support/scripted-rabbitmq.ts'

const NONE = { connected: false, waiting: undefined, unanswered: 0 }

interface Source {
  stats(): Later<RabbitMQSourceStats>
}

/** What the source of a pipeline says. */
async function statsOf(pipeline: Ref<Broadway<never, Source>>): Promise<RabbitMQSourceStats | undefined> {
  const [source] = await pipeline.call.producerNames()
  return await source?.call.stats()
}

describe('what a source says of itself', () => {
  it('it has no numbers while it is not connected, and while it is not answered', async () => {
    await inSimulation(async (sim) => {
      const server = new ScriptedServer()
      server.refusals.push(refused())
      const pipeline = await pipelineOver(server)
      await sim.settle()
      expect(await statsOf(pipeline)).toEqual(NONE)
      await sim.advance(10)
      server.failures.set('check', new Error('the channel is closing'))
      expect(await statsOf(pipeline)).toEqual(NONE)
      server.failures.clear()
      expect(await statsOf(pipeline)).toEqual({ connected: true, waiting: 0, unanswered: 0 })
      await pipeline.stop()
    })
  })

  it('it counts messages until they are answered for, and forgets those of a channel that is gone', async () => {
    await inSimulation(async (sim) => {
      const server = new ScriptedServer()
      const held: (() => void)[] = []
      const pipeline = await pipelineOver(server, {}, async (message) => {
        await new Promise<void>((resolve) => held.push(resolve))
        return message
      })
      await sim.settle()
      server.channel.deliver([1, 2, 3])
      await sim.settle()
      expect(await statsOf(pipeline)).toEqual({ connected: true, waiting: 0, unanswered: 3 })
      server.drop()
      await sim.advance(10, { foreign: true })
      expect(await statsOf(pipeline)).toEqual({ connected: true, waiting: 0, unanswered: 0 })
      while (held.length > 0) {
        held.shift()?.()
        await sim.settle()
      }
      await pipeline.stop()
    })
  })
})

describe.skipIf(!rabbitmqIsThere)('what a source of a real server says of itself', () => {
  it('no message is in neither number', async () => {
    await using broker = await Broker.connect()
    const queue = await broker.queue(8)
    const arrived = new Arrivals<string>()
    let open = () => {}
    const opened = new Promise<void>((resolve) => {
      open = resolve
    })
    const pipeline = await Broadway.start({
      name: 'real',
      producer: {
        module: RabbitMQSource,
        arg: { queue, connection: RABBITMQ, onFailure: 'reject', qos: { prefetchCount: 5 } },
      },
      processors: {
        default: {
          concurrency: 5,
          maxDemand: 1,
          handleMessage: async (message) => {
            arrived.add(String(message.data))
            await opened
            return message
          },
        },
      },
    })
    await arrived.reach(5)
    expect(await statsOf(pipeline)).toEqual({ connected: true, waiting: 3, unanswered: 5 })
    open()
    await arrived.reach(8)
    // Three are handled, and maybe not answered for.
    for (let stats = await statsOf(pipeline); stats?.unanswered !== 0; stats = await statsOf(pipeline)) {
      expect(stats).toMatchObject({ connected: true, waiting: 0 })
    }
    expect(await statsOf(pipeline)).toEqual({ connected: true, waiting: 0, unanswered: 0 })
    await pipeline.stop()
  })
})
