import { describe, expect, it } from 'vitest'
import { Gate, inSimulation } from '../support/broadway.ts'
import { pipelineOver, ScriptedSqs } from '../support/scripted-sqs.ts'

describe('what a source says of itself', () => {
  it('it has contact when its last request was answered, and counts messages until they are answered for', async () => {
    await inSimulation(async (sim) => {
      const queue = new ScriptedSqs()
      const gate = new Gate()
      queue.receiveFailures.push(new Error('no such host'))
      queue.fill(3)
      const pipeline = await pipelineOver(queue, { backoffType: 'exp', backoffMin: 10 }, async (message) => {
        await gate.opened
        return message
      })
      const stats = async () => (await pipeline.call.producerNames())[0]?.call.stats()
      await sim.settle()
      expect(await stats()).toEqual({ connected: false, unanswered: 0 })
      await sim.advance(10, { foreign: true })
      expect(await stats()).toEqual({ connected: true, unanswered: 3 })
      queue.receiveFailures.push(new Error('no such host'))
      gate.open()
      await sim.advance(100, { foreign: true })
      expect(await stats()).toEqual({ connected: false, unanswered: 0 })
      await pipeline.stop()
    })
  })

  it('it counts nothing without a heartbeat', async () => {
    await inSimulation(async (sim) => {
      const pipeline = await pipelineOver(new ScriptedSqs(), { heartbeat: false })
      await sim.settle()
      const [source] = await pipeline.call.producerNames()
      expect(await source?.call.stats()).toEqual({ connected: true, unanswered: undefined })
      await pipeline.stop()
    })
  })
})
