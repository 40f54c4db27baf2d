import fc from 'fast-check'
import { type Acknowledger, Broadway, Message } from 'sluice/broadway'
import { expect, it } from 'vitest'
import { inSimulation, Silent } from '../support/broadway.ts'

type Ending = 'ok' | 'fails' | 'throws'
/** What `handleBatch` returns in the place of a message, unless it throws. */
type LastEnding = Ending | 'missing' | 'twice' | 'another'

/** What becomes of one message: in its processor, and in its batch. */
interface Fate {
  readonly id: number
  readonly first: Ending
  readonly last: LastEnding
  readonly later: boolean
  readonly batcher: 'a' | 'b'
  readonly key: number
  readonly flush: boolean
}

const ending = fc.constantFrom<Ending[]>('ok', 'ok', 'ok', 'fails', 'throws')
const lastEnding = fc.constantFrom<LastEnding[]>('ok', 'ok', 'ok', 'fails', 'throws', 'missing', 'twice', 'another')
const fates = fc
  .array(
    fc.record({
      first: ending,
      last: lastEnding,
      later: fc.boolean(),
      batcher: fc.constantFrom('a' as const, 'b' as const),
      key: fc.nat(2),
      flush: fc.boolean(),
    }),
    { minLength: 1, maxLength: 60 },
  )
  .map((list): readonly Fate[] => list.map((fate, id) => ({ ...fate, id })))
const small = fc.integer({ min: 1, max: 4 })
const shape = fc.record({
  producers: fc.integer({ min: 1, max: 2 }),
  processors: small,
  maxDemand: fc.integer({ min: 1, max: 10 }),
  batchProcessors: small,
  batchSize: small,
  batches: fc.boolean(),
  handleFailed: fc.constantFrom('none', 'returns', 'drops', 'throws'),
  prepares: fc.boolean(),
  acks: fc.constantFrom('now', 'later', 'never'),
  seed: fc.nat(1000),
})

function isFine(last: LastEnding): boolean {
  return last === 'ok' || last === 'twice'
}

async function end<T>(how: Ending, later: boolean, fail: () => T, go: () => T): Promise<T> {
  if (later) await Promise.resolve()
  if (how === 'throws') throw new Error('on purpose')
  return how === 'fails' ? fail() : go()
}

it('acknowledges every message once, as what it has become, whatever fails on the way', async () => {
  await fc.assert(
    fc.asyncProperty(shape, fates, fc.nat(60), async (options, list, half) => {
      const ended = new Map<number, string[]>()
      const note = (messages: readonly Message[], how: string): void => {
        for (const { data } of messages) {
          const id = (data as Fate).id
          ended.set(id, [...(ended.get(id) ?? []), how])
        }
      }
      // Each third message has another acknowledger reference.
      const acknowledger: Acknowledger = {
        ack(_ref, successful, failed) {
          note(successful, 'ok')
          note(failed, 'failed')
          if (options.acks === 'never') throw new Error('no connection')
          return options.acks === 'later' ? Promise.resolve() : undefined
        },
      }
      await inSimulation(async (sim) => {
        const handleBatch = async (messages: readonly Message<Fate>[]): Promise<readonly Message[]> => {
          if (messages.some(({ data }) => data.last === 'throws')) throw new Error('on purpose')
          return messages.flatMap((message) => {
            const { last } = message.data
            if (last === 'missing') return []
            if (last === 'twice') return [message, message]
            if (last === 'another') return [new Message(message.data, { acknowledger })]
            return [last === 'fails' ? message.failed('on purpose') : message]
          })
        }
        const batcher = { batchSize: options.batchSize, concurrency: options.batchProcessors, handleBatch }
        const pipeline = await Broadway.start({
          name: 'random',
          producer: { module: Silent<Fate>, concurrency: options.producers },
          processors: {
            default: {
              concurrency: options.processors,
              maxDemand: options.maxDemand,
              prepareMessages: options.prepares ? async (messages) => messages : undefined,
              handleMessage(message) {
                const { first, later, batcher, key, flush } = message.data
                const go = () =>
                  message
                    .putBatcher(batcher)
                    .putBatchKey(key)
                    .putBatchMode(flush ? 'flush' : 'bulk')
                if (later) return end(first, true, () => message.failed('on purpose'), go)
                if (first === 'throws') throw new Error('on purpose')
                return first === 'fails' ? message.failed('on purpose') : go()
              },
            },
          },
          batchers: options.batches ? { a: batcher, b: batcher } : undefined,
          handleFailed:
            options.handleFailed === 'none'
              ? undefined
              : async (messages) => {
                  if (options.handleFailed === 'throws') throw new Error('on purpose')
                  return options.handleFailed === 'drops' ? messages.slice(1) : messages
                },
        })
        const messages = list.map((fate) => new Message(fate, { acknowledger, ackRef: fate.id % 3 }))
        await pipeline.call.pushMessages(messages.slice(0, half))
        await sim.settle()
        await pipeline.call.pushMessages(messages.slice(half))
        await pipeline.stop()
      }, options.seed)
      for (const { id, first, last } of list) {
        const how = ended.get(id)
        expect(how).toHaveLength(1)
        if (first !== 'ok') expect(how).toEqual(['failed'])
        else if (!options.batches) expect(how).toEqual(['ok'])
        else if (!isFine(last)) expect(how).toEqual(['failed'])
      }
      // Only who shares a batch with one that throws fails without reason.
      if (!list.some(({ last }) => last === 'throws')) {
        for (const { id, first, last } of list) {
          const ok = first === 'ok' && (!options.batches || isFine(last))
          expect(ended.get(id)).toEqual([ok ? 'ok' : 'failed'])
        }
      }
    }),
    { numRuns: 40 },
  )
})
