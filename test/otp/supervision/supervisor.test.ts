import { child, GenServer, ignore, StartError, Supervisor, supervise, whereis } from 'sluice'
import { type Simulation, simulate } from 'sluice/testing'
import { describe, expect, it } from 'vitest'
import { numbers, running, SlowWorker, shown, Worker, worker } from '../../support/workers.ts'

const run = (test: (sim: Simulation) => Promise<void>) => simulate().run(test)

/** Three workers, a journal without their first starts, and their supervisor. */
async function three(
  strategy: 'one_for_one' | 'rest_for_one' | 'one_for_all',
  middle: Parameters<typeof worker>[2] = {},
) {
  const journal: string[] = []
  const write = (line: string) => void journal.push(line)
  const children = [worker('a', write), worker('b', write, middle), worker('c', write)]
  const supervisor = await supervise({ strategy, children })
  journal.length = 0
  return { supervisor, journal }
}

describe('a supervisor starts', () => {
  it('S45 its children in order and stops them in reverse, one at a time', () =>
    run(async (sim) => {
      const journal: string[] = []
      const write = (line: string) => void journal.push(line)
      const slow = (id: string) => child(SlowWorker, { id, arg: { id, journal: write, ms: 10 } })
      const supervisor = await supervise({ strategy: 'one_for_one', children: [slow('a'), slow('b'), slow('c')] })
      expect(journal.splice(0)).toEqual(['start a', 'start b', 'start c'])
      const stopped = supervisor.stop()
      await sim.advance(30)
      await stopped
      expect(journal).toEqual(['stopping c', 'stopped c', 'stopping b', 'stopped b', 'stopping a', 'stopped a'])
      expect(sim.now).toBe(30)
    }))

  it('S45 each child when the one before is ready', () =>
    run(async (sim) => {
      const journal: string[] = []
      const write = (line: string) => void journal.push(`${line} at ${sim.now}`)
      const init = (self: Worker) => self.sleep(10)
      const children = ['a', 'b', 'c'].map((id) => worker(id, write, { init }))
      const started = supervise({ strategy: 'one_for_one', children })
      await sim.advance(30)
      await started
      expect(journal).toEqual(['start a at 10', 'start b at 20', 'start c at 30'])
    }))

  it('S57 not at all when a child fails: those before it are stopped, the error says which child and why', () =>
    run(async (sim) => {
      const journal: string[] = []
      const write = (line: string) => void journal.push(line)
      const failure = new Error('no database')
      const init = () => {
        throw failure
      }
      const children = [worker('a', write), worker('b', write), worker('c', write, { init }), worker('d', write)]
      const error: unknown = await supervise({ strategy: 'one_for_one', name: Supervisor, children }).catch((e) => e)
      expect(error).toBeInstanceOf(StartError)
      expect(error).toMatchObject({
        code: 'start_failed',
        reason: { shutdown: { failedToStart: 'c', reason: failure } },
        message: expect.stringMatching(/child c failed to start.*no database/),
      })
      expect(journal).toEqual(['start a', 'start b', 'stop b: shutdown', 'stop a: shutdown'])
      expect(sim.processes).toEqual([])
      expect(whereis(Supervisor)).toBeUndefined()
    }))

  it('not at all when the name of a child is taken; the holder of the name goes on', () =>
    run(async (sim) => {
      const first = await supervise({
        strategy: 'one_for_one',
        children: [child(Worker, { name: Worker, arg: { id: 'holder' } })],
      })
      const holder = whereis(Worker)
      const children = [worker('a'), child(Worker, { id: 'b', name: Worker, arg: { id: 'b' } })]
      const error = await supervise({ strategy: 'one_for_one', children }).catch((e) => e)
      expect(error).toMatchObject({ code: 'start_failed', cause: { code: 'already_started', ref: holder } })
      expect(sim.processes.map(({ id }) => id)).toEqual([first.id, holder?.id])
      expect(whereis(Worker)).toBe(holder)
    }))

  it('not at all when its own name is taken', () =>
    run(async (sim) => {
      const first = await supervise({ strategy: 'one_for_one', name: Supervisor })
      const error = await supervise({ strategy: 'one_for_one', name: Supervisor, children: [worker('a')] }).catch(
        (e) => e,
      )
      expect(error).toMatchObject({ code: 'already_started', ref: first })
      expect(sim.processes).toEqual([first])
    }))

  it('S58 without the process of a child that declines, and keeps its specification unless it is temporary', () =>
    run(async () => {
      const init = () => {
        throw ignore
      }
      const children = [
        worker('a', undefined, { init }),
        worker('b', undefined, { init, restart: 'temporary' }),
        worker('c'),
      ]
      const supervisor = await supervise({ strategy: 'one_for_one', children })
      expect(await shown(supervisor)).toEqual(['a: undefined', 'c: runs'])
      expect(await supervisor.call.startChild(worker('d', undefined, { init }))).toBeUndefined()
      expect(await supervisor.call.startChild(worker('e', undefined, { init, restart: 'temporary' }))).toBeUndefined()
      expect(await shown(supervisor)).toEqual(['a: undefined', 'c: runs', 'd: undefined'])
    }))
})

