import {
  run as application,
  ConsumerSupervisor,
  child,
  fromIterable,
  GenServer,
  IterableProducer,
  name,
  type Ref,
  start,
  startLink,
  supervise,
  whereis,
} from 'sluice'
import { type Simulation, simulate } from 'sluice/testing'
import { describe, expect, it } from 'vitest'
import { alive, Children, kinds } from '../../support/event-children.ts'
import { RawProcess } from '../../support/raw-process.ts'
import { Counter, Journal, range, Source } from '../../support/stages.ts'

const run = (test: (sim: Simulation) => Promise<void>) => simulate().run(test)

describe.each(kinds)('a drain of a ConsumerSupervisor, its children being %s,', (kind) => {
  it('asks for nothing more and ends with its last child', () =>
    run(async (sim) => {
      const journal = new Journal()
      const counter = await start(Counter, { arg: { until: 100, note: journal.note } })
      const children = new Children()
      const supervisor = await start(ConsumerSupervisor<unknown>, {
        arg: children.options(kind) as never,
        subscribeTo: [{ to: counter, maxDemand: 3, minDemand: 0 }],
      })
      await sim.settle()
      const stopping = supervisor.stop({ drain: true, reason: { shutdown: 'deploy' } })
      await sim.settle()
      for (const event of [...children.running]) {
        expect(supervisor.alive).toBe(true)
        children.finish(event)
        await sim.settle()
      }
      await stopping
      expect(children.started).toHaveLength(3)
      expect(journal.of('demand')).toEqual([3])
      expect(await supervisor.done).toEqual({ shutdown: 'deploy' })
      expect(counter.alive).toBe(true)
      expect(sim.clock.pending).toBe(0)
    }))

  it('without children ends at once', () =>
    run(async (sim) => {
      const children = new Children()
      const supervisor = await children.start(kind)
      await supervisor.stop({ drain: true })
      expect(sim.now).toBe(0)
    }))

  it('stops the children that take longer than their shutdown', () =>
    run(async (sim) => {
      const children = new Children()
      const supervisor = await children.start(kind)
      const raw = new RawProcess()
      raw.acceptFrom(supervisor, { cancel: 'temporary' }).deliver(['a', 'b'])
      await sim.settle()
      const extra = await supervisor.call.startChild('extra')
      const ends = (await alive(supervisor)).map((ref) => ref.done)
      const stopping = supervisor.stop({ drain: true })
      raw.exit('shutdown')
      await sim.advance(4999)
      children.finish('a', 'extra')
      await sim.settle()
      expect(supervisor.alive).toBe(true)
      await sim.advance(1)
      await stopping
      expect((await Promise.all(ends)).sort()).toEqual(['normal', 'normal', 'shutdown'])
      expect(extra?.alive).toBe(false)
      expect(sim.clock.pending).toBe(0)
    }))

  it('waits for those that startChild started', () =>
    run(async (sim) => {
      const children = new Children()
      const supervisor = await children.start(kind)
      await supervisor.call.startChild('extra')
      await sim.settle()
      const stopping = supervisor.stop({ drain: true })
      await sim.settle()
      expect(supervisor.alive).toBe(true)
      children.finish('extra')
      await stopping
      expect(sim.now).toBe(0)
    }))

  it('asks for nothing more, even if its producer does not hear that it goes', () =>
    run(async (sim) => {
      const children = new Children()
      const supervisor = await children.start(kind)
      const raw = new RawProcess()
      raw.acceptFrom(supervisor, { maxDemand: 2, minDemand: 0 }).deliver(['a', 'b'])
      await sim.settle()
      const stopping = supervisor.stop({ drain: true })
      children.finish('a', 'b')
      await sim.settle()
      expect(raw.of('ask')).toEqual([2])
      raw.exit('normal')
      await stopping
    }))

  it('lets what was on its way to it start, and what crashes be restarted', () =>
    run(async (sim) => {
      const children = new Children()
      const supervisor = await children.start(kind, { restart: 'transient' })
      const raw = new RawProcess()
      const subscription = raw.acceptFrom(supervisor, { maxDemand: 2, minDemand: 0, cancel: 'temporary' })
      const stopping = supervisor.stop({ drain: true })
      subscription.deliver(['late'])
      await sim.settle()
      raw.exit('shutdown')
      await sim.settle()
      children.fail('late')
      await sim.settle()
      expect(supervisor.alive).toBe(true)
      children.finish('late')
      await stopping
      expect(children.started).toEqual(['late', 'late'])
      expect(raw.of('ask')).toEqual([2])
    }))

  it('lets the children of a permanent producer that ends in order finish, however long that takes', () =>
    run(async (sim) => {
      const children = new Children()
      const supervisor = await children.start(kind)
      const raw = new RawProcess()
      raw.acceptFrom(supervisor, { maxDemand: 2, minDemand: 0 }).deliver(['a', 'b'])
      await sim.settle()
      raw.exit('normal')
      await sim.advance(1e6)
      expect(supervisor.alive).toBe(true)
      children.finish('a')
      await sim.settle()
      expect(supervisor.alive).toBe(true)
      children.finish('b')
      expect(await supervisor.done).toBe('normal')
      expect(sim.clock.pending).toBe(0)
    }))
})

