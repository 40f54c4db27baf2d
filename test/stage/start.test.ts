import {
  Consumer,
  type Down,
  GenServer,
  ignore,
  type Monitor,
  manual,
  name,
  Producer,
  ProducerConsumer,
  StageError,
  StartError,
  start,
  whereis,
} from 'sluice'
import { simulate } from 'sluice/testing'
import { describe, expect, it } from 'vitest'
import { RawProcess } from '../support/raw-process.ts'
import { Counter, Journal, Middle, range, Sink, Source } from '../support/stages.ts'

/** Starts a class that refuses, and gives the error. */
async function refusal(started: Promise<unknown>): Promise<StartError> {
  const outcome = await started.then(
    () => undefined,
    (error: unknown) => error,
  )
  if (!(outcome instanceof StartError)) throw new Error(`expected a StartError, got ${String(outcome)}`)
  return outcome
}

class RefusingProducer extends Producer<number> {
  readonly #thrown: () => unknown
  constructor(thrown: () => unknown) {
    super()
    this.#thrown = thrown
  }
  override init(): void {
    throw this.#thrown()
  }
  override handleDemand(): void {}
}

class RefusingMiddle extends ProducerConsumer<number, number> {
  readonly #thrown: () => unknown
  constructor(thrown: () => unknown) {
    super()
    this.#thrown = thrown
  }
  override init(): void {
    throw this.#thrown()
  }
  override handleEvents(): void {}
}

class RefusingConsumer extends Consumer<number> {
  readonly #thrown: () => unknown
  constructor(thrown: () => unknown) {
    super()
    this.#thrown = thrown
  }
  override init(): void {
    throw this.#thrown()
  }
  override handleEvents(): void {}
}

