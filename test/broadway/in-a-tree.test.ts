import { child, GenServer, name, run } from 'sluice'
import { Broadway, type Message } from 'sluice/broadway'
import { Queue, QueueSource } from 'sluice/queue'
import { describe, expect, it } from 'vitest'
import { inSimulation } from '../support/broadway.ts'
import { range } from '../support/stages.ts'

class First extends Queue<number> {}
class Second extends Queue<number> {}

describe('pipelines of one application', () => {
  it('finish in reverse order of their start: what the one hands on, the other still handles', () =>
    inSimulation(async (sim) => {
      const handled: number[] = []
      const journal: string[] = []
      class Between extends GenServer {
        override terminate() {
          journal.push(`after ${handled.length}`)
        }
      }
      const app = await run([
        child(First, { name: First }),
        child(Second, { name: Second }),
        Broadway.child({
          name: 'second',
          producer: { module: QueueSource<number>, arg: { queue: Second } },
          processors: {
            default: {
              async handleMessage(message, _context, stage) {
                await stage.sleep(10)
                handled.push(message.data)
                return message
              },
            },
          },
        }),
        child(Between),
        Broadway.child({
          name: 'first',
          producer: { module: QueueSource<number>, arg: { queue: First } },
          processors: { default: { handleMessage: (message) => message } },
          batchers: { default: { batchSize: 100, batchTimeout: 60_000, handleBatch: handOn } },
        }),
      ])
      await sim.settle()
      await name(First).call.enqueueMany(range(1, 8).map((data) => ({ data })))
      await sim.settle()
      // All wait for a batch that is not complete, so nothing has been handed on.
      expect(handled).toEqual([])
      sim.program.signal('SIGTERM')
      await sim.advance(1000)
      expect(await app.done).toMatchObject({ by: 'signal', dropped: [] })
      expect(handled.toSorted((a, b) => a - b)).toEqual(range(1, 8))
      expect(journal).toEqual(['after 0'])
    }))
})

async function handOn(messages: readonly Message<number>[]) {
  await name(Second).call.enqueueMany(messages.map(({ data }) => ({ data })))
  return messages
}
