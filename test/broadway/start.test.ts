import { child, Producer, Registry, StartError, Supervisor, startLink, supervise, via, whereis } from 'sluice'
import { Broadway, type Message, type PipelineStage, pipelineOf } from 'sluice/broadway'
import { describe, expect, it } from 'vitest'
import { dataOf, inSimulation, messages, noted, Silent, silent } from '../support/broadway.ts'
import { rejection } from '../support/flows.ts'

const handleMessage = (message: Message<number, 'default'>): Message<number, 'default'> => message
const handleBatch = (batch: readonly Message<number>[]): readonly Message<number>[] => batch
const processors = { default: { concurrency: 1, handleMessage } }

/** Tells what it knows of its pipeline, as a message. */
class Knowing extends Producer<Message<string>> {
  readonly #place: string

  constructor(arg: { readonly greeting: string }) {
    super()
    const place = pipelineOf(this)
    this.#place = `${arg.greeting} ${place?.name} ${place?.index} ${place?.options.processors.concurrency} ${Object.keys(arg)}`
  }

  override handleDemand(): void {}

  place(): string {
    return this.#place
  }
}

describe('start', () => {
  it('B12 gives callbacks the context, or undefined', async () => {
    await inSimulation(async () => {
      const contexts: unknown[] = []
      for (const context of [undefined, { db: 1 }]) {
        const pipeline = await Broadway.start({
          name: 'contexts',
          context,
          producer: silent,
          processors: {
            default: {
              prepareMessages: (list, given) => noted(contexts, given, list),
              handleMessage: (message, given) =>
                noted(contexts, given, message.data > 1 ? message.failed('no') : message),
            },
          },
          batchers: { default: { handleBatch: (list, _info, given) => noted(contexts, given, list) } },
          handleFailed: (list, given) => noted(contexts, given, list),
        })
        await pipeline.call.testMessage(1)
        await pipeline.call.testMessage(2)
        await pipeline.stop()
        expect(contexts.splice(0)).toEqual(Array.from({ length: 6 }, () => context))
      }
    })
  })

  it('gives callbacks the stage that they run in', async () => {
    await inSimulation(async () => {
      const stages: unknown[] = []
      const placeOf = ({ pipeline, key, index, signal }: PipelineStage) => [pipeline, key, index, signal.aborted]
      const pipeline = await Broadway.start({
        name: 'places',
        producer: silent,
        processors: {
          default: {
            concurrency: 1,
            handleMessage: (message, _context, stage) => noted(stages, placeOf(stage), message.putBatcher('s3')),
          },
        },
        batchers: { s3: { handleBatch: (list, _info, _context, stage) => noted(stages, placeOf(stage), list) } },
      })
      await pipeline.call.testMessage(1)
      expect(stages).toEqual([
        ['places', 'default', 0, false],
        ['places', 's3', 0, false],
      ])
      await pipeline.stop()
    })
  })

  it('B17 B18 leaves the argument of a producer alone, which asks for its pipeline with pipelineOf', async () => {
    await inSimulation(async () => {
      const pipeline = await Broadway.start({
        name: 'knowing',
        producer: { module: Knowing, arg: { greeting: 'hello' }, concurrency: 2 },
        processors: { default: { concurrency: 3, handleMessage: (message) => message } },
      })
      const names = await pipeline.call.producerNames()
      const places = await Promise.all(names.map((name) => name.call.place()))
      expect(places).toEqual(['hello knowing 0 3 greeting', 'hello knowing 1 3 greeting'])
      await pipeline.stop()
    })
    expect(pipelineOf(new Silent())).toBe(undefined)
  })

  it('B19 fails when a producer does not start, with its reason, and leaves nothing running', async () => {
    class Refusing extends Silent {
      override init(): void {
        throw new Error('no broker')
      }
    }
    await inSimulation(async () => {
      const starting = Broadway.start({ name: 'refused', producer: { module: Refusing }, processors })
      const error = await rejection(starting)
      expect(error).toBeInstanceOf(StartError)
      expect(error).toMatchObject({ code: 'start_failed', message: expect.stringContaining('no broker') })
      expect(Broadway.allRunning()).toEqual([])
    })
  })

  it('B20 fails when a producer brings its own dispatcher', async () => {
    const { BroadcastDispatcher } = await import('sluice')
    class Broadcasting extends Producer<Message<number>> {
      constructor() {
        super({ dispatcher: new BroadcastDispatcher() })
      }

      override handleDemand(): void {}
    }
    await inSimulation(async () => {
      const starting = Broadway.start({ name: 'refused', producer: { module: Broadcasting }, processors })
      expect(await rejection(starting)).toMatchObject({
        code: 'start_failed',
        message: expect.stringMatching(
          /a BroadcastDispatcher as its dispatcher, but in a pipeline it is a DemandDispatcher/,
        ),
      })
    })
  })

  it('B22 partitions processors and batchers by the function of the pipeline, where they have none of their own', async () => {
    await inSimulation(async () => {
      const seen: unknown[] = []
      const pipeline = await Broadway.start({
        name: 'partitioned',
        partitionBy: ({ data }) => Number(data),
        producer: silent,
        processors: {
          default: {
            concurrency: 2,
            handleMessage: (message, _, { index }) =>
              noted(seen, [message.data, index], message.putBatcher(message.data < 3 ? 'a' : 'b')),
          },
        },
        batchers: {
          a: {
            concurrency: 2,
            batchSize: 1,
            handleBatch: (list, _, __, { index }) => noted(seen, [list[0]?.data, 'a', index], list),
          },
          b: {
            concurrency: 2,
            batchSize: 1,
            partitionBy: () => 1,
            handleBatch: (list, _, __, { index }) => noted(seen, [list[0]?.data, 'b', index], list),
          },
        },
      })
      await pipeline.call.testBatch([1, 2, 3, 4])
      expect(seen).toHaveLength(8)
      expect(seen).toEqual(
        expect.arrayContaining([
          [1, 1],
          [2, 0],
          [3, 1],
          [4, 0],
          [1, 'a', 1],
          [2, 'a', 0],
          [3, 'b', 1],
          [4, 'b', 1],
        ]),
      )
      await pipeline.stop()
    })
  })

  it('B24 takes a name of a registry, and names all processes after it', async () => {
    await inSimulation(async (sim) => {
      const registry = await startLink(Registry<string>, { arg: { keys: 'unique' } })
      const name = via(registry, Broadway<number>, 'tenant 7')
      const rateLimiting = { allowedMessages: 5, interval: 1000 }
      const producer = { module: Silent<number>, rateLimiting }
      const pipeline = await Broadway.start({ name, producer, processors })
      expect(whereis(name)).toBe(pipeline)
      expect(Broadway.allRunning()).toEqual([pipeline])
      expect(await name.call.producerNames()).toHaveLength(1)
      expect(await name.call.topology()).toMatchObject({ producers: [{ concurrency: 1 }], batchers: [] })
      expect(await name.call.getRateLimiting()).toEqual(rateLimiting)
      expect(dataOf((await name.call.testMessage(1)).successful)).toEqual([1])
      expect(
        sim.processes.map(String).filter((each) => each.includes('tenant 7).Broadway.Processor_default_0')),
      ).toHaveLength(1)
      await pipeline.stop()
    })
  })

  it('B24 names the processes as processName says', async () => {
    await inSimulation(async (sim) => {
      const processName = (base: string): string => `own/${base}`
      const pipeline = await Broadway.start({
        name: 'named',
        processName,
        producer: silent,
        processors,
      })
      const own = sim.processes.map(String).filter((each) => each.includes('(own/'))
      expect(own.map((each) => /own\/(\w+)/.exec(each)?.[1]).sort()).toEqual([
        'ProcessorSupervisor',
        'Processor_default_0',
        'ProducerSupervisor',
        'Producer_0',
        'Supervisor',
        'Terminator',
      ])
      expect(await pipeline.call.topology()).toMatchObject({ producers: [{ name: 'own/Producer' }] })
      expect(dataOf((await pipeline.call.testMessage(1)).successful)).toEqual([1])
      await pipeline.stop()
    })
  })

  it('B25 is a child of a supervisor, under its name or another id, with all the time that it needs to stop', async () => {
    const options = { name: 'below', producer: silent, processors }
    expect(Broadway.child(options)).toMatchObject({
      id: 'below',
      restart: 'permanent',
      shutdown: Infinity,
      type: 'supervisor',
    })
    expect(Broadway.child(options, { id: 'x', restart: 'transient' })).toMatchObject({ id: 'x', restart: 'transient' })
    await inSimulation(async () => {
      const tree = await supervise({ strategy: 'one_for_one', children: [Broadway.child(options)] })
      const [pipeline] = Broadway.allRunning()
      expect(await tree.call.whichChildren()).toEqual([{ id: 'below', ref: pipeline, type: 'supervisor' }])
      await tree.stop()
      expect(pipeline?.alive).toBe(false)
    })
  })

  it('is refused in a child as it is at a start, before anything runs', () => {
    // @ts-expect-error: no processors
    expect(() => Broadway.child({ name: 'x', producer: { source: [1] } })).toThrow('processors of a pipeline')
  })

  it('B26 refuses a second pipeline of the same name; the first one goes on', async () => {
    await inSimulation(async () => {
      const options = { name: 'twice', producer: silent, processors }
      const first = await Broadway.start(options)
      expect(await rejection(Broadway.start(options))).toMatchObject({ code: 'already_started', ref: first })
      expect(dataOf((await first.call.testMessage(1)).successful)).toEqual([1])
      await first.stop()
    })
  })

  it('B28 B132 leaves its name free when it is stopped', async () => {
    await inSimulation(async () => {
      const options = { name: 'again', producer: silent, processors }
      for (let round = 0; round < 2; round++) await (await Broadway.start(options)).stop()
      expect(Broadway.allRunning()).toEqual([])
    })
  })

  it('keeps what it was given from being copied', async () => {
    await inSimulation(async () => {
      const context: { readonly seen: number[] } = { seen: [] }
      const pipeline = await Broadway.start({
        name: 'shared',
        context,
        producer: silent,
        processors: {
          default: { handleMessage: (message, { seen }) => noted(seen, message.data, message) },
        },
      })
      await pipeline.call.testMessage(7)
      expect(context.seen).toEqual([7])
      await pipeline.stop()
    })
  })
})

