import {
  DemandDispatcher,
  type Dispatcher,
  type DispatcherHost,
  estimateBufferedCount,
  fresh,
  Producer,
  type Ref,
  type Subscription,
  stageInfo,
  start,
  syncInfo,
  syncSubscribe,
} from 'sluice'
import { simulate } from 'sluice/testing'
import { describe, expect, it } from 'vitest'
import { RawProcess } from '../../support/raw-process.ts'
import { Journal, range, Sink, Source } from '../../support/stages.ts'

/** It sends everything to whoever came last, and does as it is told otherwise. */
class Odd implements Dispatcher<unknown> {
  readonly #overrides: Partial<Dispatcher>
  ready = 0

  constructor(overrides: Partial<Dispatcher>) {
    this.#overrides = overrides
    Object.assign(this, overrides)
  }
  attach(): void {}
  subscribe(): number {
    return 0
  }
  cancel(): number {
    return 0
  }
  ask(demand: number): number {
    return demand
  }
  dispatch(events: readonly unknown[]): readonly unknown[] {
    return this.#overrides.ready === undefined ? events : []
  }
  info(info: () => void): void {
    info()
  }
}

const torn = new Error('torn')

function junk(value: unknown): () => never {
  return () => value as never
}

function fail(): never {
  throw torn
}

type Breach = readonly [what: string, how: Partial<Dispatcher>, text: string]

/** A producer with a dispatcher; made by a function, because an argument is copied. */
function startSource(dispatcher: Dispatcher): Promise<Ref<Source>> {
  return start(Source, { arg: fresh(() => ({ options: { dispatcher } })) })
}