describe('the start of a stage', () => {
  it.each([
    ['a producer', RefusingProducer],
    ['a producer-consumer', RefusingMiddle],
    ['a consumer', RefusingConsumer],
  ])('S151 %s declines or fails like any process', async (_kind, Class) => {
    await simulate().run(async (sim) => {
      expect(await refusal(start<GenServer, [() => unknown]>(Class, { arg: () => ignore }))).toMatchObject({
        code: 'ignore',
      })
      const oops = new Error('oops')
      expect(await refusal(start<GenServer, [() => unknown]>(Class, { arg: () => oops }))).toMatchObject({
        code: 'start_failed',
        cause: oops,
      })
      expect(await refusal(start<GenServer, [() => unknown]>(Class, { arg: () => 'junk' }))).toMatchObject({
        code: 'start_failed',
        reason: 'junk',
      })
      expect(sim.processes).toEqual([])
    })
  })

  it.each([
    ['bufferSize', -1, 'expected an integer >= 1 or Infinity, got -1'],
    ['bufferSize', 1.5, 'expected an integer >= 1 or Infinity, got 1.5'],
    ['bufferSize', '5', 'expected an integer >= 1 or Infinity, got 5'],
    ['bufferKeep', 'middle', `expected 'first' or 'last', got middle`],
    ['demand', 'later', `expected 'forward' or 'accumulate', got later`],
    [
      'dispatcher',
      'demand',
      'expected a dispatcher, which has attach, subscribe, cancel, ask, dispatch, info, got demand',
    ],
  ])('S152 the option %s cannot be %o', async (option, value, text) => {
    await simulate().run(async (sim) => {
      const error = await refusal(start(Source, { arg: { options: { [option]: value } } }))
      expect(error.code).toBe('start_failed')
      expect(error.cause).toBeInstanceOf(StageError)
      expect(error.cause).toMatchObject({ code: 'bad_options', message: expect.stringContaining(text) })
      expect(error.message).toContain(option)
      expect(sim.processes).toEqual([])
    })
  })

  it.each([
    ['a producer', Source, { bufferSzie: 5 }, 'bufferSzie'],
    ['a producer', Source, { subscribeTo: [] }, 'subscribeTo'],
    ['a consumer', Sink, { bufferSize: 5 }, 'bufferSize'],
    ['a producer-consumer', Middle, { demand: 'accumulate' }, 'demand'],
  ] as const)('S152 %s knows no other options', async (_kind, Class, options, option) => {
    await simulate().run(async (sim) => {
      // What the compiler refuses, a program in plain JavaScript may still do.
      const error = await refusal(start(Class as typeof Source, { arg: { options: options as object } }))
      expect(error.cause).toMatchObject({ code: 'bad_options', message: expect.stringContaining(option) })
      expect(sim.processes).toEqual([])
    })
  })

  it('S153 the buffer of a producer has room for one event at least', async () => {
    await simulate().run(async () => {
      const producer = await refusal(start(Source, { arg: { options: { bufferSize: 0 } } }))
      expect(producer.cause).toMatchObject({ code: 'bad_options', message: expect.stringContaining('got 0') })
      const middle = await refusal(start(Middle, { arg: { options: { bufferSize: 0 } } }))
      expect(middle.cause).toMatchObject({ code: 'bad_options', message: expect.stringContaining('got 0') })
    })
  })

  it('S154 a name is borne once', async () => {
    await simulate().run(async () => {
      const source = await start(Source, { name: Source })
      expect(await refusal(start(Source, { name: Source }))).toMatchObject({ code: 'already_started', ref: source })
    })
  })

  it('S155 subscribes to refs, classes and names, with and without options', async () => {
    await simulate().run(async (sim) => {
      const journal = new Journal()
      const byRef = await start(Source)
      const byClass = await start(Source, { name: Source })
      const byName = await start(Source, { name: name(Source, 'one') })
      const byOptions = await start(Source, { name: name(Source, 'two') })
      await start(Sink, {
        arg: { note: journal.note },
        subscribeTo: [byRef, Source, name(Source, 'one'), { to: name(Source, 'two'), maxDemand: 1 }],
      })
      for (const [index, source] of [byRef, byClass, byName, byOptions].entries()) await source.call.give(index)
      await sim.settle()
      expect(journal.events.toSorted()).toEqual([0, 1, 2, 3])
    })
  })

  it.each(['permanent', 'transient'] as const)(
    'S156 a %s subscription to a name that nobody bears makes the start fail',
    async (cancel) => {
      await simulate().run(async (sim) => {
        const error = await refusal(start(Sink, { subscribeTo: [{ to: Source, cancel }], name: Sink }))
        expect(error).toMatchObject({ code: 'start_failed', cause: { code: 'noproc' } })
        expect(error.message).toContain('Source')
        expect(sim.processes).toEqual([])
        expect(whereis(Sink)).toBeUndefined()
      })
    },
  )

  it('S156 a temporary subscription to a name that nobody bears is left out', async () => {
    await simulate().run(async (sim) => {
      const journal = new Journal()
      const source = await start(Source, { name: name(Source, 'there') })
      await start(Sink, {
        arg: { note: journal.note },
        subscribeTo: [
          { to: name(Source, 'missing'), cancel: 'temporary' },
          { to: name(Source, 'there'), cancel: 'temporary' },
        ],
      })
      await source.call.give(1)
      await sim.settle()
      expect(journal.events).toEqual([1])
    })
  })

  it('S157 bad options of a subscription make the start fail, and leave nothing behind', async () => {
    await simulate().run(async (sim) => {
      const journal = new Journal()
      const first = await start(Source, { arg: { note: journal.note } })
      const error = await refusal(start(Sink, { subscribeTo: [first, { to: first, maxDemand: 0 }] }))
      expect(error).toMatchObject({ code: 'start_failed', cause: { code: 'bad_options' } })
      expect(error.message).toContain('maxDemand of a subscription: expected an integer >= 1, got 0')
      await sim.settle()
      expect(sim.processes).toEqual([first])
      // The subscription that was made before is gone too.
      expect(journal.of('cancel').length).toBe(journal.of('subscribe').length)
    })
  })

  it('S158 both sides hear of a subscription, with the other side and all options', async () => {
    await simulate().run(async (sim) => {
      const above = new Journal()
      const below = new Journal()
      const source = await start(Source, { arg: { note: above.note } })
      const options = { cancel: 'temporary', maxDemand: 7, minDemand: 3, data: { any: 1 } } as const
      const sink = await start(Sink, { arg: { note: below.note }, subscribeTo: [{ to: source, ...options }] })
      await sim.settle()
      const [subscription] = below.subscriptions
      expect(above.of('subscribe')).toEqual([['consumer', subscription]])
      expect(below.of('subscribe')).toEqual([['producer', subscription]])
      expect(above.subscriptions[0]).toBe(subscription)
      expect(subscription?.consumer).toBe(sink)
      expect(subscription?.producer).toBe(source)
      expect(subscription?.options).toEqual(options)
    })
  })

  it('S158 a producer-consumer hears of both of its sides', async () => {
    await simulate().run(async (sim) => {
      const peers: unknown[] = []
      class Watching extends ProducerConsumer<unknown, unknown> {
        override handleEvents(): void {}
        override handleSubscribe(peer: 'producer' | 'consumer'): undefined {
          peers.push(peer)
          return undefined
        }
      }
      const source = await start(Source)
      const middle = await start(Watching, { subscribeTo: [source] })
      await start(Sink, { subscribeTo: [middle] })
      await sim.settle()
      expect(peers).toEqual(['producer', 'consumer'])
    })
  })
})

