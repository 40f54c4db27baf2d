import fc from 'fast-check'
import {
  asyncSubscribe,
  ConsumerSupervisor,
  fromIterable,
  GenServer,
  manual,
  name,
  type Ref,
  type Subscription,
  type SyncSubscribeOptions,
  start,
  startLink,
  syncSubscribe,
} from 'sluice'
import { type Simulation, simulate } from 'sluice/testing'
import { describe, expect, it } from 'vitest'
import { Children, kinds } from '../../support/event-children.ts'
import { cancelFrom, RawProcess } from '../../support/raw-process.ts'
import { settlement } from '../../support/settlement.ts'
import { Counter, range, Source } from '../../support/stages.ts'

const run = (test: (sim: Simulation) => Promise<void>) => simulate().run(test)

const letters = [...'abcdefghijklmnopqrstuvwxyz']

describe.each(kinds)('the demand of a ConsumerSupervisor, its children being %s', (kind) => {
  /** A supervisor that a raw process serves. */
  async function served(limits: { readonly maxDemand: number; readonly minDemand?: number }) {
    const children = new Children()
    const supervisor = await children.start(kind)
    const raw = new RawProcess()
    const subscription = raw.acceptFrom(supervisor, limits)
    return { children, supervisor, raw, subscription, asked: () => raw.of('ask') }
  }

  it('S254 with 3 and 2 is told after two ends, not after one', () =>
    run(async (sim) => {
      const { children, subscription, asked } = await served({ maxDemand: 3, minDemand: 2 })
      subscription.deliver(['a', 'b', 'c'])
      await sim.settle()
      children.finish('b')
      await sim.settle()
      expect(asked()).toEqual([3])
      children.finish('a')
      await sim.settle()
      expect(asked()).toEqual([3, 2])
    }))

  it('S255 with 10 and 7 is told after the seventh end, when three still run', () =>
    run(async (sim) => {
      const { children, supervisor, subscription, asked } = await served({ maxDemand: 10, minDemand: 7 })
      const events = letters.slice(0, 10)
      subscription.deliver(events)
      await sim.settle()
      for (const event of events.slice(0, 6)) {
        children.finish(event)
        await sim.settle()
      }
      expect(asked()).toEqual([10])
      children.finish('g')
      await sim.settle()
      expect(asked()).toEqual([10, 7])
      expect(await supervisor.call.countChildren()).toMatchObject({ active: 3 })
    }))

  it('S256 with 3 and 0 is told after each end, not when fewer events come than it asked for', () =>
    run(async (sim) => {
      const { children, subscription, asked } = await served({ maxDemand: 3, minDemand: 0 })
      subscription.deliver(['a', 'b'])
      await sim.settle()
      expect(asked()).toEqual([3])
      children.finish('a')
      await sim.settle()
      children.finish('b')
      await sim.settle()
      expect(asked()).toEqual([3, 1, 1])
    }))

  it('has the defaults of every subscription: 1000, and more after 500 ends', () =>
    run(async (sim) => {
      const children = new Children()
      const supervisor = await children.start(kind)
      const raw = new RawProcess()
      const events = range(0, 999).map(String)
      raw.acceptFrom(supervisor).deliver(events)
      await sim.settle()
      children.finish(...events.slice(0, 499))
      await sim.settle()
      expect(raw.of('ask')).toEqual([1000])
      children.finish('499')
      await sim.settle()
      expect(raw.of('ask')).toEqual([1000, 500])
    }))

  it('S261 when a temporary producer has gone, the children go on and nobody is asked', () =>
    run(async (sim) => {
      const children = new Children()
      const supervisor = await children.start(kind)
      const raw = new RawProcess()
      raw.acceptFrom(supervisor, { maxDemand: 2, minDemand: 0, cancel: 'temporary' }).deliver(['a', 'b'])
      const other = new RawProcess()
      other.acceptFrom(supervisor, { maxDemand: 2, minDemand: 0 })
      await sim.settle()
      raw.exit('boom')
      await sim.settle()
      expect(await supervisor.call.countChildren()).toMatchObject({ active: 2 })
      children.finish('a', 'b')
      await sim.settle()
      expect(await supervisor.call.countChildren()).toMatchObject({ active: 0 })
      expect([raw.of('ask'), other.of('ask')]).toEqual([[2], [2]])
    }))

  it('S264 events beyond what was asked for are reported and started, and refill nothing', () =>
    run(async (sim) => {
      const { children, supervisor, raw, subscription, asked } = await served({ maxDemand: 3, minDemand: 0 })
      const events = ['a', 'b', 'c', 'd', 'e']
      subscription.deliver(events)
      await sim.settle()
      expect(children.sorted).toEqual(events)
      expect(sim.logs.filter(({ level }) => level !== 'debug')).toEqual([
        {
          level: 'error',
          fields: { process: `${supervisor}`, producer: `${raw}`, excess: 2 },
          message: `${supervisor} got 2 events more than it asked ${raw} for`,
        },
      ])
      for (const event of events) {
        children.finish(event)
        await sim.settle()
      }
      expect(asked()).toEqual([3, 1, 1, 1])
      subscription.deliver(['f', 'g', 'h', 'i'])
      await sim.settle()
      expect(sim.logs.map(({ fields }) => fields)).toContainEqual(expect.objectContaining({ excess: 1 }))
    }))

  it('S264 events that come before any place is free are beyond it too', () =>
    run(async (sim) => {
      const { children, subscription, asked } = await served({ maxDemand: 3, minDemand: 2 })
      subscription.deliver(['a', 'b', 'c'])
      await sim.settle()
      children.finish('a')
      await sim.settle()
      // One place is free, and was not asked for.
      subscription.deliver(['d'])
      await sim.settle()
      expect(sim.logs).toMatchObject([{ fields: { excess: 1 } }])
      children.finish('b')
      await sim.settle()
      expect(asked()).toEqual([3])
      children.finish('c')
      await sim.settle()
      expect(asked()).toEqual([3, 2])
    }))

  it('is that of each producer by itself', () =>
    run(async (sim) => {
      const { children, supervisor, subscription, asked } = await served({ maxDemand: 2, minDemand: 0 })
      const other = new RawProcess()
      other.acceptFrom(supervisor, { maxDemand: 1, minDemand: 0 }).deliver(['x'])
      subscription.deliver(['a', 'b'])
      await sim.settle()
      children.finish('x')
      await sim.settle()
      expect([asked(), other.of('ask')]).toEqual([[2], [1, 1]])
      children.finish('a')
      await sim.settle()
      expect([asked(), other.of('ask')]).toEqual([
        [2, 1],
        [1, 1],
      ])
    }))

  it.each(range(1, 10))(
    'every event is handled once, with no more children than maxDemand, in the order of seed %i',
    async (seed) => {
      await simulate({ seed }).run(async (sim) => {
        const source = await startLink(Counter, { arg: { until: 200 } })
        const limits = { maxDemand: 1 + (seed % 7), minDemand: seed % 3 === 0 ? Math.floor((seed % 7) / 2) : 0 }
        const children = new Children()
        const supervisor = await start(ConsumerSupervisor<unknown>, {
          arg: children.options(kind) as never,
          subscribeTo: [{ to: source, ...limits }],
        })
        let most = 0
        for (let turn = 0; turn < 10_000 && children.started.length < 200; turn++) {
          await sim.settle()
          const { running } = children
          most = Math.max(most, running.length)
          // Whoever the seed says is done.
          if (running.length > 0) children.finish(running[(turn * seed) % running.length] as string)
        }
        expect(most).toBeLessThanOrEqual(limits.maxDemand)
        expect(new Set(children.started).size).toBe(200)
        await sim.settle()
        children.finish(...children.running)
        await sim.settle()
        expect(await supervisor.call.countChildren()).toMatchObject({ active: 0 })
      })
    },
  )
})

