import { type Acknowledger, Broadway, Message } from 'sluice'
import { effectBatches, effectMessages, effectMessagesInOrder } from '../peers/effect-pipeline.ts'
import { type Row, rate } from '../row.ts'
import { Numbers } from './pipeline.ts'

const AMOUNT = 1_000_000

/** Counts what was acknowledged. The source never ends, so what comes after is neither counted nor timed. */
class Counting implements Acknowledger {
  readonly done: Promise<void>
  #left: number
  #resolve!: () => void

  constructor(amount: number) {
    this.#left = amount
    this.done = new Promise((resolve) => {
      this.#resolve = resolve
    })
  }

  ack(_ref: unknown, successful: readonly Message[]): void {
    const before = this.#left
    this.#left -= successful.length
    if (before > 0 && this.#left <= 0) this.#resolve()
  }
}

/** Messages a second through four processors, and maybe a batcher of 100; each is acknowledged. */
async function pipelineRate(amount: number, batches: boolean): Promise<number> {
  const acknowledger = new Counting(amount)
  const transformer = (data: number) => new Message(data, { acknowledger })
  const producer = { module: Numbers, transformer }
  const processors = { default: { concurrency: 4, handleMessage: increment } }
  const result = await rate(amount, async () => {
    const pipeline = batches
      ? await Broadway.start({
          name: 'bench',
          producer,
          processors,
          batchers: { default: { batchSize: 100, handleBatch } },
        })
      : await Broadway.start({ name: 'bench', producer, processors })
    await acknowledger.done
    await pipeline.stop()
    return amount
  })
  return result
}

const increment = (message: Message<number, 'default'>): Message<number, 'default'> =>
  message.updateData((value) => value + 1)
const handleBatch = (messages: readonly Message<number>[]): readonly Message<number>[] => messages

export const broadway: Row = {
  id: 'broadway',
  work: 'a pipeline of four processors, demand 10/5, 1 M messages, each acknowledged',
  unit: 'messages a second',
  ours: { name: 'sluice', measure: () => pipelineRate(AMOUNT, false) },
  peers: [
    {
      name: 'Effect, mapEffect 4',
      goal: 8,
      measure: () => rate(AMOUNT, () => effectMessages(AMOUNT)),
    },
    {
      name: 'Effect, mapEffect 1',
      goal: null,
      measure: () => rate(AMOUNT, () => effectMessagesInOrder(AMOUNT)),
    },
  ],
}

export const broadwayBatches: Row = {
  id: 'broadway-batches',
  work: 'the same, with a batcher of 100',
  unit: 'messages a second',
  ours: { name: 'sluice', measure: () => pipelineRate(AMOUNT, true) },
  peers: [
    {
      name: 'Effect, mapEffect 4 and groupedWithin 100',
      goal: 5,
      measure: () => rate(AMOUNT, () => effectBatches(AMOUNT)),
    },
  ],
}
