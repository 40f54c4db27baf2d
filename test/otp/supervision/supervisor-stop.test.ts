import {
  CallError,
  Consumer,
  child,
  DynamicSupervisor,
  Exit,
  GenServer,
  name,
  Producer,
  type Ref,
  Supervisor,
  supervise,
  whereis,
} from 'sluice'
import { type Simulation, simulate } from 'sluice/testing'
import { describe, expect, it } from 'vitest'
import { running, SlowWorker, Worker, worker } from '../../support/workers.ts'

const run = (test: (sim: Simulation) => Promise<void>) => simulate().run(test)

class Plain extends GenServer {
  ping() {
    return 'pong'
  }
}

/** Starts a supervisor that stays on the list of the simulation while its end is watched. */
async function stopping(sim: Simulation, spec: ReturnType<typeof child>) {
  const supervisor = await supervise({ strategy: 'one_for_one', children: [spec] })
  const only = sim.processes.find(({ id }) => id !== supervisor.id)
  if (only === undefined) throw new Error('the child does not run')
  return { supervisor, only }
}

/** Nothing is left: no process, no timer. */
function expectNothingLeft(sim: Simulation) {
  expect({ processes: sim.processes.map(String), timers: sim.clock.pending }).toEqual({ processes: [], timers: 0 })
}