describe('a child that ends', () => {
  it('S46 is started again alone under one_for_one', () =>
    run(async (sim) => {
      const { supervisor, journal } = await three('one_for_one')
      const before = await numbers(supervisor)
      ;(await running(supervisor, 'b')).kill()
      await sim.settle()
      const after = await numbers(supervisor)
      expect(after).toEqual([before[0], expect.any(Number), before[2]])
      expect(after[1]).not.toBe(before[1])
      expect(journal).toEqual(['start b'])
    }))

  it('S47 takes those after it along under rest_for_one', () =>
    run(async (sim) => {
      const { supervisor, journal } = await three('rest_for_one')
      const before = await numbers(supervisor)
      ;(await running(supervisor, 'b')).kill()
      await sim.settle()
      expect(journal).toEqual(['stop c: shutdown', 'start b', 'start c'])
      expect((await numbers(supervisor)).map((id, index) => id === before[index])).toEqual([true, false, false])
    }))

  it('S48 takes all others along under one_for_all', () =>
    run(async (sim) => {
      const { supervisor, journal } = await three('one_for_all')
      const before = await numbers(supervisor)
      ;(await running(supervisor, 'b')).kill()
      await sim.settle()
      expect(journal).toEqual(['stop c: shutdown', 'stop a: shutdown', 'start a', 'start b', 'start c'])
      expect((await numbers(supervisor)).map((id, index) => id === before[index])).toEqual([false, false, false])
    }))

  it.each(['normal', 'shutdown', { shutdown: 'detail' }])('S49 with %o stays away when it is transient', (reason) =>
    run(async (sim) => {
      const { supervisor, journal } = await three('one_for_one', { restart: 'transient' })
      ;(await running(supervisor, 'b')).cast.leave(reason)
      await sim.settle()
      expect(await shown(supervisor)).toEqual(['a: runs', 'b: undefined', 'c: runs'])
      expect(journal).not.toContain('start b')
    }),
  )

  it('S49 abnormally is started again when it is transient', () =>
    run(async (sim) => {
      const { supervisor, journal } = await three('one_for_one', { restart: 'transient' })
      ;(await running(supervisor, 'b')).cast.leave('boom')
      await sim.settle()
      expect(journal).toEqual(['stop b: boom', 'start b'])
    }))

  it('S50 is forgotten when it is temporary, also when others take it along', () =>
    run(async (sim) => {
      const { supervisor, journal } = await three('one_for_all', { restart: 'temporary' })
      await supervisor.call.startChild(worker('d', undefined, { restart: 'temporary' }))
      ;(await running(supervisor, 'd')).cast.leave('boom')
      await sim.settle()
      expect(await shown(supervisor)).toEqual(['a: runs', 'b: runs', 'c: runs'])
      expect(journal).toEqual([])
      ;(await running(supervisor, 'a')).kill()
      await sim.settle()
      expect(await shown(supervisor)).toEqual(['a: runs', 'c: runs'])
      expect(journal).toEqual(['stop c: shutdown', 'stop b: shutdown', 'start a', 'start c'])
    }))

  it.each(['normal', 'shutdown'])('S51 with %s is started again when it is permanent', (reason) =>
    run(async (sim) => {
      const { supervisor, journal } = await three('one_for_one')
      ;(await running(supervisor, 'b')).cast.leave(reason)
      await sim.settle()
      expect(journal).toEqual([`stop b: ${reason}`, 'start b'])
      expect(await shown(supervisor)).toEqual(['a: runs', 'b: runs', 'c: runs'])
    }),
  )

  it('starts again with the argument it was given, whatever became of it', () =>
    run(async (sim) => {
      class Cart extends GenServer {
        readonly items: string[]
        constructor(given: readonly string[]) {
          super()
          this.items = [...given]
        }
        add(item: string) {
          this.items.push(item)
        }
        all() {
          return [...this.items]
        }
      }
      const given = ['apple']
      const supervisor = await supervise({
        strategy: 'one_for_one',
        children: [child(Cart, { name: Cart, arg: given })],
      })
      given.push('added by the caller')
      await whereis(Cart)?.call.add('pear')
      expect(await whereis(Cart)?.call.all()).toEqual(['apple', 'pear'])
      whereis(Cart)?.kill()
      await sim.settle()
      expect(await whereis(Cart)?.call.all()).toEqual(['apple'])
      await supervisor.stop()
    }))

  it('is found by its name after the restart, under the same id', () =>
    run(async (sim) => {
      const children = [child(Worker, { name: Worker, arg: { id: 'a' } })]
      const supervisor = await supervise({ strategy: 'one_for_one', children })
      const before = whereis(Worker)
      before?.kill()
      await sim.settle()
      expect(whereis(Worker)).not.toBe(before)
      expect(await running(supervisor, Worker)).toBe(whereis(Worker))
    }))
})

