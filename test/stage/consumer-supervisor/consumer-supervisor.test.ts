import {
  ConsumerSupervisor,
  type ConsumerSupervisorOptions,
  child,
  GenServer,
  ignore,
  type Ref,
  StartError,
  SupervisorError,
  start,
  supervisionTree,
} from 'sluice'
import { type Simulation, simulate } from 'sluice/testing'
import { describe, expect, it } from 'vitest'
import { alive, Children, kinds, refs } from '../../support/event-children.ts'
import { RawProcess } from '../../support/raw-process.ts'
import { refusal } from '../../support/workers.ts'

const run = (test: (sim: Simulation) => Promise<void>) => simulate().run(test)
const errors = (sim: Simulation) => sim.logs.filter(({ level }) => level === 'error').map(({ message }) => message)

/** Starts a supervisor with options that the compiler would refuse. */
const startWith = (options: object) =>
  start(ConsumerSupervisor<string>, { arg: options as ConsumerSupervisorOptions<string> })

describe('the options of a ConsumerSupervisor', () => {
  class Page extends GenServer {
    readonly length: number
    constructor(page: string) {
      super()
      this.length = page.length
    }
  }
  class NoProcess {}
  const work = () => {}

  it.each<[string, object, string | RegExp, string?]>([
    ['no options', undefined as unknown as object, 'the options'],
    ['nothing to start', {}, /needs either run, .*, or child, .*; got neither/],
    ['two things to start', { run: work, child: Page }, /got both/],
    ['a strategy', { run: work, strategy: 'one_for_all' }, /has no option strategy/],
    ['an option misspelt', { run: work, subscribeto: [] }, /has no option subscribeto: did you mean subscribeTo\?/],
    [
      'permanent tasks',
      { run: work, restart: 'permanent' },
      /restart of ConsumerSupervisor: expected transient or temp/,
    ],
    ['permanent children', { child: Page, restart: 'permanent' }, /started again when its event is done, for ever/],
    ['another restart', { run: work, restart: 'sometimes' }, /restart .* got sometimes$/],
    ['a bad shutdown', { child: Page, shutdown: -1 }, /shutdown .* expected milliseconds >= 0, .* got -1/],
    ['a bad timeout', { run: work, timeout: '5s' }, /timeout .* expected milliseconds >= 0 or Infinity, got 5s/],
    ['bad maxRestarts', { run: work, maxRestarts: -1 }, /maxRestarts .* got -1/],
    ['bad maxSeconds', { run: work, maxSeconds: 0 }, /maxSeconds .* got 0/],
    ['no function', { run: 'work' }, /run .* expected a function of the event, got work/],
    ['no class', { child: 5 }, /child .* expected a class whose argument is the event, or .* got 5/],
    ['a class of something else', { child: NoProcess }, /NoProcess is no class of processes/, 'bad_class'],
    [
      'a template with a restart',
      { child: () => child(Page, { arg: '' }), restart: 'transient' },
      /what child returns/,
    ],
    ['a template with a shutdown', { child: () => child(Page, { arg: '' }), shutdown: 1 }, /\{ shutdown \}/],
  ])('S251 %s: refused', (_what, options, text, code = 'bad_options') =>
    run(async (sim) => {
      const error = await startWith(options).catch((thrown: unknown) => thrown)
      expect(error).toBeInstanceOf(StartError)
      expect(error).toMatchObject({
        code,
        message: typeof text === 'string' ? expect.stringContaining(text) : expect.stringMatching(text),
      })
      expect(sim.processes).toEqual([])
    }),
  )

  it.each<[string, () => unknown, RegExp]>([
    ['permanent', () => child(Page, { arg: 'a' }), /restart of ConsumerSupervisor: .* got permanent/],
    ['significant', () => child(Page, { arg: 'a', restart: 'transient', significant: true }), /significant/],
    ['nothing', () => undefined, /expected children made by child\(Class, options\), got undefined/],
    ['an instance', () => new Page('a'), /expected children made by child/],
    ['with a bad option', () => child(Page, { arg: 'a', restrat: 'transient' } as never), /did you mean restart/],
  ])('S251 a child that is %s ends the supervisor, as it would be so for every event', (_what, template, text) =>
    run(async () => {
      const supervisor = await startWith({ child: template })
      new RawProcess().acceptFrom(supervisor).deliver(['a'])
      expect(await supervisor.done).toMatchObject({ name: 'StartError', message: expect.stringMatching(text) })
    }),
  )

  it('S251 init may decline', () =>
    run(async (sim) => {
      class Declining extends ConsumerSupervisor<string> {
        constructor() {
          super({ run: work })
        }
        override init(): void {
          throw ignore
        }
      }
      await expect(start(Declining)).rejects.toMatchObject({ code: 'ignore' })
      expect(sim.processes).toEqual([])
    }))
})