describe('stopping a supervisor', () => {
  it('S59 ends a child that does not trap exits at once with shutdown', () =>
    run(async (sim) => {
      const { supervisor, only } = await stopping(sim, child(Plain, { shutdown: 5000 }))
      await supervisor.stop()
      expect(await only.done).toBe('shutdown')
      expect(sim.now).toBe(0)
      expectNothingLeft(sim)
    }))

  it('S60 kills a child that hangs when its shutdown has passed', () =>
    run(async (sim) => {
      const arg = { id: 'slow', ms: 1_000_000 }
      const { supervisor, only } = await stopping(sim, child(SlowWorker, { arg, shutdown: 50 }))
      const stopped = supervisor.stop()
      await sim.advance(49)
      expect(only.alive).toBe(true)
      await sim.advance(1)
      await stopped
      expect(await only.done).toBe('killed')
      expect(sim.now).toBe(50)
      expectNothingLeft(sim)
    }))

  it('S60 gives a worker 5 seconds by default', () =>
    run(async (sim) => {
      const { supervisor, only } = await stopping(sim, child(SlowWorker, { arg: { id: 'slow', ms: 1_000_000 } }))
      const stopped = supervisor.stop()
      await sim.advance(4999)
      expect(only.alive).toBe(true)
      await sim.advance(1)
      await stopped
      expect(only.alive).toBe(false)
    }))

  it('S60 waits as long as it takes with Infinity', () =>
    run(async (sim) => {
      class Thorough extends SlowWorker {
        static override readonly stopTimeout: number = Infinity
      }
      const journal: string[] = []
      const arg = { id: 'slow', ms: 3_600_000, journal: (line: string) => void journal.push(line) }
      const { supervisor, only } = await stopping(sim, child(Thorough, { arg, shutdown: Infinity }))
      const stopped = supervisor.stop()
      await sim.advance(3_599_999)
      expect(only.alive).toBe(true)
      await sim.advance(1)
      await stopped
      expect(await only.done).toBe('shutdown')
      expect(journal).toEqual(['start slow', 'stopping slow', 'stopped slow'])
    }))

  it('S60 waits as long as it takes with Infinity, also for a class with the usual deadline', () =>
    run(async (sim) => {
      const { supervisor, only } = await stopping(
        sim,
        child(SlowWorker, { arg: { id: 'slow', ms: 60_000 }, shutdown: Infinity }),
      )
      const stopped = supervisor.stop()
      await sim.advance(59_999)
      expect(only.alive).toBe(true)
      await sim.advance(1)
      await stopped
      expect(await only.done).toBe('shutdown')
    }))

  it('S60 kills at once with brutal_kill', () =>
    run(async (sim) => {
      const journal: string[] = []
      const arg = { id: 'slow', ms: 10, journal: (line: string) => void journal.push(line) }
      const { supervisor, only } = await stopping(sim, child(SlowWorker, { arg, shutdown: 'brutal_kill' }))
      await supervisor.stop()
      expect(await only.done).toBe('killed')
      expect(journal).toEqual(['start slow'])
      expectNothingLeft(sim)
    }))

  it('S61 is not held up by a child that unlinked itself', () =>
    run(async (sim) => {
      const supervisor = await supervise({ strategy: 'one_for_one', children: [worker('a')] })
      const loner = await running(supervisor, 'a')
      await loner.call.unlinkFrom(supervisor)
      await supervisor.stop()
      expect(await loner.done).toBe('shutdown')
      expectNothingLeft(sim)
    }))

  it('S61 is not held up by a child that unlinked itself and has ended', () =>
    run(async (sim) => {
      const supervisor = await supervise({ strategy: 'one_for_one', children: [worker('a')] })
      const loner = await running(supervisor, 'a')
      await loner.call.unlinkFrom(supervisor)
      loner.kill()
      await supervisor.stop()
      expectNothingLeft(sim)
    }))

  it('S72 happens when its parent ends, even with normal', () =>
    run(async (sim) => {
      const journal: string[] = []
      class Parent extends GenServer {
        async adopt() {
          const children = [worker('a', (line) => void journal.push(line))]
          return await this.startLink(Supervisor, { arg: { strategy: 'one_for_one', children } })
        }
      }
      const root = await supervise({ strategy: 'one_for_one', children: [child(Parent, { name: Parent })] })
      const supervisor = await whereis(Parent)?.call.adopt()
      await root.call.terminateChild(Parent)
      await supervisor?.done
      expect(journal).toEqual(['start a', 'stop a: shutdown'])
      expect(sim.processes).toEqual([root])
    }))

  it('S72 happens when its parent stops with normal', () =>
    run(async () => {
      class Parent extends GenServer {
        async adopt(): Promise<Ref<Supervisor>> {
          return await this.startLink(Supervisor, { arg: { strategy: 'one_for_one', children: [worker('a')] } })
        }
        leave() {
          this.stop('normal')
        }
      }
      await supervise({ strategy: 'one_for_one', children: [child(Parent, { name: Parent, restart: 'temporary' })] })
      const supervisor = await whereis(Parent)?.call.adopt()
      if (supervisor === undefined) throw new Error('Parent does not run')
      const grandchild = await running(supervisor, 'a')
      whereis(Parent)?.cast.leave()
      expect(await supervisor.done).toBe('normal')
      expect(await grandchild.done).toBe('shutdown')
    }))

  it('stops nested supervisors with their children, in reverse order', () =>
    run(async (sim) => {
      const journal: string[] = []
      const write = (line: string) => void journal.push(line)
      const branch = (id: string, ...ids: string[]) =>
        child(Supervisor, { id, arg: { strategy: 'one_for_one', children: ids.map((each) => worker(each, write)) } })
      const root = await supervise({
        strategy: 'one_for_one',
        children: [branch('left', 'a', 'b'), worker('c', write), branch('right', 'd', 'e')],
      })
      journal.length = 0
      await root.stop()
      expect(journal).toEqual(['e', 'd', 'c', 'b', 'a'].map((id) => `stop ${id}: shutdown`))
      expectNothingLeft(sim)
    }))

  it('is what leaving an await using block does', () =>
    run(async (sim) => {
      const journal: string[] = []
      {
        await using supervisor = await supervise({
          strategy: 'one_for_one',
          children: [worker('a', (line) => void journal.push(line))],
        })
        expect(supervisor.alive).toBe(true)
      }
      expect(journal).toEqual(['start a', 'stop a: shutdown'])
      expectNothingLeft(sim)
    }))

  it('frees the names of all children', () =>
    run(async () => {
      const children = [child(Worker, { name: Worker, arg: { id: 'a' } }), child(Plain, { name: Plain })]
      const supervisor = await supervise({ strategy: 'one_for_one', name: Supervisor, children })
      expect([whereis(Worker), whereis(Plain), whereis(Supervisor)]).not.toContain(undefined)
      await supervisor.stop()
      expect([whereis(Worker), whereis(Plain), whereis(Supervisor)]).toEqual([undefined, undefined, undefined])
    }))

  it('is refused to a child that would wait for its own end; the child can ask for it by cast', () =>
    run(async (sim) => {
      class Rebel extends GenServer {
        overthrow(supervisor: Ref) {
          void supervisor.stop()
        }
      }
      const supervisor = await supervise({ strategy: 'one_for_one', children: [child(Rebel, { name: Rebel })] })
      whereis(Rebel)?.cast.overthrow(supervisor)
      expect(await supervisor.done).toBe('normal')
      expectNothingLeft(sim)
    }))

  it('with drain lets producers hand on what they hold before consumers end', () =>
    run(async (sim) => {
      const handled: number[] = []
      class Numbers extends Producer<number> {
        override handleDemand() {}
        add(numbers: readonly number[]) {
          this.emit(numbers)
        }
      }
      class Slow extends Consumer<number> {
        override async handleEvents(numbers: readonly number[]) {
          await this.sleep(10)
          handled.push(...numbers)
        }
      }
      const supervisor = await supervise({
        strategy: 'rest_for_one',
        children: [
          child(Numbers, { name: Numbers, shutdown: 60_000 }),
          child(Slow, { subscribeTo: [{ to: Numbers, maxDemand: 2, cancel: 'transient' }], shutdown: 60_000 }),
        ],
      })
      await sim.settle()
      whereis(Numbers)?.cast.add([1, 2, 3, 4, 5, 6, 7])
      const stopped = supervisor.stop({ drain: true })
      await sim.advance(1000)
      await stopped
      expect(handled).toEqual([1, 2, 3, 4, 5, 6, 7])
      expectNothingLeft(sim)
    }))

  it('with drain lets servers finish in reverse order, so that what they use is still there', () =>
    run(async (sim) => {
      const answers: unknown[] = []
      class Orders extends GenServer {
        async take(order: number) {
          await this.sleep(100)
          answers.push(await name(Plain).call.ping(), order)
        }
      }
      const children = [child(Plain, { name: Plain }), child(Orders, { name: Orders })]
      const supervisor = await supervise({ strategy: 'one_for_one', children })
      for (const order of [1, 2]) name(Orders).cast.take(order)
      const stopped = supervisor.stop({ drain: true })
      await sim.advance(200)
      await stopped
      expect(answers).toEqual(['pong', 1, 'pong', 2])
      expectNothingLeft(sim)
    }))

  it.each([
    ['that does not finish', Infinity, 0],
    ['that finishes, and then does not stop', 600, Infinity],
  ])('with drain gives a child its time once: one %s', (_which, drains, stops) =>
    run(async (sim) => {
      class Stuck extends GenServer {
        override async handleDrain() {
          await this.sleep(drains)
        }
        override async terminate() {
          await this.sleep(stops)
        }
      }
      const stuck = () => child(Stuck, { shutdown: 1000 })
      const inner = child(Supervisor, { arg: { strategy: 'one_for_one', children: [stuck()] } })
      const dynamic = child(DynamicSupervisor, { name: DynamicSupervisor })
      const supervisor = await supervise({ strategy: 'one_for_one', children: [inner, dynamic] })
      await name(DynamicSupervisor).call.startChild(stuck())
      const stopped = supervisor.stop({ drain: true })
      // One supervisor after the other.
      await sim.advance(1999)
      expect(supervisor.alive).toBe(true)
      await sim.advance(1)
      expect(supervisor.alive).toBe(false)
      await stopped
      expectNothingLeft(sim)
    }),
  )

  it('with drain lets stages finish in the order of events, between the servers around them', () =>
    run(async (sim) => {
      const journal: string[] = []
      const ends = (id: string) => () => void journal.push(id)
      class Numbers extends Producer<number> {
        override handleDemand() {}
        override terminate() {
          journal.push('producer')
        }
      }
      class Sink extends Consumer<number> {
        constructor(ended: () => void) {
          super({ subscribeTo: [{ to: Numbers, cancel: 'temporary' }] })
          this.#ended = ended
        }
        readonly #ended: () => void
        override handleEvents() {}
        override terminate() {
          this.#ended()
        }
      }
      const sinks = [child(Sink, { arg: ends('consumer') }), worker('sink', (line) => void journal.push(line))]
      const supervisor = await supervise({
        strategy: 'one_for_one',
        children: [
          worker('database', (line) => void journal.push(line)),
          child(Numbers, { name: Numbers }),
          worker('settings', (line) => void journal.push(line)),
          child(Supervisor, { id: 'sinks', arg: { strategy: 'one_for_one', children: sinks } }),
          child(DynamicSupervisor),
          worker('web', (line) => void journal.push(line)),
        ],
      })
      journal.length = 0
      await supervisor.stop({ drain: true })
      expect(journal).toEqual([
        'stop web: shutdown',
        'producer',
        'stop sink: shutdown',
        'consumer',
        'stop settings: shutdown',
        'stop database: shutdown',
      ])
      expectNothingLeft(sim)
    }))

  it('fails with timeout at its own deadline, and the children still have theirs', () =>
    run(async (sim) => {
      const children = [worker('a'), child(SlowWorker, { id: 'slow', arg: { id: 'slow', ms: 1_000_000 } })]
      const supervisor = await supervise({ strategy: 'one_for_one', children })
      const slow = await running(supervisor, 'slow')
      const stopped = supervisor.stop({ timeout: 20 }).catch((error: unknown) => error)
      await sim.advance(20)
      expect(await stopped).toBeInstanceOf(CallError)
      expect(await stopped).toMatchObject({ code: 'timeout' })
      expect(sim.takeUncaught()).toHaveLength(1)
      expect(sim.processes).toEqual([slow])
      await sim.advance(4980)
      expectNothingLeft(sim)
    }))
})