describe('a function that awaits nothing', () => {
  it('is done on return: the places of a message are asked for together', () =>
    run(async () => {
      const seen: string[] = []
      const supervisor = await start(ConsumerSupervisor<string>, { arg: { run: (event) => void seen.push(event) } })
      const raw = new RawProcess()
      raw.acceptFrom(supervisor, { maxDemand: 3, minDemand: 0 }).deliver(['a', 'b', 'c'])
      await supervisor.call.countChildren()
      expect(seen).toEqual(['a', 'b', 'c'])
      expect(raw.of('ask')).toEqual([3, 3])
    }))

  it('that throws is a child that crashed', () =>
    run(async (sim) => {
      const tries: string[] = []
      const supervisor = await start(ConsumerSupervisor<string>, {
        arg: {
          restart: 'transient',
          run: function scrape(event) {
            tries.push(event)
            if (tries.length < 3) throw new Error('boom')
          },
        },
      })
      const raw = new RawProcess()
      raw.acceptFrom(supervisor, { maxDemand: 2, minDemand: 0 }).deliver(['a'])
      await sim.settle()
      expect(tries).toEqual(['a', 'a', 'a'])
      expect(raw.of('ask')).toEqual([2, 1])
      expect(sim.logs.map(({ message }) => message)).toEqual([
        expect.stringMatching(/^scrape#\d+ crashed: Error: boom$/),
        expect.stringMatching(/^scrape#\d+ crashed: Error: boom$/),
      ])
    }))

  it('may return something with a then', () =>
    run(async (sim) => {
      let finish = () => {}
      const thenable = {
        // biome-ignore lint/suspicious/noThenProperty: that is what it is about.
        then(resolve: () => void) {
          finish = resolve
        },
      }
      const supervisor = await start(ConsumerSupervisor<string>, { arg: { run: () => thenable } })
      const raw = new RawProcess()
      raw.acceptFrom(supervisor, { maxDemand: 1, minDemand: 0 }).deliver(['a'])
      await sim.settle()
      expect(raw.of('ask')).toEqual([1])
      finish()
      await sim.settle()
      expect(raw.of('ask')).toEqual([1, 1])
    }))

  it('goes through a whole source', () =>
    run(async () => {
      let sum = 0
      const supervisor = await startLink(ConsumerSupervisor<number>, {
        arg: { run: (n) => void (sum += n) },
        subscribeTo: [await fromIterable(range(1, 10_000))],
      })
      expect(await supervisor.done).toBe('normal')
      expect(sum).toBe(50_005_000)
    }))
})

describe('the subscriptions of a ConsumerSupervisor', () => {
  const idle = () => start(ConsumerSupervisor<unknown>, { arg: { run: () => {} } })

  it.each([
    [{ maxDemand: 0 }, 'expected an integer >= 1, got 0'],
    [{ maxDemand: 5, minDemand: 5 }, 'expected an integer from 0 to 4'],
    [{ cancel: 'sometimes' }, 'expected permanent, transient, temporary, got sometimes'],
    [{ maxDemnad: 5 }, 'no option maxDemnad'],
  ])('S265 with %j are refused as those of a consumer', (options, text) =>
    run(async () => {
      const source = await start(Source)
      const subscribeTo = [{ to: source, ...options } as SyncSubscribeOptions<unknown>]
      await expect(start(ConsumerSupervisor<unknown>, { arg: { run: () => {} }, subscribeTo })).rejects.toMatchObject({
        cause: { code: 'bad_options', message: expect.stringContaining(text) },
      })
      const supervisor = await idle()
      const subscribing = syncSubscribe(supervisor, { to: source, ...options } as SyncSubscribeOptions<unknown>)
      await expect(subscribing).rejects.toMatchObject({ code: 'bad_options', message: expect.stringContaining(text) })
      expect(supervisor.alive).toBe(true)
    }),
  )

  it.each(['permanent', 'transient', 'temporary'] as const)('S265 to a name that nobody bears, %s', (cancel) =>
    run(async (sim) => {
      const to = name(Source, 'nowhere')
      const { error } = await settlement(
        start(ConsumerSupervisor<unknown>, { arg: { run: () => {}, subscribeTo: [{ to, cancel }] } }),
      )
      if (cancel === 'temporary') expect(error).toBeUndefined()
      else expect(error).toMatchObject({ cause: { code: 'noproc' } })
      const supervisor = await idle()
      await expect(syncSubscribe(supervisor, { to, cancel })).rejects.toMatchObject({ code: 'noproc' })
      await sim.settle()
      expect(supervisor.alive).toBe(cancel === 'temporary')
    }),
  )

  it.each([
    ['permanent', 'noproc'],
    ['transient', 'noproc'],
    ['temporary', 'alive'],
  ] as const)('S265 to a dead producer, %s', (cancel, outcome) =>
    run(async (sim) => {
      const source = await start(Source)
      source.kill()
      const supervisor = await idle()
      asyncSubscribe(supervisor, { to: source, cancel })
      await sim.settle()
      expect(supervisor.alive ? 'alive' : await supervisor.done).toBe(outcome)
    }),
  )

  it('end it with a crash of a permanent producer, and its children with it', () =>
    run(async (sim) => {
      const children = new Children()
      const supervisor = await children.start('task')
      const raw = new RawProcess()
      raw.acceptFrom(supervisor).deliver(['a'])
      await sim.settle()
      const [{ ref } = { ref: undefined }] = await supervisor.call.whichChildren()
      raw.exit('boom')
      expect(await supervisor.done).toBe('boom')
      expect(await (ref as Ref).done).toBe('shutdown')
      expect(sim.logs.filter(({ level }) => level === 'warn')).toMatchObject([
        { message: expect.stringContaining('stops, because raw') },
      ])
    }))

  it('are told to handleSubscribe and handleCancel of a class of its own', () =>
    run(async (sim) => {
      const told: unknown[] = []
      class Own extends ConsumerSupervisor<string> {
        constructor() {
          super({ run: () => {} })
        }
        override handleSubscribe(peer: 'producer' | 'consumer', subscription: Subscription): undefined {
          told.push([peer, subscription])
          return undefined
        }
        override handleCancel(cancellation: object): void {
          told.push(cancellation)
        }
        override handleInfo(message: unknown): void {
          told.push(message)
        }
      }
      const own = await start(Own)
      const raw = new RawProcess()
      const subscription = raw.acceptFrom(own, { cancel: 'temporary' })
      own.send('hello')
      await sim.settle()
      cancelFrom(subscription, 'normal')
      await sim.settle()
      expect(told).toEqual([['producer', subscription], 'hello', { kind: 'cancel', reason: 'normal' }])
    }))

  it('may be refused by a stop in handleSubscribe', () =>
    run(async () => {
      class Picky extends ConsumerSupervisor<unknown> {
        constructor() {
          super({ run: () => {} })
        }
        override handleSubscribe(): undefined {
          this.stop('not_this_one')
          return undefined
        }
      }
      const source = await start(Source)
      const started = start(Picky, { subscribeTo: [source] })
      await expect(started).rejects.toMatchObject({ code: 'start_failed', reason: 'not_this_one' })
    }))

  it('cannot be manual: it asks as its children end', () =>
    run(async () => {
      class Manual extends ConsumerSupervisor<unknown> {
        constructor() {
          super({ run: () => {} })
        }
        override handleSubscribe(): undefined {
          return manual as unknown as undefined
        }
      }
      const source = await start(Source)
      await expect(start(Manual, { subscribeTo: [source] })).rejects.toMatchObject({
        cause: { code: 'bad_return', message: expect.stringContaining('asks as its children end') },
      })
    }))
})

describe('small mistakes with a ConsumerSupervisor', () => {
  it('handleEvents is not for it', () =>
    run(async () => {
      class Eager extends ConsumerSupervisor<string> {
        constructor() {
          super({ run: () => {} })
        }
        handleEvents(): void {}
      }
      await expect(start(Eager)).rejects.toMatchObject({
        code: 'bad_class',
        message: expect.stringContaining('handleEvents is no callback of'),
      })
    }))

  it('outside of the runtime it has no children', () => {
    const passive = new ConsumerSupervisor<string>({ run: () => {} })
    expect(() => passive.whichChildren()).toThrow('was made with new, it has no children')
  })

  it('an info to itself that nobody handles is reported', () =>
    run(async (sim) => {
      const supervisor = await start(ConsumerSupervisor<string>, { arg: { run: () => {} } })
      supervisor.send('hello')
      await sim.settle()
      expect(sim.logs).toMatchObject([{ level: 'warn', message: expect.stringContaining('has no handleInfo') }])
    }))

  it('whoever else it is linked to may end', () =>
    run(async (sim) => {
      class Other extends GenServer {}
      class Linked extends ConsumerSupervisor<string> {
        constructor() {
          super({ run: () => {} })
        }
        tie(ref: Ref): void {
          this.link(ref)
        }
      }
      const other = await start(Other)
      const linked = await start(Linked)
      await linked.call.tie(other)
      other.kill()
      await sim.settle()
      expect(linked.alive).toBe(true)
    }))
})

describe('an intake', () => {
  it('never has more on its way and running than maxDemand, whatever ends when', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          seed: fc.nat(),
          max: fc.integer({ min: 1, max: 12 }),
          min: fc.nat(11),
          kind: fc.constantFrom(...kinds),
          steps: fc.array(fc.record({ give: fc.nat(12), finish: fc.nat(12), fail: fc.boolean() }), { maxLength: 25 }),
        }),
        ({ seed, max, min, kind, steps }) =>
          simulate({ seed }).run(async (sim) => {
            const children = new Children()
            const supervisor = await children.start(kind)
            const raw = new RawProcess()
            const subscription = raw.acceptFrom(supervisor, { maxDemand: max, minDemand: min % max })
            let sent = 0
            const asked = () => raw.of('ask').reduce<number>((sum, demand) => sum + Number(demand), 0)
            for (const { give, finish, fail } of steps) {
              await sim.settle()
              expect(asked() - sent + children.running.length).toBeLessThanOrEqual(max)
              const events = range(1, Math.min(give, asked() - sent)).map(() => `event ${sent++}`)
              if (events.length > 0) subscription.deliver(events)
              await sim.settle()
              for (const event of children.running.slice(0, finish)) {
                if (fail) children.fail(event)
                else children.finish(event)
              }
            }
            await sim.settle()
            expect(children.started).toHaveLength(sent)
            children.finish(...children.running)
            await sim.settle()
            // No stall: what is free and not asked for is less than minDemand.
            expect(max - (asked() - sent)).toBeLessThan(Math.max(1, min % max))
            expect(sim.logs.filter(({ message }) => message.includes('more than it asked'))).toEqual([])
          }),
      ),
      { numRuns: 60 },
    )
  })
})