describe('a dispatcher of your own', () => {
  it('S250 is made with its options, and hears everything in order', async () => {
    await simulate().run(async (sim) => {
      const journal = new Journal()
      const { note } = journal

      class Noting extends DemandDispatcher {
        constructor(greeting: string) {
          super()
          note('made', greeting)
        }
        override attach(host: DispatcherHost): void {
          note('attach', host.producer)
          super.attach(host)
        }
        override subscribe(subscription: Subscription): number {
          note('subscribe', 'dispatcher', subscription.options.data)
          return super.subscribe(subscription)
        }
        override cancel(subscription: Subscription): number {
          note('cancel', 'dispatcher', subscription.options.data)
          return super.cancel(subscription)
        }
        override ask(demand: number, subscription: Subscription): number {
          note('ask', demand, subscription.options.data)
          return super.ask(demand, subscription)
        }
        override dispatch(events: readonly unknown[]): readonly unknown[] {
          const left = super.dispatch(events)
          note('dispatch', events, left)
          return left
        }
        override info(info: () => void): void {
          note('info')
          super.info(info)
        }
      }
      class Counting extends Producer<number> {
        #next = 1
        constructor() {
          super({ dispatcher: new Noting('hello') })
        }
        override handleSubscribe(): undefined {
          note('handleSubscribe')
          return undefined
        }
        override handleDemand(demand: number): readonly number[] {
          note('demand', demand)
          return range(this.#next, (this.#next += demand + 1) - 1)
        }
        override handleCancel(): undefined {
          note('handleCancel')
          return undefined
        }
      }
      const counting = await start(Counting)
      const raw = new RawProcess()
      const subscription = raw.subscribeTo(counting, { data: { any: 'thing' } })
      subscription.ask(2)
      await syncInfo(counting, 'behind 3')
      subscription.ask(3)
      await sim.settle()
      subscription.cancel()
      await sim.settle()
      const data = { any: 'thing' }
      expect(journal.entries).toEqual([
        ['made', 'hello'],
        ['attach', `${counting}`],
        ['handleSubscribe'],
        ['subscribe', 'dispatcher', data],
        ['ask', 2, data],
        ['demand', 2],
        ['dispatch', [1, 2, 3], [3]],
        ['ask', 3, data],
        ['dispatch', [3], []],
        ['info'],
        ['demand', 2],
        ['dispatch', [4, 5, 6], [6]],
        ['cancel', 'dispatcher', data],
        ['handleCancel'],
      ])
      expect(raw.of('events').flat()).toEqual(range(1, 5))
    })
  })

  it('that takes from the buffer without new demand is asked for what it wants later', async () => {
    await simulate().run(async (sim) => {
      class Frugal extends DemandDispatcher {
        override ask(demand: number, subscription: Subscription): number {
          const granted = super.ask(demand, subscription)
          return demand === 3 ? 0 : granted
        }
      }
      const journal = new Journal()
      const arg = fresh(() => ({ note: journal.note, options: { dispatcher: new Frugal() } }))
      const source = await start(Source, { arg })
      await source.call.give(1, 2, 3)
      const raw = new RawProcess()
      const subscription = raw.subscribeTo(source)
      subscription.ask(3)
      subscription.ask(2)
      await sim.settle()
      expect(raw.of('events').flat()).toEqual([1, 2, 3])
      expect(journal.of('demand')).toEqual([2])
    })
  })

  it('may ask the producer for more by itself, after what runs now', async () => {
    await simulate().run(async (sim) => {
      const journal = new Journal()
      let host: DispatcherHost | undefined
      const attach = (given: DispatcherHost): void => {
        host = given
      }
      const dispatcher = new Odd({ attach })
      const arg = fresh(() => ({ note: journal.note, options: { dispatcher } }))
      const source = await start(Source, { arg })
      host?.demand(7)
      expect(journal.of('demand')).toEqual([])
      await sim.settle()
      expect(journal.of('demand')).toEqual([7])
      expect(() => host?.demand(-1)).toThrow(
        `the Odd of ${source} breaks the contract of dispatchers: it asked the host for -1`,
      )
    })
  })
})

describe('a dispatcher that breaks its contract', () => {
  it.each<Breach>([
    ['subscribe returns nothing', { subscribe: junk(undefined) }, 'subscribe returned undefined, expected new demand'],
    ['subscribe returns junk', { subscribe: junk({}) }, 'subscribe returned an empty object, expected new demand'],
    ['subscribe throws', { subscribe: fail }, 'subscribe threw Error: torn'],
    ['ask returns a negative number', { ask: () => -1 }, 'ask returned -1, expected new demand, a whole number >= 0'],
    ['ask returns NaN', { ask: () => Number.NaN }, 'ask returned NaN'],
    ['ask returns a fraction', { ask: () => 0.5 }, 'ask returned 0.5'],
    ['ask returns Infinity', { ask: () => Infinity }, 'ask returned Infinity'],
    ['ask returns a promise', { ask: junk(Promise.resolve(1)) }, 'ask returned a Promise'],
    ['ask throws', { ask: fail }, 'ask threw Error: torn'],
    ['dispatch returns nothing', { dispatch: junk(undefined) }, 'dispatch returned undefined, expected an array'],
    ['dispatch returns a number', { dispatch: junk(3) }, 'dispatch returned 3, expected an array'],
    ['dispatch throws', { dispatch: fail }, 'dispatch threw Error: torn'],
    ['dispatch gives back too much', { dispatch: junk([1, 2, 3, 4]) }, 'was given 3 events and gave back 4'],
    ['dispatch gives back the first', { dispatch: junk([1, 2]) }, 'gave back 2 events that are not the last 2'],
    ['dispatch turns them round', { dispatch: junk([3, 2, 1]) }, 'gave back 3 events that are not the last 3'],
    ['dispatch gives back others', { dispatch: junk(['x']) }, 'gave back 1 events that are not the last 1'],
    [
      'dispatch gives back what it is ready for',
      { ready: 2, dispatch: (events: readonly unknown[]) => events },
      'dispatch gave back 3 events, but ready is 2: expected 0',
    ],
  ])('ends its producer when %s', async (_what, overrides, text) => {
    await simulate().run(async () => {
      const source = await startSource(new Odd(overrides))
      new RawProcess().subscribeTo(source).ask(5)
      source.cast.give(1, 2, 3)
      const reason = await source.done
      expect(reason).toMatchObject({ name: 'StageError', code: 'bad_dispatcher' })
      expect(String(reason)).toContain(`the Odd of ${source} breaks the contract of dispatchers: `)
      expect(String(reason)).toContain(text)
      if (text.includes('torn')) expect(reason).toMatchObject({ cause: torn })
    })
  })

  it.each<Breach>([
    ['cancel returns a negative number', { cancel: () => -5 }, 'cancel returned -5, expected new demand'],
    ['cancel throws', { cancel: fail }, 'cancel threw Error: torn'],
  ])('ends its producer when %s', async (_what, overrides, text) => {
    await simulate().run(async () => {
      const source = await startSource(new Odd(overrides))
      new RawProcess().subscribeTo(source).cancel()
      expect(String(await source.done)).toContain(text)
    })
  })

  it.each<readonly [what: string, ready: () => number, text: string]>([
    ['is no number', junk(undefined), 'ready is undefined, expected a number >= 0'],
    ['is negative', () => -1, 'ready is -1, expected a number >= 0'],
    ['promises too much', () => 2, 'ready was 2, but dispatch gave back 1 of no more events'],
  ])('ends its producer when ready %s', async (_what, ready, text) => {
    await simulate().run(async () => {
      class Wrong extends Odd {
        #asked = false
        constructor() {
          super({})
          Object.defineProperty(this, 'ready', { get: () => (this.#asked ? ready() : 0) })
        }
        override ask(demand: number): number {
          this.#asked = true
          return demand
        }
        override dispatch(events: readonly unknown[]): readonly unknown[] {
          if (!this.#asked) return events
          this.#asked = false
          return events.slice(1)
        }
      }
      const source = await startSource(new Wrong())
      await source.call.give(1, 2, 3)
      new RawProcess().subscribeTo(source).ask(5)
      expect(String(await source.done)).toContain(text)
    })
  })

  it('ends its producer when info throws', async () => {
    await simulate().run(async () => {
      const source = await startSource(new Odd({ info: fail }))
      await expect(source.stop({ drain: true })).rejects.toMatchObject({ code: 'exit' })
      expect(String(await source.done)).toContain('info threw Error: torn')
    })
  })

  it('fails the start when attach throws', async () => {
    await simulate().run(async (sim) => {
      const starting = startSource(new Odd({ attach: fail }))
      await expect(starting).rejects.toMatchObject({ cause: { code: 'bad_dispatcher' } })
      expect(sim.processes).toEqual([])
    })
  })

  it('ends its producer also when the events are emitted beside a callback', async () => {
    await simulate().run(async () => {
      let emit: (events: readonly number[]) => void = () => {}
      class Beside extends Producer<number> {
        constructor() {
          super({ dispatcher: new Odd({ dispatch: fail }) })
          emit = (events) => this.emit(events)
        }
        override handleDemand(): void {}
      }
      const beside = await start(Beside)
      expect(() => emit([1])).toThrow('dispatch threw Error: torn')
      expect(beside.alive).toBe(false)
      expect(await beside.done).toMatchObject({ code: 'bad_dispatcher' })
    })
  })

  it('is refused when it lacks a method', async () => {
    await simulate().run(async () => {
      const { ask: _ask, ...rest } = { ...new Odd({}), ask: 1 }
      const starting = startSource(rest as unknown as Dispatcher)
      await expect(starting).rejects.toThrow('expected a dispatcher, which has attach, subscribe')
    })
  })

  it('is refused by its second producer', async () => {
    await simulate().run(async () => {
      const shared = new Odd({})
      const first = await startSource(shared)
      const second = startSource(shared)
      await expect(second).rejects.toThrow(`the Odd of ${first} was given to Source#`)
      expect(first.alive).toBe(true)
    })
  })
})

describe('options of a subscription that are for a dispatcher', () => {
  it.each([
    [{ partition: 'odd' }, 'it has a DemandDispatcher, which takes no partition; leave it out, or give'],
    [{ selector: () => true }, 'it has a DemandDispatcher, which takes no selector; leave it out, or give'],
  ] as const)('are refused where the dispatcher does not take them: %o', async (options, text) => {
    await simulate().run(async () => {
      const source = await startSource(new DemandDispatcher())
      const starting = start(Sink, { subscribeTo: [{ to: source, ...options }] })
      await expect(starting).rejects.toMatchObject({ code: 'start_failed', cause: { code: 'bad_options' } })
      await expect(starting).rejects.toThrow(`cannot subscribe to ${source}: ${text}`)
      const sink = await start(Sink)
      await expect(syncSubscribe(sink, { to: source, ...options })).rejects.toMatchObject({ code: 'bad_options' })
      expect(sink.alive && source.alive).toBe(true)
    })
  })

  it('are checked by the dispatcher before the subscription is made', async () => {
    await simulate().run(async () => {
      const check: Dispatcher['check'] = ({ partition }) => (partition === 'odd' ? undefined : 'it wants odd')
      const dispatcher = new Odd({ options: ['partition'], check })
      const source = await startSource(dispatcher)
      await start(Sink, { subscribeTo: [{ to: source, partition: 'odd' }] })
      const wrong = start(Sink, { subscribeTo: [{ to: source, partition: 'even' }] })
      await expect(wrong).rejects.toThrow(`cannot subscribe to ${source}: it wants odd`)
      expect((await stageInfo(source)).consumers).toHaveLength(1)
    })
  })

  it('refuse a consumer that speaks the protocol by hand, not the producer', async () => {
    await simulate().run(async (sim) => {
      const journal = new Journal()
      const source = await start(Source, { arg: { note: journal.note } })
      const raw = new RawProcess()
      raw.subscribeTo(source, { partition: 'odd' })
      await sim.settle()
      expect(raw.of('cancelled')).toMatchObject([{ code: 'bad_options' }])
      expect(journal.of('cancel')).toMatchObject([['cancel', { code: 'bad_options' }]])
      expect(source.alive).toBe(true)
    })
  })
})

describe('what a dispatcher keeps', () => {
  it('is counted with what waits in the buffer', async () => {
    await simulate().run(async () => {
      class Keeping extends Odd {
        readonly #kept: unknown[] = []
        get kept(): number {
          return this.#kept.length
        }
        override dispatch(events: readonly unknown[]): readonly unknown[] {
          this.#kept.push(...events.slice(0, 2))
          return events.slice(2)
        }
      }
      const source = await startSource(new Keeping({}))
      await source.call.give(...range(1, 5))
      expect(await estimateBufferedCount(source)).toBe(5)
      expect((await stageInfo(source)).buffered).toBe(5)
    })
  })
})
