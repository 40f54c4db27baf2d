import {
  child,
  DynamicSupervisor,
  formatNode,
  formatTree,
  GenServer,
  name,
  PartitionSupervisor,
  ProcessError,
  type ProcessNode,
  type Ref,
  Registry,
  Supervisor,
  start,
  supervise,
  supervisionTree,
  Task,
  TaskSupervisor,
  via,
  whereis,
} from 'sluice'
import { type Simulation, simulate } from 'sluice/testing'
import { describe, expect, it } from 'vitest'

const run = (test: (sim: Simulation) => Promise<void>) => simulate({ seed: 1 }).run(test)

class Worker extends GenServer {
  async work(ms: number) {
    await this.sleep(ms)
  }
  note() {}
  download(ms: number) {
    this.task(async function download(context) {
      await context.sleep(ms)
    })
  }
  /** What a callback sees of its own tree. */
  look() {
    return supervisionTree(this.self)
  }
  override async terminate() {
    await this.sleep(1000)
  }
}

class Ended extends GenServer {}

/** Without the numbers of processes, and the columns that depend on how long these are. */
const shown = (text: string) => text.replace(/#\d+/g, '').replace(/(?<=\S) {2,}/g, '  ')

describe('the supervision tree', () => {
  it('shows every kind of process, and what it is doing', () =>
    run(async (sim) => {
      class Jobs extends Registry<string> {}
      class Till extends Worker {}
      const shop = await supervise({
        strategy: 'one_for_one',
        children: [
          child(Jobs, { name: Jobs, arg: { keys: 'unique' } }),
          child(Till, { name: name(Till, 'north'), id: 'till' }),
          child(Worker, { id: 'by_key', name: via(Jobs, Worker, 'cleaning') }),
          child(Ended, { id: 'closed' }),
          child(Supervisor, { id: 'web', arg: { strategy: 'one_for_one', children: [child(Worker)] } }),
          child(DynamicSupervisor, { name: name(DynamicSupervisor, 'sessions') }),
          child(TaskSupervisor, { name: TaskSupervisor }),
          child(PartitionSupervisor<Worker>, { arg: { partitions: 2, child: child(Worker) } }),
        ],
      })
      await shop.call.terminateChild('closed')
      const dynamic = name(DynamicSupervisor, 'sessions').call
      const sessions = await Promise.all([1, 2].map(() => dynamic.startChild(child(Worker))))
      TaskSupervisor.startChild(TaskSupervisor, async function backup(context) {
        await context.sleep(1000)
      })
      const till = name(Till, 'north')
      await till.call.download(5000)
      till.cast.work(1000)
      for (let count = 0; count < 1200; count++) till.cast.note()
      sessions[0]?.kill()
      await sim.settle()
      expect(shown(formatTree(shop))).toBe(
        `
Supervisor  idle
├─ Jobs  idle
├─ till Till(north)  waits for work()  1,200 messages
│  └─ download (task)  running
├─ by_key Worker(Jobs/cleaning)  idle
├─ closed Ended  ended
├─ web Supervisor  idle
│  └─ Worker  idle
├─ DynamicSupervisor(sessions)  idle
│  ├─ Worker  idle
│  └─ Worker  idle  1 restart
├─ TaskSupervisor  idle
│  └─ backup (task)  running
└─ PartitionSupervisor  idle
   ├─ 0 Worker  idle
   └─ 1 Worker  idle
`.trim(),
      )
    }))

  it('numbers the processes', () =>
    run(async () => {
      const shop = await supervise({ strategy: 'one_for_one', children: [child(Ended)] })
      const ended = whereis(Ended)
      expect(ended).toBeUndefined()
      const [only] = await shop.call.whichChildren()
      if (typeof only?.ref !== 'object') throw new Error('it does not run')
      expect(formatTree(shop)).toBe(`Supervisor#${shop.id}  idle\n└─ Ended#${only.ref.id}    idle`)
    }))

  it('is plain data that is not changed by what comes later', () =>
    run(async () => {
      const shop = await supervise({ strategy: 'one_for_one', children: [child(Ended, { id: 'one' })] })
      const before = supervisionTree(shop)
      const copy = structuredClone(before)
      await shop.call.terminateChild('one')
      expect(before).toEqual(copy)
      expect(before).toEqual({
        process: shop.id,
        label: 'Supervisor',
        id: undefined,
        type: 'Supervisor',
        kind: 'supervisor',
        state: 'idle',
        waitingFor: undefined,
        stoppingFor: undefined,
        messages: 0,
        restarts: 0,
        more: 0,
        children: [expect.objectContaining({ id: 'one', type: 'Ended', kind: 'worker', state: 'idle', more: 0 })],
      })
      expect(supervisionTree(shop).children).toMatchObject([{ process: undefined, label: 'one', state: 'ended' }])
    }))

  it('shows a child that starts, while its supervisor waits for it', () =>
    run(async (sim) => {
      class Slow extends GenServer {
        override init() {
          return this.sleep(1000)
        }
      }
      const web = name(Supervisor, 'web')
      const starting = supervise({ name: web, strategy: 'one_for_one', children: [child(Ended), child(Slow)] })
      await sim.settle()
      expect(supervisionTree(web)).toMatchObject({
        state: 'starting',
        children: [
          { type: 'Ended', state: 'idle' },
          { type: 'Slow', state: 'starting', waitingFor: 'init', id: undefined },
        ],
      })
      await sim.advance(1000)
      await starting
      expect(supervisionTree(web)).toMatchObject({ state: 'idle', children: [{ id: 'Ended' }, { id: 'Slow' }] })
    }))

  it('shows a child that cannot be started again', () =>
    run(async () => {
      let broken = false
      class Shaky extends GenServer {
        override init() {
          if (broken) throw new Error('not again')
        }
      }
      // It looks by itself when it has tried in vain, before it tries again.
      class Curious extends Supervisor {
        seen: ProcessNode | undefined = undefined
        override async handleInfo(message: unknown) {
          await super.handleInfo(message)
          this.seen ??= supervisionTree(this.self)
        }
        look() {
          return this.seen
        }
      }
      const children = [child(Shaky, { name: Shaky })]
      const arg = { strategy: 'one_for_one', maxRestarts: 1_000_000, children } as const
      const curious = await start(Curious, { arg })
      broken = true
      whereis(Shaky)?.kill()
      const seen = await curious.call.look()
      expect(seen?.children).toMatchObject([{ process: undefined, type: 'Shaky', state: 'restarting', restarts: 1 }])
      broken = false
    }))

  it('shows who stops, for how long, and who still has to', () =>
    run(async (sim) => {
      const children = [child(Worker, { id: 'first' }), child(Worker, { id: 'second', shutdown: 60_000 })]
      const shop = await supervise({ strategy: 'one_for_one', children })
      const stopped = shop.stop()
      await sim.advance(400)
      expect(shown(formatTree(shop))).toBe(
        `
Supervisor  stopping, waits for terminate
├─ first Worker  idle
└─ second Worker  stopping for 400 ms, waits for terminate
`.trim(),
      )
      await sim.advance(2000)
      await stopped
      expect(formatTree(shop)).toBe(`Supervisor#${shop.id}  ended`)
    }))

  it('forgets that a child was stopped when it is started again', () =>
    run(async (sim) => {
      const shop = await supervise({ strategy: 'one_for_one', children: [child(Ended)] })
      await shop.call.terminateChild(Ended)
      await sim.advance(10)
      await shop.call.restartChild(Ended)
      expect(supervisionTree(shop).children).toMatchObject([{ state: 'idle', stoppingFor: undefined }])
    }))

  it('shows a dynamic child that stops', () =>
    run(async (sim) => {
      const sessions = await supervise({ strategy: 'one_for_one', children: [child(DynamicSupervisor, { id: 's' })] })
      const [only] = await sessions.call.whichChildren()
      if (typeof only?.ref !== 'object') throw new Error('it does not run')
      const dynamic = only.ref as Ref<DynamicSupervisor>
      const session = await DynamicSupervisor.startChild(dynamic, child(Worker))
      const stopped = session && dynamic.call.terminateChild(session)
      await sim.advance(10)
      expect(supervisionTree(dynamic)).toMatchObject({
        state: 'waiting',
        children: [{ state: 'stopping', stoppingFor: 10, waitingFor: 'terminate' }],
      })
      await sim.advance(1000)
      await stopped
      expect(supervisionTree(dynamic).children).toEqual([])
    }))

  it('may be looked at by a process of it', () =>
    run(async () => {
      const worker = await start(Worker, { name: Worker })
      expect(await worker.call.look()).toMatchObject({ process: worker.id, state: 'running' })
    }))

  it('ends where there are too many', () =>
    run(async () => {
      const dynamic = await start(DynamicSupervisor)
      await Promise.all(Array.from({ length: 1200 }, () => dynamic.call.startChild(child(Ended))))
      const tree = supervisionTree(dynamic, { limit: 2 })
      expect(tree).toMatchObject({ children: [{ type: 'Ended' }, { type: 'Ended' }], more: 1198 })
      expect(supervisionTree(dynamic).children).toHaveLength(1200)
      expect(shown(formatNode(tree))).toBe(
        `
DynamicSupervisor  idle
├─ Ended  idle
├─ Ended  idle
└─ and 1,198 more
`.trim(),
      )
      expect(formatTree(dynamic).split('\n')).toHaveLength(52)
    }))

  it('of a task shows what it has started', () =>
    run(async (sim) => {
      const task = Task.async(async function report(context) {
        context.task(async function part(inner) {
          await inner.sleep(100)
        })
        await context.sleep(1000)
      })
      await sim.settle()
      if (task.ref === undefined) throw new Error('it has no process')
      expect(shown(formatTree(task.ref))).toBe('report (task)  running\n└─ part (task)  running')
      await sim.advance(1000)
      await task.await()
    }))

  it.each([
    [() => supervisionTree(Worker), 'noproc', 'nobody bears the name Worker, so there is no tree below it'],
    [() => formatTree(name(Worker, 'x')), 'noproc', 'nobody bears the name Worker(x), so there is no tree below it'],
    [() => formatTree(Worker, { limit: -1 }), 'bad_argument', 'limit: expected a number >= 0, got -1'],
  ])('refuses %s', (look, code, message) =>
    run(async () => {
      expect(look).toThrow(ProcessError)
      expect(look).toThrow(expect.objectContaining({ code, message }))
    }),
  )
})