describe.each(kinds)('a child for each event: %s', (kind) => {
  it('S252 is listed and counted while it runs', () =>
    run(async (sim) => {
      const children = new Children()
      const supervisor = await children.start(kind)
      expect(await supervisor.call.countChildren()).toEqual({ specs: 1, active: 0, supervisors: 0, workers: 0 })
      const raw = new RawProcess()
      raw.acceptFrom(supervisor, { maxDemand: 10 }).deliver(['a', 'b', 'c'])
      await sim.settle()
      expect(children.sorted).toEqual(['a', 'b', 'c'])
      expect(await supervisor.call.countChildren()).toEqual({ specs: 1, active: 3, supervisors: 0, workers: 3 })
      const which = await supervisor.call.whichChildren()
      expect(which).toEqual(
        [0, 1, 2].map(() => ({ id: undefined, ref: expect.objectContaining({ alive: true }), type: 'worker' })),
      )
      expect(new Set(which.map(({ ref }) => ref)).size).toBe(3)
      // Asked for again they are the same.
      expect(await supervisor.call.whichChildren()).toEqual(which)
      expect(await supervisor.call.countChildren()).toEqual({ specs: 1, active: 3, supervisors: 0, workers: 3 })
      const tree = supervisionTree(supervisor)
      expect(tree).toMatchObject({ label: 'ConsumerSupervisor', kind: 'supervisor', children: { length: 3 } })
      const isTask = kind === 'task' || kind === 'bare'
      const node = { kind: isTask ? 'task' : 'worker', state: isTask ? 'running' : 'idle', id: undefined, restarts: 0 }
      expect(tree.children).toMatchObject([node, node, node])
      children.finish('b')
      await sim.settle()
      expect(await refs(supervisor)).toEqual([which[0]?.ref, which[2]?.ref])
      children.finish('a', 'c')
      await sim.settle()
      expect(await supervisor.call.countChildren()).toEqual({ specs: 1, active: 0, supervisors: 0, workers: 0 })
      expect(sim.logs).toEqual([])
      expect(raw.received.filter(([what]) => what === 'other')).toEqual([])
    }))

  it('S258 that is transient is started again with its event when it crashes, in its place, and done when it is done', () =>
    run(async (sim) => {
      const children = new Children()
      const supervisor = await children.start(kind, { restart: 'transient' })
      const raw = new RawProcess()
      raw.acceptFrom(supervisor, { maxDemand: 1, minDemand: 0 }).deliver(['a'])
      await sim.settle()
      children.fail('a')
      await sim.settle()
      expect(children.started).toEqual(['a', 'a'])
      expect(raw.of('ask')).toEqual([1])
      expect(await supervisor.call.countChildren()).toMatchObject({ active: 1, workers: 1 })
      children.fail('a')
      await sim.settle()
      children.finish('a')
      await sim.settle()
      expect(raw.of('ask')).toEqual([1, 1])
      expect(await refs(supervisor)).toEqual([])
      expect(sim.logs.filter(({ level }) => level !== 'debug')).toMatchObject(
        [0, 1].map((restarts) => ({ fields: { restarts }, message: expect.stringMatching(/crashed: Error: boom/) })),
      )
    }))

  it('that is temporary is done with any end, and a crash is reported once', () =>
    run(async (sim) => {
      const children = new Children()
      const supervisor = await children.start(kind)
      const raw = new RawProcess()
      raw.acceptFrom(supervisor, { maxDemand: 2, minDemand: 0 }).deliver(['a', 'b'])
      await sim.settle()
      children.fail('a')
      await sim.settle()
      expect(raw.of('ask')).toEqual([2, 1])
      expect(children.sorted).toEqual(['a', 'b'])
      const [report, ...others] = sim.logs.filter(({ level }) => level !== 'debug')
      expect(others).toEqual([])
      expect(report).toMatchObject({
        level: 'error',
        fields: { err: { message: 'boom' }, supervisor: `${supervisor}` },
      })
    }))

  it('S260 that has to be restarted more often than maxRestarts ends the supervisor', () =>
    run(async (sim) => {
      const children = new Children()
      const supervisor = await children.start(kind, { restart: 'transient', maxRestarts: 1 })
      new RawProcess().acceptFrom(supervisor).deliver(['a', 'b'])
      await sim.settle()
      for (const event of ['a', 'b']) {
        children.fail(event)
        await sim.settle()
      }
      expect(await supervisor.done).toBe('shutdown')
      expect(sim.processes).toHaveLength(1)
      expect(errors(sim)).toContainEqual(expect.stringMatching(/gave up: more than 1 restarts within 5 s/))
    }))

  it('S262 startChild starts one that takes no place', () =>
    run(async (sim) => {
      const children = new Children()
      const supervisor = await children.start(kind)
      const raw = new RawProcess()
      raw.acceptFrom(supervisor, { maxDemand: 1, minDemand: 0 })
      const ref = await supervisor.call.startChild('extra')
      await sim.settle()
      expect(ref?.alive).toBe(true)
      expect(children.started).toEqual(['extra'])
      expect(await refs(supervisor)).toEqual([ref])
      children.finish('extra')
      await sim.settle()
      expect(raw.of('ask')).toEqual([1])
      expect(await refs(supervisor)).toEqual([])
    }))

  it('S262 terminateChild ends one for good and frees its place', () =>
    run(async (sim) => {
      const children = new Children()
      const supervisor = await children.start(kind, { restart: 'transient' })
      const raw = new RawProcess()
      const subscription = raw.acceptFrom(supervisor, { maxDemand: 2, minDemand: 0 })
      subscription.deliver(['a', 'b'])
      await sim.settle()
      const [first, second] = await alive(supervisor)
      if (first === undefined) throw new Error('there is no child')
      expect(await supervisor.call.terminateChild(first)).toBeUndefined()
      expect(await first.done).toBe('shutdown')
      await sim.settle()
      expect(raw.of('ask')).toEqual([2, 1])
      expect(await refs(supervisor)).toEqual([second])
      const error = await refusal(supervisor.call.terminateChild(first))
      expect(error).toBeInstanceOf(SupervisorError)
      expect(error).toMatchObject({ code: 'not_found', message: expect.stringContaining(`${first}`) })
      // What it still does counts for nobody, also not for who has its place now.
      subscription.deliver(['c'])
      await sim.settle()
      if (kind === 'task' || kind === 'bare') children.finish('a')
      await sim.settle()
      expect(raw.of('ask')).toEqual([2, 1])
      expect(children.sorted).toEqual(['a', 'b', 'c'])
      expect(await alive(supervisor)).toHaveLength(2)
    }))

  it('is listed also when its place was that of another', () =>
    run(async (sim) => {
      const children = new Children()
      const supervisor = await children.start(kind)
      const subscription = new RawProcess().acceptFrom(supervisor, { maxDemand: 1, minDemand: 0 })
      const seen = new Set<Ref>()
      for (const event of ['a', 'b', 'c']) {
        subscription.deliver([event])
        await sim.settle()
        for (const ref of await alive(supervisor)) seen.add(ref)
        children.finish(event)
        await sim.settle()
      }
      expect(seen.size).toBe(3)
      expect(await Promise.all([...seen].map((ref) => ref.done))).toEqual(['normal', 'normal', 'normal'])
    }))

  it('that somebody else kills is abnormal: its place is free, or it comes again', () =>
    run(async (sim) => {
      for (const restart of ['temporary', 'transient'] as const) {
        const children = new Children()
        const supervisor = await children.start(kind, { restart })
        const raw = new RawProcess()
        raw.acceptFrom(supervisor, { maxDemand: 1, minDemand: 0 }).deliver(['a'])
        await sim.settle()
        for (const ref of await alive(supervisor)) ref.kill()
        await sim.settle()
        expect(raw.of('ask')).toEqual(restart === 'temporary' ? [1, 1] : [1])
        expect(children.started).toEqual(restart === 'temporary' ? ['a'] : ['a', 'a'])
      }
    }))

  it('that takes longer than the timeout is killed', () =>
    run(async (sim) => {
      const children = new Children()
      const supervisor = await children.start(kind, { timeout: 100 })
      const raw = new RawProcess()
      const subscription = raw.acceptFrom(supervisor, { maxDemand: 2, minDemand: 0 })
      subscription.deliver(['a', 'b'])
      await sim.advance(60)
      children.finish('a')
      await sim.settle()
      subscription.deliver(['c'])
      await sim.advance(41)
      expect(raw.of('ask')).toEqual([2, 1, 1])
      expect(await supervisor.call.countChildren()).toMatchObject({ active: 1 })
      const warned = sim.logs.filter(({ level }) => level === 'warn')
      expect(warned).toMatchObject([
        { message: expect.stringMatching(/was killed: it took longer than 100 ms/), fields: { timeout: 100 } },
      ])
      children.finish('c')
      await sim.settle()
      expect(sim.clock.pending).toBe(0)
    }))

  it('that is restarted after the timeout gets its time anew', () =>
    run(async (sim) => {
      const children = new Children()
      const supervisor = await children.start(kind, { timeout: 100, restart: 'transient' })
      new RawProcess().acceptFrom(supervisor).deliver(['a'])
      await sim.advance(150)
      expect(children.started).toEqual(['a', 'a'])
      await sim.advance(40)
      expect(children.started).toEqual(['a', 'a'])
      children.finish('a')
      await sim.settle()
      expect(sim.clock.pending).toBe(0)
    }))

  it('gets the event itself, not a copy', () =>
    run(async (sim) => {
      const seen: object[] = []
      class Child extends GenServer {
        constructor(event: object) {
          super()
          seen.push(event)
        }
      }
      const options: Record<typeof kind, ConsumerSupervisorOptions<object>> = {
        class: { child: Child },
        // What `child` is given is an argument, and copied like any other.
        template: { child: () => child(Child, { arg: event, restart: 'temporary' }) },
        task: { run: (given, _context) => void seen.push(given) },
        bare: { run: (given) => void seen.push(given) },
      }
      const event = { page: '/' }
      const supervisor = await start(ConsumerSupervisor<object>, { arg: options[kind] })
      new RawProcess().acceptFrom(supervisor).deliver([event])
      await sim.settle()
      expect(seen).toEqual([{ page: '/' }])
      expect(seen[0] === event).toBe(kind !== 'template')
    }))
})