describe('the supervisor itself', () => {
  it('of a subclass gives its own tree', () =>
    run(async () => {
      class Shop extends Supervisor {
        constructor(workers: number) {
          const ids = Array.from({ length: workers }, (_, index) => `w${index}`)
          super({ strategy: 'one_for_all', children: ids.map((id) => worker(id)) })
        }
      }
      const root = await supervise({ strategy: 'one_for_one', children: [child(Shop, { arg: 2, name: Shop })] })
      expect(await root.call.whichChildren()).toEqual([{ id: Shop, ref: whereis(Shop), type: 'supervisor' }])
      const shop = whereis(Shop)
      expect(await shop?.call.whichChildren()).toMatchObject([{ id: 'w0' }, { id: 'w1', type: 'worker' }])
      expect(await root.call.countChildren()).toEqual({ specs: 1, active: 1, supervisors: 1, workers: 0 })
    }))

  it('is restarted with fresh children when it is a child that gave up', () =>
    run(async (sim) => {
      const journal: string[] = []
      const inner = child(Supervisor, {
        id: 'inner',
        arg: { strategy: 'one_for_one', maxRestarts: 0, children: [worker('a', (line) => void journal.push(line))] },
      })
      const root = await supervise({ strategy: 'one_for_one', children: [inner] })
      const before = await numbers(root)
      const [info] = await root.call.whichChildren()
      const ref = info?.ref
      if (typeof ref !== 'object') throw new Error('inner does not run')
      const found = sim.processes.find((process) => process.id > ref.id)
      found?.kill()
      await sim.settle()
      expect(journal).toEqual(['start a', 'start a'])
      expect(await numbers(root)).not.toEqual(before)
      expect(await shown(root)).toEqual(['inner: runs'])
    }))

  it('takes no notice of exit signals of strangers, and reports messages that it does not know', () =>
    run(async (sim) => {
      const { supervisor } = await three('one_for_one')
      const stranger = await sim.probe().context()
      stranger.exit(supervisor, 'boom')
      supervisor.send('hello')
      await sim.settle()
      expect(await shown(supervisor)).toEqual(['a: runs', 'b: runs', 'c: runs'])
      expect(sim.logs.map(({ message }) => message)).toEqual([expect.stringContaining('no handleInfo')])
    }))
})