describe('a supervisor that is killed', () => {
  it('takes its children along: those that do not trap at once, the others after their terminate', () =>
    run(async (sim) => {
      const journal: string[] = []
      const children = [worker('a', (line) => void journal.push(line)), child(Plain)]
      const supervisor = await supervise({ strategy: 'one_for_one', children })
      supervisor.kill()
      await sim.settle()
      expect(journal).toEqual(['start a', 'stop a: killed'])
      expect(sim.takeUncaught()).toHaveLength(1)
      expectNothingLeft(sim)
    }))

  it('while a child starts leaves nothing of that child', () =>
    run(async (sim) => {
      const init = (self: Worker) => self.sleep(100)
      const started = supervise({
        strategy: 'one_for_one',
        name: Supervisor,
        children: [worker('a', undefined, { init })],
      })
      const failed = started.catch((error: unknown) => error)
      await sim.settle()
      whereis(Supervisor)?.kill()
      expect(await failed).toMatchObject({ code: 'start_failed', reason: 'killed' })
      await sim.advance(1000)
      expectNothingLeft(sim)
    }))

  it('is restarted by its own supervisor, with new children, when the old ones are gone or going', () =>
    run(async (sim) => {
      const journal: string[] = []
      const inner = child(Supervisor, {
        id: 'inner',
        name: Supervisor,
        arg: { strategy: 'one_for_one', children: [worker('a', (line) => void journal.push(line))] },
      })
      await supervise({ strategy: 'one_for_one', children: [inner] })
      whereis(Supervisor)?.kill()
      await sim.settle()
      expect(journal.toSorted()).toEqual(['start a', 'start a', 'stop a: killed'])
      expect(sim.processes).toHaveLength(3)
    }))
})

describe('exit signals between children', () => {
  it('reach a child that traps them as Exit messages', () =>
    run(async (sim) => {
      const seen: unknown[] = []
      class Watcher extends GenServer {
        watch(other: Ref) {
          this.trapExits(true)
          this.link(other)
        }
        override handleInfo(message: unknown) {
          if (message instanceof Exit) seen.push(message.reason)
        }
      }
      const supervisor = await supervise({
        strategy: 'one_for_one',
        children: [worker('a'), child(Watcher, { name: Watcher })],
      })
      await whereis(Watcher)?.call.watch(await running(supervisor, 'a'))
      ;(await running(supervisor, 'a')).kill()
      await sim.settle()
      expect(seen).toEqual(['killed'])
    }))
})