describe('a child that does not start', () => {
  const refuse = (thrown: unknown) => () => {
    throw thrown
  }
  /** What `init` does for an event. */
  const scripts: Readonly<Record<string, (self: GenServer) => void | Promise<void>>> = {
    throws: refuse(new Error('no page')),
    'throws a word': refuse('no_page'),
    rejects: async (self) => {
      await self.sleep(5)
      throw new Error('no page')
    },
    exits: (self) => self.self.kill(),
    'declines to run': refuse(ignore),
    'declines later': async (self) => {
      await self.sleep(5)
      throw ignore
    },
  }
  class Scripted extends GenServer {
    readonly #event: string
    constructor(event: string) {
      super()
      this.#event = event
    }
    override init(): void | Promise<void> {
      return scripts[this.#event]?.(this)
    }
  }

  it.each(Object.keys(scripts))('S257 because it %s frees its place at once, and the supervisor goes on', (event) =>
    run(async (sim) => {
      const supervisor = await start(ConsumerSupervisor<string>, { arg: { child: Scripted } })
      const raw = new RawProcess()
      raw.acceptFrom(supervisor, { maxDemand: 2, minDemand: 0 }).deliver([event, 'fine'])
      await sim.advance(5)
      expect(await supervisor.call.countChildren()).toMatchObject({ active: 1, workers: 1 })
      expect(raw.of('ask')).toEqual([2, 1])
      const declined = event.startsWith('declines')
      expect(errors(sim)).toEqual(
        declined
          ? []
          : [expect.stringMatching(/ConsumerSupervisor#\d+ could not start a child for an event, .* lost: /)],
      )
    }),
  )

  it('S257 because its template throws frees its place at once, and the supervisor goes on', () =>
    run(async (sim) => {
      const supervisor = await start(ConsumerSupervisor<string>, {
        arg: {
          child: (event) => {
            if (event === 'a') throw new TypeError('no such page')
            return child(Scripted, { arg: event, restart: 'temporary' })
          },
        },
      })
      const raw = new RawProcess()
      raw.acceptFrom(supervisor, { maxDemand: 2, minDemand: 0 }).deliver(['a', 'b'])
      await sim.settle()
      expect(raw.of('ask')).toEqual([2, 1])
      expect(errors(sim)).toEqual([expect.stringMatching(/could not start a child .*: no such page/)])
      expect(await supervisor.call.countChildren()).toMatchObject({ active: 1 })
    }))

  it('S262 refuses startChild, and is not kept', () =>
    run(async (sim) => {
      const supervisor = await start(ConsumerSupervisor<string>, { arg: { child: Scripted } })
      expect(await refusal(supervisor.call.startChild('throws'))).toMatchObject({
        code: 'start_failed',
        cause: { message: 'no page' },
      })
      const late = refusal(supervisor.call.startChild('rejects'))
      await sim.advance(5)
      expect(await late).toMatchObject({ code: 'start_failed' })
      expect(await supervisor.call.startChild('declines to run')).toBeUndefined()
      expect(await refs(supervisor)).toEqual([])
    }))

  it('S253 with maxDemand 1 and minDemand 0 they come one at a time, and failures free their places', () =>
    run(async (sim) => {
      const journal: string[] = []
      class Child extends GenServer {
        readonly #event: string
        constructor(event: string) {
          super()
          this.#event = event
          journal.push(event)
          if (event.startsWith('error')) throw new Error('no page')
          if (event.startsWith('ignore')) throw ignore
          this.continue('work')
        }
        override async handleContinue(): Promise<void> {
          await this.sleep(10)
          journal.push(`${this.#event} done`)
          this.stop()
        }
      }
      const supervisor = await start(ConsumerSupervisor<string>, { arg: { child: Child } })
      const events = ['ok 1', 'error 2', 'ignore 3', 'ok 4', 'ok 5']
      const raw = new RawProcess()
      const subscription = raw.acceptFrom(supervisor, { maxDemand: 1, minDemand: 0 })
      for (let asked = 0; events.length > 0; asked++) {
        await sim.advance(0)
        if (raw.of('ask').length > asked) subscription.deliver(events.splice(0, 1))
        else {
          asked--
          await sim.advance(10)
        }
      }
      await sim.advance(10)
      expect(journal).toEqual(['ok 1', 'ok 1 done', 'error 2', 'ignore 3', 'ok 4', 'ok 4 done', 'ok 5', 'ok 5 done'])
      expect(raw.of('ask')).toEqual([1, 1, 1, 1, 1, 1])
    }))

  it('starts one after another, and handles nothing else meanwhile', () =>
    run(async (sim) => {
      const journal: string[] = []
      class Slow extends GenServer {
        readonly #event: string
        constructor(event: string) {
          super()
          this.#event = event
        }
        override async init(): Promise<void> {
          journal.push(`${this.#event} starts`)
          await this.sleep(10)
          journal.push(`${this.#event} runs`)
        }
      }
      const supervisor = await start(ConsumerSupervisor<string>, { arg: { child: Slow } })
      const raw = new RawProcess()
      raw.acceptFrom(supervisor).deliver(['a', 'b'])
      await sim.settle()
      const counted = supervisor.call.countChildren()
      await sim.advance(20)
      expect(await counted).toMatchObject({ active: 2 })
      expect(journal).toEqual(['a starts', 'a runs', 'b starts', 'b runs'])
    }))
})

describe('a child whose restart fails', () => {
  /** Fails at each restart while `failing`. */
  const stumbling = () => {
    const state = { failing: true, starts: 0 }
    class Stumbling extends GenServer {
      readonly first: boolean
      constructor(_event: string) {
        super()
        this.first = state.starts++ === 0
      }
      override async init(): Promise<void> {
        await this.sleep(10)
        if (!this.first && state.failing) throw new Error('stumbled')
      }
    }
    return { state, Stumbling }
  }

  it('S259 is told as restarting, keeps its place, and is forgotten by its old ref', () =>
    run(async (sim) => {
      const { state, Stumbling } = stumbling()
      const arg = { child: Stumbling, restart: 'transient', maxRestarts: 100 } as const
      const supervisor = await start(ConsumerSupervisor<string>, { arg })
      const raw = new RawProcess()
      const subscription = raw.acceptFrom(supervisor, { maxDemand: 1, minDemand: 0 })
      subscription.deliver(['a'])
      await sim.advance(10)
      const [ref] = await alive(supervisor)
      ref?.kill()
      await sim.settle()
      // Answered after the attempt that runs now has failed, before the next.
      const which = supervisor.call.whichChildren()
      const count = supervisor.call.countChildren()
      await sim.advance(10)
      expect(await which).toEqual([{ id: undefined, ref: 'restarting', type: 'worker' }])
      expect(await count).toEqual({ specs: 1, active: 0, supervisors: 0, workers: 1 })
      expect(raw.of('ask')).toEqual([1])
      const terminated = supervisor.call.terminateChild(ref as Ref)
      await sim.advance(10)
      expect(await terminated).toBeUndefined()
      expect(raw.of('ask')).toEqual([1, 1])
      state.failing = false
      subscription.deliver(['b'])
      await sim.advance(10)
      expect(await supervisor.call.countChildren()).toMatchObject({ active: 1, workers: 1 })
    }))

  it('S259 runs when one of the next attempts succeeds', () =>
    run(async (sim) => {
      const { state, Stumbling } = stumbling()
      const arg = { child: Stumbling, restart: 'transient', maxRestarts: 100 } as const
      const supervisor = await start(ConsumerSupervisor<string>, { arg })
      new RawProcess().acceptFrom(supervisor, { maxDemand: 1, minDemand: 0 }).deliver(['a'])
      await sim.advance(10)
      for (const ref of await alive(supervisor)) ref.kill()
      await sim.advance(15)
      state.failing = false
      await sim.advance(30)
      expect((await alive(supervisor)).map((ref) => ref.alive)).toEqual([true])
      expect(errors(sim)).toContainEqual(expect.stringMatching(/could not restart Stumbling and will try again/))
    }))

  it('that declines to be restarted frees its place', () =>
    run(async (sim) => {
      let starts = 0
      class Once extends GenServer {
        constructor(_event: string) {
          super()
          if (starts++ > 0) throw ignore
        }
      }
      const supervisor = await start(ConsumerSupervisor<string>, { arg: { child: Once, restart: 'transient' } })
      const raw = new RawProcess()
      raw.acceptFrom(supervisor, { maxDemand: 1, minDemand: 0 }).deliver(['a'])
      await sim.settle()
      for (const ref of await alive(supervisor)) ref.kill()
      await sim.settle()
      expect(raw.of('ask')).toEqual([1, 1])
      expect(await refs(supervisor)).toEqual([])
    }))
})

describe('a child that takes its time to stop', () => {
  it('S262 has its place until it has ended', () =>
    run(async (sim) => {
      class Slow extends GenServer {
        constructor(_event: string) {
          super()
        }
        override async terminate(): Promise<void> {
          await this.sleep(100)
        }
      }
      const supervisor = await start(ConsumerSupervisor<string>, { arg: { child: Slow } })
      const raw = new RawProcess()
      raw.acceptFrom(supervisor, { maxDemand: 1, minDemand: 0 }).deliver(['a'])
      await sim.settle()
      const [ref] = await alive(supervisor)
      const terminated = supervisor.call.terminateChild(ref as Ref)
      await sim.advance(99)
      expect(raw.of('ask')).toEqual([1])
      await sim.advance(1)
      await terminated
      expect(raw.of('ask')).toEqual([1, 1])
    }))
})