describe('the callbacks of a stage', () => {
  class Choosing extends Producer<number> {
    override handleDemand(): void {}
    // Only a consumer may, which the compiler says too.
    override handleSubscribe(): undefined {
      return manual as unknown as undefined
    }
  }

  class Guessing extends Consumer<number> {
    override handleEvents(): void {}
    override handleSubscribe(): undefined {
      return 'by hand' as unknown as undefined
    }
    join(to: Parameters<Guessing['subscribe']>[0]): void {
      this.subscribe(to)
    }
  }

  it('S159 only consumers may choose manual, and only that', async () => {
    await simulate().run(async () => {
      const choosing = await start(Choosing)
      new RawProcess().subscribeTo(choosing)
      expect(await choosing.done).toMatchObject({ code: 'bad_return' })

      const guessing = await start(Guessing)
      const counter = await start(Counter, { arg: { until: 1 } })
      const joining = guessing.call.join({ to: counter })
      await expect(joining).rejects.toMatchObject({ code: 'exit', cause: { code: 'bad_return' } })
      expect(await guessing.done).toMatchObject({ code: 'bad_return' })
    })
  })

  it('S161 what a call emits goes out before its reply, what it continues with after it', async () => {
    await simulate().run(async (sim) => {
      class Server extends Producer<number> {
        override handleDemand(): void {}
        emitAndReply(): string {
          this.emit([1])
          return 'done'
        }
        replyAndEmit(): string {
          this.continue(2)
          return 'early'
        }
        override async handleContinue(event: number): Promise<readonly number[]> {
          await this.sleep(10)
          return [event]
        }
      }
      const server = await start(Server)
      const raw = new RawProcess()
      raw.subscribeTo(server).ask(10)
      const replied = server.call.emitAndReply().then(() => raw.of('events'))
      expect(await replied).toEqual([[1]])
      const asked = server.call.replyAndEmit()
      const next = server.call.emitAndReply()
      expect(await asked).toBe('early')
      expect(raw.of('events')).toEqual([[1]])
      await sim.advance(10)
      await next
      // Before any other message.
      expect(raw.of('events')).toEqual([[1], [2], [1]])
    })
  })

  it('S162 a call may stop the stage and is still answered', async () => {
    await simulate().run(async () => {
      class Stopping extends Producer<number> {
        override handleDemand(): void {}
        finish(): string {
          this.stop('shutdown')
          return 'ok'
        }
      }
      const stage = await start(Stopping)
      expect(await stage.call.finish()).toBe('ok')
      expect(await stage.done).toBe('shutdown')
    })
  })

  it('S163 events that a consumer returns are reported and dropped, its replies are replies', async () => {
    await simulate().run(async (sim) => {
      class Confused extends Consumer<number> {
        override handleEvents(events: readonly number[]): void {
          return events as unknown as undefined
        }
        override handleCancel(): void {
          return ['never'] as unknown as undefined
        }
        list(): readonly number[] {
          return [1, 2]
        }
      }
      const counter = await start(Counter, { arg: { until: 1 } })
      const stage = await start(Confused, { subscribeTo: [{ to: counter, cancel: 'temporary' }] })
      await sim.settle()
      const errors = () => sim.logs.filter(({ level }) => level === 'error').map(({ message }) => message)
      expect(errors()).toEqual([expect.stringContaining(`${stage} is a consumer and returned something`)])
      expect(await stage.call.list()).toEqual([1, 2])
      await counter.stop()
      await sim.settle()
      expect(errors()).toHaveLength(2)
      expect(stage.alive).toBe(true)
    })
  })

  it('S164 a stray message is reported and dropped by a stage without handleInfo', async () => {
    await simulate().run(async (sim) => {
      const counter = await start(Counter, { arg: { until: 1 } })
      counter.send('stray')
      await sim.settle()
      expect(counter.alive).toBe(true)
      expect(sim.logs).toMatchObject([{ level: 'warn', fields: { message: 'stray' } }])
      // A request that the class does not know cannot be sent, in JavaScript neither.
      expect(Reflect.get(counter.call, 'unknown')).toBeUndefined()
      expect(Reflect.get(counter.cast, 'unknown')).toBeUndefined()
    })
  })

  it('S165 a callback that returns neither events nor nothing ends the stage', async () => {
    await simulate().run(async () => {
      class Junk extends Producer<number> {
        override handleDemand(): readonly number[] {
          return { noreply: [] } as unknown as readonly number[]
        }
      }
      const junk = await start(Junk)
      new RawProcess().subscribeTo(junk).ask(1)
      expect(await junk.done).toMatchObject({
        code: 'bad_return',
        message: `handleDemand of ${junk} gave a Object, expected an array of events or nothing`,
      })
      const middle = await start(Middle, { arg: { map: () => 5 as unknown as readonly unknown[] } })
      new RawProcess().subscribeTo(middle).ask(1)
      new RawProcess().acceptFrom(middle).deliver([1])
      expect(await middle.done).toMatchObject({
        code: 'bad_return',
        message: `handleEvents of ${middle} gave number 5, expected an array of events or nothing`,
      })
    })
  })

  it('S166 the end of a process that the stage watches by itself is for handleInfo', async () => {
    await simulate().run(async (sim) => {
      class Watching extends Producer<number> {
        readonly #downs: Down[] = []
        #watch: Monitor | undefined
        override handleDemand(): void {}
        override handleInfo(message: Down): void {
          this.#downs.push(message)
        }
        watch(target: Parameters<Watching['monitor']>[0]): void {
          this.#watch = this.monitor(target)
        }
        seen() {
          return this.#downs.map((down) => ({ own: down.monitor === this.#watch, reason: down.reason }))
        }
      }
      const other = await start(GenServer)
      const watching = await start(Watching)
      await watching.call.watch(other)
      other.kill()
      await sim.settle()
      expect(await watching.call.seen()).toEqual([{ own: true, reason: 'killed' }])
    })
  })

  it.each([
    ['a producer', Source],
    ['a producer-consumer', Middle],
    ['a consumer', Sink],
  ] as const)('S167 terminate runs when %s stops', async (_kind, Class) => {
    await simulate().run(async () => {
      const journal = new Journal()
      const stage = await start(Class as typeof Source, { arg: { note: journal.note } })
      await stage.stop({ reason: 'shutdown' })
      expect(journal.of('terminate')).toEqual(['shutdown'])
    })
  })

  it('emits what the constructor emits, when somebody asks', async () => {
    await simulate().run(async (sim) => {
      class Eager extends Producer<number> {
        constructor() {
          super()
          this.emit(range(1, 3))
        }
        override handleDemand(): void {}
      }
      const journal = new Journal()
      await start(Sink, { arg: { note: journal.note }, subscribeTo: [await start(Eager)] })
      await sim.settle()
      expect(journal.events).toEqual([1, 2, 3])
    })
  })
})