describe('a child that neither finishes nor stops', () => {
  it('is killed when its time is over, which it has once', () =>
    run(async (sim) => {
      class Stuck extends GenServer {
        constructor(_event: string) {
          super()
        }
        override async terminate(): Promise<void> {
          await this.sleep(1e9)
        }
      }
      const supervisor = await start(ConsumerSupervisor<string>, { arg: { child: Stuck, shutdown: 300 } })
      await supervisor.call.startChild('a')
      const [ref] = await alive(supervisor)
      const stopping = supervisor.stop({ drain: true })
      await sim.advance(299)
      expect(ref?.alive).toBe(true)
      await sim.advance(1)
      await stopping
      expect([await ref?.done, sim.now]).toEqual(['killed', 300])
    }))
})

describe('an application that stops', () => {
  it.each(kinds)('waits for %s children, and tells which of them were dropped', (kind) =>
    run(async (sim) => {
      const children = new Children()
      const app = await application(
        [
          child(Source, { name: Source }),
          child(ConsumerSupervisor<string>, {
            arg: children.options(kind),
            subscribeTo: [{ to: Source as never, maxDemand: 3 }],
          }),
        ],
        { strategy: 'rest_for_one' },
      )
      await name(Source).call.give('a', 'b', 'c')
      await sim.settle()
      expect(children.sorted).toEqual(['a', 'b', 'c'])
      const stopping = app.stop()
      await sim.advance(1000)
      children.finish('a', 'b')
      await sim.advance(10_000)
      const { by, dropped } = await stopping
      expect(by).toBe('stop')
      // A class whose instance waits for nothing has nothing in hand.
      const has = kind === 'task' || kind === 'bare'
      expect(dropped).toEqual(has ? [expect.objectContaining({ killed: false, messages: 0, ms: 5000 })] : [])
      expect(sim.processes).toEqual([])
      expect(sim.clock.pending).toBe(0)
    }),
  )
})

