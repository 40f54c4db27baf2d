import { describe, expect, it } from 'vitest'
import { inSimulation } from '../support/broadway.ts'
import { pipelineOver } from '../support/rabbitmq-pipeline.ts'
import { ScriptedServer } from '../support/scripted-rabbitmq.ts'

describe('the last answers of a source', () => {
  it('B158 are told before the channel is closed, and that is before the connection, whose end would overtake them', async () => {
    await inSimulation(async (sim) => {
      const server = new ScriptedServer()
      let open = () => {}
      const opened = new Promise<void>((resolve) => {
        open = resolve
      })
      const pipeline = await pipelineOver(server, {}, async (message) => {
        await opened
        return message
      })
      await sim.settle()
      server.channel.deliver([1, 2, 3])
      await sim.settle()
      const stopped = pipeline.stop()
      open()
      await stopped
      expect(server.told.slice(-4)).toEqual([['cancel', 'c1'], ['ack', 3, 'all up to'], ['close channel'], ['close']])
    })
  })

  it('B158 a channel that is closed already is no reason to keep the connection', async () => {
    await inSimulation(async (sim) => {
      const server = new ScriptedServer()
      const pipeline = await pipelineOver(server)
      await sim.settle()
      server.failures.set('close channel', new Error('Channel closed'))
      await pipeline.stop()
      expect(server.told.slice(-2)).toEqual([['close channel'], ['close']])
    })
  })
})
