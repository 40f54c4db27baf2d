import { describe, expect, it } from 'vitest'
import { Gate, inSimulation } from '../support/broadway.ts'
import { pipelineOver, ScriptedPubSub, status } from '../support/scripted-pubsub.ts'

describe('what a source says of itself', () => {
  it('one that pulls has contact when its last request was answered, and counts what is not answered for', async () => {
    await inSimulation(async (sim) => {
      const client = new ScriptedPubSub()
      const gate = new Gate()
      client.pullFailures.push(status(403))
      client.fill(3)
      const pipeline = await pipelineOver(client, { backoffType: 'exp' }, async (message) => {
        await gate.opened
        return message
      })
      const stats = async () => (await pipeline.call.producerNames())[0]?.call.stats()
      await sim.settle()
      expect(await stats()).toEqual({ connected: false, unanswered: 0 })
      await sim.advance(1000, { foreign: true })
      expect(await stats()).toEqual({ connected: true, unanswered: 3 })
      gate.open()
      await sim.settle()
      expect(await stats()).toEqual({ connected: true, unanswered: 0 })
      await pipeline.stop()
    })
  })

  it('one that streams has contact as long as there is a stream', async () => {
    await inSimulation(async (sim) => {
      const client = new ScriptedPubSub()
      const pipeline = await pipelineOver(client, { mode: 'streaming', backoffType: 'exp' })
      const connected = async () => (await (await pipeline.call.producerNames())[0]?.call.stats())?.connected
      await sim.settle()
      expect(await connected()).toBe(true)
      client.streams[0]?.fail(new Error('14 UNAVAILABLE'))
      expect(await connected()).toBe(false)
      await sim.advance(1000)
      expect(await connected()).toBe(true)
      await pipeline.stop()
    })
  })
})
