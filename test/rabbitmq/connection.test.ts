import { cpSync } from 'node:fs'
import { RabbitMQError } from 'sluice/rabbitmq'
import { channels } from 'sluice/telemetry'
import { describe, expect, it } from 'vitest'
import { inSimulation, partOf } from '../support/broadway.ts'
import { runProgram } from '../support/program.ts'
import { type Delivered, pipelineOver, text } from '../support/rabbitmq-pipeline.ts'
import { refused, ScriptedServer } from '../support/scripted-rabbitmq.ts'
import { tempFolder } from '../support/temp-folder.ts'

describe('the connection of a source', () => {
  it('B154 declares and binds what it is told, in order, and consumes', async () => {
    await inSimulation(async (sim) => {
      const server = new ScriptedServer()
      const pipeline = await pipelineOver(server, {
        queue: '',
        declare: { autoDelete: true, arguments: { 'x-max-length': 5 } },
        bindings: [{ exchange: 'events', routingKey: 'a.#' }, { exchange: 'other' }],
        consume: { exclusive: true },
        afterConnect: (channel) => channel.assertExchange('events', 'topic'),
      })
      await sim.settle()
      expect(server.told).toEqual([
        ['exchange', 'events', 'topic'],
        ['prefetch', 50],
        ['declare', '', { durable: true, autoDelete: true, exclusive: false, arguments: { 'x-max-length': 5 } }],
        ['bind', 'amq.gen-1', 'events', 'a.#', {}],
        ['bind', 'amq.gen-1', 'other', '', {}],
        ['consume', 'amq.gen-1', { exclusive: true }],
      ])
      await pipeline.stop()
    })
  })

  it('B154 when it is lost the same process makes another; old messages cannot be answered for, and that is logged', async () => {
    await inSimulation(async (sim) => {
      const server = new ScriptedServer()
      let open = () => {}
      const gate = new Promise<void>((resolve) => {
        open = resolve
      })
      const handled: string[] = []
      const pipeline = await pipelineOver(server, {}, async (message: Delivered) => {
        if (text(message) === 'slow') await gate
        handled.push(text(message))
        return message
      })
      await sim.advance(10)
      const producer = partOf(sim, 'Producer_0')
      const first = server.channel
      server.channel.deliver(['slow'])
      await sim.settle()
      server.drop()
      await sim.settle()
      expect(server.channel).not.toBe(first)
      open()
      await sim.settle()
      server.channel.deliver(['slow', 'next'], true)
      await sim.settle()
      expect(partOf(sim, 'Producer_0')).toBe(producer)
      expect(handled).toEqual(['slow', 'slow', 'next'])
      expect(server.toldOf('ack')).toEqual([['ack', 2, 'all up to']])
      const lines = sim.logs.map(({ level, message }) => `${level} ${message}`)
      expect(lines).toEqual([
        expect.stringMatching(/^warn .* lost its channel of amqp:.*Socket closed abruptly; it connects again$/),
        expect.stringMatching(
          /^error .*1 messages of .* cannot be answered for: the channel on which they came is gone/,
        ),
      ])
      await pipeline.stop()
    })
  })

  it.each([
    ['the channel is closed', (server: ScriptedServer) => server.channel.end(new Error('406 PRECONDITION_FAILED'))],
    ['the server cancels the consumer', (server: ScriptedServer) => server.channel.cancelConsumer()],
  ])('B155 when %s the connection is closed and made anew, with options that are read again', async (_, happens) => {
    await inSimulation(async (sim) => {
      const server = new ScriptedServer()
      let reads = 0
      const mergeOptions = () => ({ name: `read ${++reads}` })
      const pipeline = await pipelineOver(server, { mergeOptions })
      await sim.advance(10)
      happens(server)
      await sim.settle()
      expect(server.toldOf('close')).toHaveLength(1)
      expect(server.connections).toHaveLength(2)
      expect(server.targets.map(({ name }) => name)).toEqual(['read 1', 'read 2'])
      server.channel.deliver([1])
      await sim.settle()
      expect(server.toldOf('ack')).toEqual([['ack', 1]])
      expect(sim.logs).toHaveLength(1)
      await pipeline.stop()
    })
  })

  it('B156 waits longer after each failure, and begins anew when it was connected', async () => {
    await inSimulation(async (sim) => {
      const server = new ScriptedServer()
      const failures: unknown[] = []
      const listen = ({ reason, retryIn }: { reason: string; retryIn: number | undefined }) =>
        failures.push([sim.now, reason, retryIn])
      channels.rabbitmqConnectionFailure.subscribe(listen)
      server.refusals.push(refused(), refused(), refused())
      const pipeline = await pipelineOver(server)
      await sim.advance(69)
      expect(server.connections).toHaveLength(0)
      await sim.advance(1)
      expect(server.connections).toHaveLength(1)
      await sim.advance(10)
      server.refusals.push(refused())
      server.drop()
      await sim.advance(10)
      expect(server.connections).toHaveLength(2)
      channels.rabbitmqConnectionFailure.unsubscribe(listen)
      expect(failures).toEqual([
        [0, 'econnrefused', 10],
        [10, 'econnrefused', 20],
        [30, 'econnrefused', 40],
        [80, 'econnrefused', 10],
      ])
      expect(sim.logs.filter(({ level }) => level === 'error')).toHaveLength(4)
      await pipeline.stop()
    })
  })

  it('B156 waits also for a server that takes it and throws it out at once', async () => {
    await inSimulation(async (sim) => {
      const server = new ScriptedServer()
      const pipeline = await pipelineOver(server)
      await sim.settle()
      server.drop()
      await sim.settle()
      expect(server.connections).toHaveLength(1)
      await sim.advance(10)
      expect(server.connections).toHaveLength(2)
      server.drop()
      await sim.advance(19)
      expect(server.connections).toHaveLength(2)
      await sim.advance(1)
      expect(server.connections).toHaveLength(3)
      await pipeline.stop()
    })
  })

  it('B156 stop does not try again, and the pipeline stays', async () => {
    await inSimulation(async (sim) => {
      const server = new ScriptedServer()
      server.refusals.push(refused())
      const pipeline = await pipelineOver(server, { backoffType: 'stop' })
      await sim.advance(1e6)
      expect(server.targets).toHaveLength(1)
      expect(sim.logs).toMatchObject([{ message: expect.stringContaining('it does not try again') }])
      await pipeline.stop()
    })
  })

  it.each([
    [Object.assign(new Error('getaddrinfo ENOTFOUND x'), { code: 'ENOTFOUND' }), 'unknown_host'],
    [new Error('Handshake terminated by server: 403 (ACCESS-REFUSED) with message "..."'), 'auth_failure'],
    [new Error('Connection closed: 530 (NOT-ALLOWED) with message "vhost x not found"'), 'not_allowed'],
    [new Error('Socket closed abruptly during opening handshake'), 'socket_closed'],
    [Object.assign(new Error('Operation failed: QueueDeclare; 404'), { code: 404 }), 'not_found'],
    [new Error('strange'), 'other'],
  ])('B156 tells what went wrong, and tries again: %s', async (error, reason) => {
    await inSimulation(async (sim) => {
      const server = new ScriptedServer()
      server.refusals.push(error)
      const pipeline = await pipelineOver(server)
      await sim.settle()
      expect(sim.logs).toMatchObject([{ level: 'error', message: expect.stringContaining(`(${reason})`) }])
      await sim.advance(10)
      expect(server.connections).toHaveLength(1)
      await pipeline.stop()
    })
  })

  it.each(['afterConnect', 'prefetch', 'declare', 'bind', 'consume'])(
    'B156 closes what it opened when %s fails, and tries again',
    async (step) => {
      await inSimulation(async (sim) => {
        const server = new ScriptedServer()
        server.failures.set(step, new Error(`no ${step}`))
        const afterConnect = () => {
          const failure = server.failures.get('afterConnect')
          if (failure !== undefined) throw failure
        }
        const bindings = [{ exchange: 'e' }]
        const pipeline = await pipelineOver(server, { afterConnect, declare: {}, bindings })
        await sim.settle()
        expect(server.toldOf('close')).toHaveLength(1)
        expect(sim.logs).toMatchObject([{ message: expect.stringContaining(`no ${step}; it tries again in 10 ms`) }])
        server.failures.clear()
        await sim.advance(10)
        server.channel.deliver([1])
        await sim.settle()
        expect(server.toldOf('ack')).toHaveLength(1)
        await pipeline.stop()
      })
    },
  )

  it('B156 gives up a server that does not answer, and tries again', async () => {
    await inSimulation(async (sim) => {
      const server = new ScriptedServer()
      server.refusals.push('silence')
      const pipeline = await pipelineOver(server, { connection: { connectionTimeout: 500 } })
      await sim.advance(509)
      expect(server.targets).toHaveLength(1)
      expect(sim.logs).toMatchObject([
        { message: expect.stringContaining('(timeout): the server did not answer within 500 ms') },
      ])
      await sim.advance(1)
      expect(server.connections).toHaveLength(1)
      await pipeline.stop()
    })
  })

  it('B156 no password is in the log, whatever the error holds', async () => {
    await inSimulation(async (sim) => {
      const server = new ScriptedServer()
      server.refusals.push(new Error('cannot open amqp://joe:s3cret@rabbit: s3cret is wrong'))
      const pipeline = await pipelineOver(server, { connection: 'amqp://joe:s3cret@rabbit' })
      await sim.settle()
      expect(sim.logs[0]?.message).toContain('amqp://joe:***@rabbit: *** is wrong')
      expect(sim.logs[0]?.message).toContain('cannot connect to amqp://joe@rabbit:5672/%2F')
      expect(JSON.stringify(sim.logs)).not.toContain('s3cret')
      expect(String(sim.logs.map(({ fields }) => Reflect.get(fields, 'err')))).not.toContain('s3cret')
      await pipeline.stop()
    })
  })

  it('B156 a package that is missing ends the source', async () => {
    await inSimulation(async (sim) => {
      const server = new ScriptedServer()
      server.refusals.push(new RabbitMQError('missing_package', 'npm install amqplib'))
      const pipeline = await pipelineOver(server)
      await sim.settle()
      expect(sim.logs.map(({ message }) => message)).toEqual([expect.stringContaining('crashed: RabbitMQError')])
      await pipeline.stop()
    })
  })

  it('B156 says what to install where the client is missing', { timeout: 60_000 }, async () => {
    const folder = tempFolder()('src')
    cpSync('src', folder, { recursive: true })
    cpSync('package.json', `${folder}/../package.json`)
    const { stdout } = await runProgram('without-amqplib', folder)
    expect(stdout).toBe(
      'missing_package: sluice/rabbitmq talks to the server with the package amqplib, which cannot be loaded: npm install amqplib\n',
    )
  })

  it('B158 draining cancels the consumer, handles what came, answers, and closes the connection', async () => {
    await inSimulation(async (sim) => {
      const server = new ScriptedServer()
      const pipeline = await pipelineOver(server, {}, async (message) => message)
      await sim.settle()
      server.channel.deliver([1, 2, 3])
      await pipeline.stop()
      const kinds = server.told.map(([kind]) => kind)
      expect(kinds.indexOf('cancel')).toBeGreaterThan(0)
      expect(kinds.indexOf('close')).toBeGreaterThan(kinds.lastIndexOf('ack'))
      expect(server.toldOf('ack').at(-1)?.[1]).toBe(3)
      expect(server.toldOf('cancel')).toEqual([['cancel', 'c1']])
      expect(sim.logs).toEqual([])
    })
  })

  it('B158 a consumer that cannot be cancelled is logged, and nothing else changes', async () => {
    await inSimulation(async (sim) => {
      const server = new ScriptedServer()
      const pipeline = await pipelineOver(server)
      await sim.settle()
      server.failures.set('cancel', new Error('no such consumer'))
      server.channel.deliver([1])
      await pipeline.stop()
      expect(server.toldOf('ack')).toEqual([['ack', 1]])
      expect(sim.logs).toMatchObject([
        { level: 'error', message: expect.stringContaining('could not cancel its consumer') },
      ])
    })
  })

  it('B158 without a connection there is nothing to cancel, and no more attempt', async () => {
    await inSimulation(async (sim) => {
      const server = new ScriptedServer()
      server.refusals.push(refused())
      const pipeline = await pipelineOver(server)
      await sim.settle()
      await pipeline.stop()
      await sim.advance(100_000)
      expect(server.targets).toHaveLength(1)
      expect(server.told).toEqual([])
    })
  })

  it('B158 each source of a pipeline has a connection of its own', async () => {
    await inSimulation(async (sim) => {
      const server = new ScriptedServer()
      const pipeline = await pipelineOver(server, {}, undefined, 3)
      await sim.settle()
      expect(server.connections).toHaveLength(3)
      await pipeline.stop()
      expect(server.toldOf('cancel')).toHaveLength(3)
      expect(server.toldOf('close')).toHaveLength(3)
    })
  })
})