describe('prepareForStart of the class of the producer', () => {
  class Helper extends Supervisor {
    constructor() {
      super({ strategy: 'one_for_one' })
    }
  }

  it('B14 is called once, may start processes in front of all others, and change the options', async () => {
    class Replacing extends Producer<Message<number>> {
      static prepared = 0

      static prepareForStart(options: object): unknown {
        Replacing.prepared++
        return {
          children: [child(Helper, { name: Helper })],
          options: { ...options, producer: { source: messages(1, 2) } },
        }
      }

      override handleDemand(): void {}
    }
    await inSimulation(async (sim) => {
      const seen: number[] = []
      const pipeline = await Broadway.start({
        name: 'prepared',
        producer: { module: Replacing },
        processors: { default: { concurrency: 1, handleMessage: (message) => noted(seen, message.data, message) } },
        batchers: { default: { handleBatch } },
      })
      await sim.settle()
      expect(seen).toEqual([1, 2])
      expect(Replacing.prepared).toBe(1)
      const main = sim.processes.find((ref) => String(ref).includes('.Broadway.Supervisor)'))
      const order = sim.processes.filter((ref) =>
        /Helper|Broadway\.(Producer|Processor|Batchers)Supervisor|Terminator/.test(String(ref)),
      )
      expect(main?.alive).toBe(true)
      expect(order.map((ref) => /Helper|\w+(?=\)#)/.exec(String(ref))?.[0])).toEqual([
        'Helper',
        'ProducerSupervisor',
        'ProcessorSupervisor',
        'BatchersSupervisor',
        'Terminator',
      ])
      await pipeline.stop()
      expect(whereis(Helper)).toBe(undefined)
    })
  })

  it.each([
    ['B15 nothing', undefined, 'prepareForStart of Odd returned undefined, expected { children, options }'],
    [
      'B15 children that are none',
      { children: 3, options: {} },
      'prepareForStart of Odd returned children 3, expected an array of child specifications',
    ],
    [
      'B16 options without a name',
      { children: [], options: { producer: { source: [] }, processors } },
      'name of a pipeline: expected a string',
    ],
  ])('refuses %s', async (_title, returned, text) => {
    class Odd extends Silent {
      static prepareForStart(): unknown {
        return returned
      }
    }
    await inSimulation(async () => {
      const error = await rejection(Broadway.start({ name: 'odd', producer: { module: Odd }, processors }))
      expect(error).toMatchObject({ code: 'start_failed', message: expect.stringContaining(text) })
      expect(Broadway.allRunning()).toEqual([])
    })
  })
})