describe('an application whose deadline passes', () => {
  it.each(kinds)('tells that its %s children were left, and kills them', (kind) =>
    run(async (sim) => {
      const children = new Children()
      const spec = child(ConsumerSupervisor<string>, { name: ConsumerSupervisor, arg: children.options(kind) })
      const app = await application([spec], { shutdown: 100 })
      const supervisor = whereis(ConsumerSupervisor<string>) as Ref<ConsumerSupervisor<string>>
      new RawProcess().acceptFrom(supervisor).deliver(['a', 'b'])
      await sim.settle()
      const stopping = app.stop()
      await sim.advance(100)
      const { dropped } = await stopping
      expect(dropped.filter(({ process }) => !process.startsWith('Con'))).toMatchObject([
        { killed: true },
        { killed: true },
      ])
      const [left] = sim.logs.filter(({ level }) => level === 'error').map(({ fields }) => fields)
      expect(left).toMatchObject({ left: expect.stringMatching(/├─ (Child|run)#\d+ .*\n.*└─ (Child|run)#\d+ /) })
    }),
  )
})

describe('the end of a source', () => {
  it('leaves the other producers of the supervisor, and ends it when all that they sent is done', () =>
    run(async (sim) => {
      const journal = new Journal()
      const endless = await start(Counter, { arg: { until: 1e9, note: journal.note } })
      const handled: unknown[] = []
      const supervisor = await start(ConsumerSupervisor<unknown>, {
        arg: {
          run: async (event, context) => {
            await context.sleep(10)
            handled.push(event)
          },
        },
        subscribeTo: [
          { to: endless, maxDemand: 2, minDemand: 0 },
          { to: await fromIterable(['a', 'b', 'c']), maxDemand: 2, minDemand: 0 },
        ],
      })
      await sim.advance(1000)
      expect(await supervisor.done).toBe('normal')
      const asked = journal.of('demand').reduce<number>((sum, demand) => sum + Number(demand), 0)
      expect(handled.filter((event) => typeof event === 'string').sort()).toEqual(['a', 'b', 'c'])
      expect(new Set(handled.filter((event) => typeof event === 'number'))).toEqual(new Set(range(0, asked - 1)))
      expect(handled).toHaveLength(asked + 3)
      expect(endless.alive).toBe(true)
    }))

  it('ends a tree with what it started for the last events', () =>
    run(async (sim) => {
      const handled: number[] = []
      const tree = await supervise({
        strategy: 'rest_for_one',
        autoShutdown: 'any_significant',
        children: [
          child(IterableProducer<number>, {
            name: IterableProducer,
            restart: 'transient',
            arg: { source: range(1, 25) },
          }),
          child(ConsumerSupervisor<number>, {
            restart: 'transient',
            significant: true,
            arg: {
              run: async (n, context) => {
                await context.sleep(n)
                handled.push(n)
              },
              subscribeTo: [{ to: IterableProducer<number>, maxDemand: 10 }],
            },
          }),
        ],
      })
      await sim.advance(1000)
      expect(await tree.done).toBe('shutdown')
      expect(handled.sort((a, b) => a - b)).toEqual(range(1, 25))
      expect(sim.processes).toEqual([])
    }))

  it('of a tree is drained with it', () =>
    run(async (sim) => {
      const above = new Journal()
      const handled: number[] = []
      const tree = await supervise({
        strategy: 'rest_for_one',
        children: [
          child(Counter, { arg: { until: 100_000, note: above.note }, name: Counter }),
          child(ConsumerSupervisor<number>, {
            arg: {
              run: async (n, context) => {
                await context.sleep(10)
                handled.push(n)
              },
            },
            subscribeTo: [{ to: Counter, maxDemand: 10, minDemand: 0 }],
          }),
        ],
      })
      await sim.advance(55)
      const stopping = tree.stop({ drain: true })
      await sim.advance(1000)
      await stopping
      const asked = above.of('demand').reduce<number>((sum, demand) => sum + Number(demand), 0)
      expect(handled.sort((a, b) => a - b)).toEqual(range(0, asked - 1))
      expect(asked).toBe(60)
      expect(sim.processes).toEqual([])
      expect(sim.clock.pending).toBe(0)
    }))

  it('is waited for by name, and a child class may be drained at its own pace', () =>
    run(async (sim) => {
      const handled: number[] = []
      class Job extends GenServer {
        readonly #n: number
        constructor(n: number) {
          super()
          this.#n = n
          this.continue('work')
        }
        override async handleContinue(): Promise<void> {
          await this.sleep(100)
          handled.push(this.#n)
          this.stop()
        }
      }
      class Jobs extends ConsumerSupervisor<number> {
        constructor() {
          super({ child: Job, subscribeTo: [{ to: IterableProducer<number>, maxDemand: 4 }] })
        }
      }
      await startLink(IterableProducer<number>, { name: IterableProducer, arg: { source: range(1, 10) } })
      const jobs = await startLink(Jobs, { name: Jobs })
      await sim.advance(300)
      expect(await jobs.done).toBe('normal')
      expect(handled).toHaveLength(10)
    }))
})
