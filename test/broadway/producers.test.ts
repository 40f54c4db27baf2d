import { fresh, Producer } from 'sluice'
import { Broadway, Message } from 'sluice/broadway'
import { channels } from 'sluice/telemetry'
import { describe, expect, it } from 'vitest'
import { inSimulation, partOf } from '../support/broadway.ts'

/** Emits what it is told, in every way in which a producer can; its events are words. */
class Words extends Producer<string> {
  readonly ended: string[]
  #emitted = 0

  constructor({ ended }: { readonly ended: string[] }) {
    super()
    this.ended = ended
  }

  override handleDemand(): readonly string[] | undefined {
    return this.#emitted++ === 0 ? ['demand'] : undefined
  }

  override handleInfo(message: unknown): readonly string[] {
    return [`info ${String(message)}`]
  }

  emitting(...words: readonly string[]): number {
    this.emit(words)
    return words.length
  }

  end(): void {
    this.stop('normal')
  }

  override terminate(reason: unknown): void {
    this.ended.push(String(reason))
  }
}

/** Emits words, and has neither `terminate` nor `handleDrain`. */
class Plain extends Producer<string> {
  override handleDemand(): void {}
  say(...words: readonly string[]): void {
    this.emit(words)
  }
}

/** A pipeline of words, in which `bad` cannot be transformed, and what it has handled. */
async function words() {
  const handled: unknown[] = []
  const ended: string[] = []
  const pipeline = await Broadway.start({
    name: 'words',
    producer: {
      module: Words,
      // So that the list is this one.
      arg: { ended: fresh(() => ended) },
      transformer(word) {
        if (word === 'bad') throw new RangeError('no word')
        return new Message(word.toUpperCase())
      },
    },
    processors: {
      default: {
        concurrency: 1,
        handleMessage(message) {
          handled.push(message.data)
          return message
        },
      },
    },
  })
  const [producer] = await pipeline.call.producerNames()
  if (producer === undefined) throw new Error('there is no producer')
  return { pipeline, producer, handled, ended }
}

/** The reasons of crashes meanwhile. */
async function crashes(run: () => Promise<void>): Promise<readonly unknown[]> {
  const reasons: unknown[] = []
  const listener = ({ reason }: { readonly reason: unknown }): void => void reasons.push(reason)
  channels.processCrash.subscribe(listener)
  try {
    await run()
  } finally {
    channels.processCrash.unsubscribe(listener)
  }
  return reasons
}

describe('the transformer', () => {
  it('B103 makes messages of what is emitted for demand, for an info, in a call, which is answered, and in a cast', async () => {
    await inSimulation(async (sim) => {
      const { pipeline, producer, handled } = await words()
      await sim.settle()
      partOf(sim, 'Producer_0').send('note')
      expect(await producer.call.emitting('call', 'it')).toBe(2)
      producer.cast.emitting('cast')
      await sim.settle()
      expect(handled).toEqual(['DEMAND', 'INFO NOTE', 'CALL', 'IT', 'CAST'])
      await pipeline.stop()
    })
  })

  it('B104 that throws crashes the producer, which is started again: its list is lost, what was before is handled', async () => {
    await inSimulation(async (sim) => {
      const { pipeline, producer, handled } = await words()
      await sim.settle()
      const first = partOf(sim, 'Producer_0')
      const reasons = await crashes(async () => {
        producer.cast.emitting('before')
        producer.cast.emitting('lost', 'bad', 'lost too')
        await sim.settle()
      })
      expect(reasons).toEqual([expect.objectContaining({ message: 'no word' })])
      expect(handled).toEqual(['DEMAND', 'BEFORE'])
      // Processors come back, and the new producer begins anew.
      await sim.advance(100)
      expect(partOf(sim, 'Producer_0').id).not.toBe(first.id)
      producer.cast.emitting('after')
      await sim.settle()
      expect(handled).toEqual(['DEMAND', 'BEFORE', 'DEMAND', 'AFTER'])
      await pipeline.stop()
    })
  })
})

describe('a producer of a pipeline', () => {
  it.each([
    ['first', ['raw', new Message('fine')]],
    ['last', [new Message('fine'), 'raw']],
  ])('B105 that emits something else than messages crashes, wherever it is in the list: %s', async (_, list) => {
    await inSimulation(async (sim) => {
      class Mixed extends Producer<Message> {
        override handleDemand(): void {}
        give(): void {
          // What the compiler refuses.
          Reflect.apply(this.emit, this, [list])
        }
      }
      const handled: unknown[] = []
      const pipeline = await Broadway.start({
        name: 'mixed',
        producer: { module: Mixed },
        processors: {
          default: {
            concurrency: 1,
            handleMessage(message) {
              handled.push(message.data)
              return message
            },
          },
        },
      })
      const [producer] = await pipeline.call.producerNames()
      const reasons = await crashes(async () => {
        producer?.cast.give()
        await sim.settle()
      })
      const text = expect.stringMatching(
        /Mixed\(mixed\.Broadway\.Producer_0\).* emitted 'raw', which is no message: set transformer/,
      )
      expect(reasons).toEqual([expect.objectContaining({ code: 'bad_message', message: text })])
      expect(handled).toEqual([])
      await pipeline.stop()
    })
  })

  it('B106 keeps its state from callback to callback, and a new one begins anew when it has stopped', async () => {
    await inSimulation(async (sim) => {
      const { pipeline, producer, handled, ended } = await words()
      await sim.settle()
      // More demand, answered with nothing.
      producer.cast.emitting('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h')
      await sim.settle()
      expect(handled).toEqual(['DEMAND', ...'ABCDEFGH'])
      const first = partOf(sim, 'Producer_0')
      producer.cast.end()
      await sim.settle()
      expect(ended).toEqual(['normal'])
      expect(partOf(sim, 'Producer_0').id).not.toBe(first.id)
      await sim.advance(100)
      expect(handled.filter((word) => word === 'DEMAND')).toHaveLength(2)
      await pipeline.stop()
    })
  })

  it('B107 has its terminate called with the reason at the end of the pipeline', async () => {
    await inSimulation(async (sim) => {
      const { pipeline, ended } = await words()
      await sim.settle()
      expect(ended).toEqual([])
      await pipeline.stop({ reason: 'shutdown' })
      expect(ended).toEqual(['shutdown'])
    })
  })

  it('B107 B108 needs neither terminate nor handleDrain: what it has emitted is handled before the end', async () => {
    await inSimulation(async (sim) => {
      const handled: unknown[] = []
      const pipeline = await Broadway.start({
        name: 'plain',
        producer: { module: Plain, transformer: (word) => new Message(word) },
        processors: {
          default: {
            concurrency: 1,
            maxDemand: 1,
            minDemand: 0,
            async handleMessage(message, _context, stage) {
              await stage.sleep(10)
              handled.push(message.data)
              return message
            },
          },
        },
      })
      const [producer] = await pipeline.call.producerNames()
      producer?.cast.say('a', 'b', 'c')
      await sim.settle()
      const stopped = pipeline.stop()
      await sim.advance(30)
      await stopped
      expect(handled).toEqual(['a', 'b', 'c'])
    })
  })
})
