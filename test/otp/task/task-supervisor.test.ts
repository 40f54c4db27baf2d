import {
  child,
  Down,
  type ExitReason,
  GenServer,
  name,
  type Ref,
  startLink,
  supervise,
  type Task,
  type TaskContext,
  type TaskOptions,
  TaskReply,
  TaskSupervisor,
} from 'sluice'
import { type Simulation, simulate } from 'sluice/testing'
import { describe, expect, it } from 'vitest'
import { refusal } from '../../support/workers.ts'

const run = (test: (sim: Simulation) => Promise<void>) => simulate().run(test)
const waiting = (context: TaskContext) => context.receive()

/** A server that starts tasks under a supervisor, and notes what it hears of them. */
class Owner extends GenServer {
  readonly heard: unknown[] = []

  begin(run: (context: TaskContext) => unknown, options: TaskOptions): { readonly task: Task<unknown> } {
    return { task: this.task(run, options) }
  }

  /** Goes on after it was killed, as a callback does that awaits something foreign. */
  async late(gate: Promise<void>, note: (task: Task<unknown>) => void, options: TaskOptions): Promise<void> {
    await gate
    note(this.task(() => 'ran', options))
  }

  async stream(options: TaskOptions, maxConcurrency: number): Promise<unknown> {
    const outcomes: unknown[] = []
    for await (const outcome of this.asyncStream([1, 2, 3], (n) => n * 2, { ...options, maxConcurrency }))
      outcomes.push(outcome)
    return outcomes
  }

  async streamed(run: (n: number) => unknown, options: TaskOptions): Promise<readonly unknown[]> {
    const outcomes: unknown[] = []
    for await (const outcome of this.asyncStream([1, 2, 3], run, options)) outcomes.push(outcome)
    return outcomes
  }

  async begins(target: Ref<TaskSupervisor>): Promise<string> {
    try {
      TaskSupervisor.async(target, () => 1)
    } catch (error) {
      return error instanceof Error ? error.message : ''
    }
    return 'no error'
  }

  fire(target: Ref<TaskSupervisor>, run: (context: TaskContext) => unknown): Ref {
    return TaskSupervisor.startChild(target, run)
  }

  crash(): void {
    throw new Error('boom')
  }

  messages(): readonly unknown[] {
    return this.heard
  }

  override handleInfo(message: unknown): void {
    this.heard.push(message)
  }
}

describe('TaskSupervisor.startChild', () => {
  it('S86 runs a function that nobody is linked to, and lists it until it is done', () =>
    run(async (sim) => {
      const supervisor = await startLink(TaskSupervisor)
      const ran: unknown[] = []
      const ref = TaskSupervisor.startChild(supervisor, async (context) => {
        ran.push('began')
        ran.push(await context.receive())
      })
      expect(await supervisor.call.children()).toEqual([ref])
      ref.send('go')
      await sim.settle()
      expect(ran).toEqual(['began', 'go'])
      expect(await ref.done).toBe('normal')
      expect(await supervisor.call.children()).toEqual([])
      // Its crash is reported, and hurts neither the supervisor nor the program.
      TaskSupervisor.startChild(supervisor, () => {
        throw new Error('boom')
      })
      await sim.settle()
      expect(supervisor.alive).toBe(true)
      expect(sim.logs.map(({ message }) => message)).toEqual([expect.stringMatching(/crashed: Error: boom/)])
    }))

  it('S86 may be called inside a process, which is the caller and is not linked', () =>
    run(async (sim) => {
      const supervisor = await startLink(TaskSupervisor)
      const owner = await startLink(Owner)
      const callers: (readonly Ref[])[] = []
      const ref = await owner.call.fire(supervisor, (context) => {
        callers.push(context.callers)
        throw new Error('boom')
      })
      await sim.settle()
      expect(ref.alive).toBe(false)
      expect(owner.alive).toBe(true)
      expect(callers).toEqual([[owner]])
    }))

  it('S87 runs a permanent function again when it ends, a transient one when it fails, and any other never', () =>
    run(async (sim) => {
      const supervisor = await startLink(TaskSupervisor, { arg: { maxRestarts: 10 } })
      const runs = { permanent: 0, transient: 0, temporary: 0 }
      const counted = (restart: 'permanent' | 'transient' | 'temporary') =>
        TaskSupervisor.startChild(
          supervisor,
          async (context) => {
            runs[restart]++
            await context.receive()
          },
          { restart },
        )
      const started = [counted('permanent'), counted('transient'), counted('temporary')]
      await sim.settle()
      for (const ref of started) ref.kill()
      await sim.settle()
      expect(runs).toEqual({ permanent: 2, transient: 2, temporary: 1 })
      const children = await supervisor.call.children()
      expect(children).toHaveLength(2)
      // They return, which ends the transient one for good.
      for (const ref of children) ref.send('go')
      await sim.settle()
      expect(runs).toEqual({ permanent: 3, transient: 2, temporary: 1 })
      expect(await supervisor.call.children()).toHaveLength(1)
    }))

  it('refuses bad options', () =>
    run(async () => {
      const supervisor = await startLink(TaskSupervisor)
      // @ts-expect-error no such restart
      expect(() => TaskSupervisor.startChild(supervisor, waiting, { restart: 'sometimes' })).toThrow(
        expect.objectContaining({
          code: 'bad_argument',
          message: expect.stringMatching(/restart of a task.*sometimes/),
        }),
      )
      expect(() => TaskSupervisor.startChild(supervisor, waiting, { shutdown: -1 })).toThrow(/shutdown of a task.*-1/)
      expect(() => TaskSupervisor.async(supervisor, waiting, { shutdown: -1 })).toThrow(/shutdown of a task.*-1/)
      // @ts-expect-error no function
      expect(() => TaskSupervisor.startChild(supervisor, 'run')).toThrow(/a task runs a function, got run/)
      expect(await supervisor.call.children()).toEqual([])
    }))
})

describe('maxChildren of a task supervisor', () => {
  it('S88 makes async, asyncNolink and startChild throw', () =>
    run(async (sim) => {
      const supervisor = await startLink(TaskSupervisor, { arg: { maxChildren: 1 } })
      const first = TaskSupervisor.startChild(supervisor, waiting)
      const before = sim.processes
      const full = expect.objectContaining({
        name: 'SupervisorError',
        code: 'max_children',
        message: expect.stringMatching(/TaskSupervisor#\d+ has 1 children, and maxChildren is 1/),
      })
      expect(() => TaskSupervisor.async(supervisor, waiting)).toThrow(full)
      expect(() => TaskSupervisor.asyncNolink(supervisor, waiting)).toThrow(full)
      expect(() => TaskSupervisor.startChild(supervisor, waiting)).toThrow(full)
      expect(sim.processes).toEqual(before)
      first.kill()
      await sim.settle()
      expect(await TaskSupervisor.async(supervisor, () => 1).await()).toBe(1)
    }))

  it('S137 fails a stream that needs more, and leaves nothing behind', () =>
    run(async (sim) => {
      const supervisor = await startLink(TaskSupervisor, { arg: { maxChildren: 2 } })
      let closed = false
      function* source() {
        try {
          yield* [1, 2, 3, 4, 5]
        } finally {
          closed = true
        }
      }
      const streams = [
        TaskSupervisor.asyncStream(supervisor, source(), (_, context) => context.receive(), { maxConcurrency: 3 }),
        TaskSupervisor.asyncStreamNolink(supervisor, source(), (_, context) => context.receive(), {
          maxConcurrency: 3,
        }),
      ]
      for (const stream of streams) {
        closed = false
        const read = async () => {
          for await (const outcome of stream) throw new Error(`no outcome was expected, got ${String(outcome)}`)
        }
        await expect(read()).rejects.toMatchObject({ code: 'max_children' })
        await sim.settle()
        expect(closed).toBe(true)
        expect(await supervisor.call.children()).toEqual([])
        expect(sim.processes).toEqual([supervisor])
        expect(sim.clock.pending).toBe(0)
      }
    }))
})

describe('the tasks of a task supervisor', () => {
  it('are its children, and give their value to the program', () =>
    run(async (sim) => {
      const supervisor = await startLink(TaskSupervisor)
      const task = TaskSupervisor.async(supervisor, async (context) => await context.receive())
      expect(await supervisor.call.children()).toEqual([task.ref])
      task.ref?.send(42)
      expect(await task.await()).toBe(42)
      await sim.settle()
      expect(await supervisor.call.children()).toEqual([])
    }))

  it('come in streams as well', () =>
    run(async () => {
      const supervisor = await startLink(TaskSupervisor)
      const values: unknown[] = []
      for await (const outcome of TaskSupervisor.asyncStream(supervisor, [1, 2, 3], (n) => n * 2)) values.push(outcome)
      expect(values).toEqual([2, 4, 6].map((value) => ({ ok: true, value })))
      const owner = await startLink(Owner)
      expect(await owner.call.stream({ supervisor }, 3)).toEqual(values)
    }))

  it.each([-1, Number.NaN, 'kill'])('S135 a stream with the shutdown %s is refused when it is built', (shutdown) =>
    run(async () => {
      const supervisor = await startLink(TaskSupervisor)
      const build = () => TaskSupervisor.asyncStream(supervisor, [1], (n) => n, { shutdown: shutdown as never })
      expect(build).toThrow(expect.objectContaining({ code: 'bad_argument' }))
      expect(build).toThrow(/shutdown of a task/)
    }),
  )

  it('told by name or class, and to no other process', () =>
    run(async () => {
      const tasks = name(TaskSupervisor, 'tasks')
      class Jobs extends TaskSupervisor {}
      await supervise({
        strategy: 'one_for_one',
        children: [child(TaskSupervisor, { name: tasks }), child(Jobs, { name: Jobs })],
      })
      expect(await TaskSupervisor.async(tasks, () => 1).await()).toBe(1)
      expect(await TaskSupervisor.async(Jobs, () => 2).await()).toBe(2)
      const nobody = name(TaskSupervisor, 'nobody')
      expect(() => TaskSupervisor.async(nobody, () => 1)).toThrow(
        expect.objectContaining({
          code: 'noproc',
          message: expect.stringMatching(/TaskSupervisor\(nobody\) does not run/),
        }),
      )
      const owner = await startLink(Owner)
      // @ts-expect-error no task supervisor
      expect(() => TaskSupervisor.async(owner, () => 1)).toThrow(expect.objectContaining({ code: 'bad_argument' }))
      const jobs = await startLink(TaskSupervisor)
      expect(await owner.call.begins(jobs)).toMatch(/use this\.task\(run, \{ supervisor \}\)/)
    }))

  it('linked, take their owner with them, and it takes them', () =>
    run(async (sim) => {
      const supervisor = await startLink(TaskSupervisor)
      const owner = await startLink(Owner)
      const { task } = await owner.call.begin(waiting, { supervisor })
      owner.kill()
      await sim.settle()
      expect(await task.ref?.done).toBe('killed')
      expect(sim.takeUncaught()).toHaveLength(1)
      const second = await startLink(Owner)
      await second.call.begin(() => Promise.reject(new Error('boom')), { supervisor })
      await sim.settle()
      expect(second.alive).toBe(false)
      expect(sim.takeUncaught()).toHaveLength(1)
      expect(sim.processes).toEqual([supervisor])
    }))

  it('not linked, only tell their owner how they ended', () =>
    run(async (sim) => {
      const supervisor = await startLink(TaskSupervisor)
      const owner = await startLink(Owner)
      const { task } = await owner.call.begin(() => 42, { supervisor, link: false })
      await sim.settle()
      const boom = new Error('boom')
      const { task: failing } = await owner.call.begin(() => Promise.reject(boom), { supervisor, link: false })
      await sim.settle()
      expect(await owner.call.messages()).toEqual([
        new TaskReply(task, 42),
        new Down(task, task.ref, 'normal'),
        new Down(failing, failing.ref, boom),
      ])
      const { task: lasting } = await owner.call.begin(waiting, { supervisor, link: false })
      await owner.stop()
      expect(lasting.ref?.alive).toBe(true)
      await supervisor.stop()
      expect(sim.processes).toEqual([])
    }))

  it('S126 not linked, go on when their owner has ended', () =>
    run(async (sim) => {
      const supervisor = await startLink(TaskSupervisor)
      const owner = await startLink(Owner)
      const seen: unknown[] = []
      const { task } = await owner.call.begin(
        async (context) => {
          await context.sleep(10)
          seen.push('done')
        },
        { supervisor, link: false },
      )
      owner.kill()
      await sim.settle()
      sim.takeUncaught()
      expect(task.ref?.alive).toBe(true)
      await sim.advance(10)
      expect(seen).toEqual(['done'])
      expect(await task.ref?.done).toBe('normal')
    }))

  it('S127 not linked, a failure is an outcome of yield and fails await, and the owner hears of no exit', () =>
    run(async (sim) => {
      const boom = new Error('boom')
      const supervisor = await startLink(TaskSupervisor)
      const owner = await startLink(Owner)
      const fail = (): Promise<never> => Promise.reject(boom)
      const { task: yielded } = await owner.call.begin(fail, { supervisor, link: false })
      expect(await yielded.yield()).toEqual({ ok: false, exit: boom })
      const { task: awaited } = await owner.call.begin(fail, { supervisor, link: false })
      await expect(awaited.await()).rejects.toMatchObject({ code: 'exit', reason: boom, cause: boom })
      await sim.settle()
      expect(owner.alive).toBe(true)
      // Neither an exit signal nor, since somebody asked, a message.
      expect(await owner.call.messages()).toEqual([])
      const ofProgram = TaskSupervisor.asyncNolink(supervisor, fail)
      expect(await ofProgram.yield()).toEqual({ ok: false, exit: boom })
      await sim.settle()
      expect(sim.takeUncaught()).toEqual([])
      expect(supervisor.alive).toBe(true)
    }))

  it('S134 not linked, the failures in a stream are elements, also for an owner that does not trap exits', () =>
    run(async (sim) => {
      const boom = new Error('boom')
      const supervisor = await startLink(TaskSupervisor)
      const owner = await startLink(Owner)
      const work = (n: number): number | Promise<never> => (n === 2 ? Promise.reject(boom) : n * 2)
      expect(await owner.call.streamed(work, { supervisor, link: false })).toEqual([
        { ok: true, value: 2 },
        { ok: false, exit: boom },
        { ok: true, value: 6 },
      ])
      expect(owner.alive).toBe(true)
      expect(await owner.call.messages()).toEqual([])
      const outcomes: unknown[] = []
      for await (const outcome of TaskSupervisor.asyncStreamNolink(supervisor, [1, 2], work)) outcomes.push(outcome)
      expect(outcomes).toEqual([
        { ok: true, value: 2 },
        { ok: false, exit: boom },
      ])
      await sim.settle()
      expect(sim.takeUncaught()).toEqual([])
      expect(await supervisor.call.children()).toEqual([])
      // Linked, it does not survive.
      const linked = owner.call.streamed(work, { supervisor })
      await expect(linked).rejects.toMatchObject({ code: 'exit' })
      expect(await owner.done).toBe(boom)
      await sim.settle()
      expect(sim.takeUncaught()).toHaveLength(1)
    }))

  it('S90 do not run when their owner is dead already', () =>
    run(async (sim) => {
      const supervisor = await startLink(TaskSupervisor)
      for (const link of [true, false]) {
        const owner = await startLink(Owner)
        let open = () => {}
        const gate = new Promise<void>((resolve) => {
          open = resolve
        })
        let begun: Task<unknown> | undefined
        owner.cast.late(gate, (task) => (begun = task), { supervisor, link })
        await sim.settle()
        owner.exit('shutdown')
        open()
        await sim.settle()
        expect(await begun?.yield()).toEqual({ ok: false, exit: { shutdown: 'shutdown' } })
      }
      expect(sim.processes).toEqual([supervisor])
      expect(await supervisor.call.children()).toEqual([])
    }))
})

describe('stopping', () => {
  it('S89 kills tasks with shutdown brutal_kill, and asks the others', () =>
    run(async (sim) => {
      const supervisor = await startLink(TaskSupervisor)
      const trapping = (context: TaskContext) => {
        context.trapExits(true)
        return context.sleep(1e9)
      }
      const brutal = TaskSupervisor.asyncNolink(supervisor, trapping, { shutdown: 'brutal_kill' })
      const asked = TaskSupervisor.asyncNolink(supervisor, waiting)
      const patient = TaskSupervisor.asyncNolink(supervisor, trapping, { shutdown: 100 })
      await sim.settle()
      const outcomes = [brutal, asked, patient].map((task) => task.yield())
      const stopped = supervisor.stop()
      await sim.advance(100)
      await stopped
      expect(await Promise.all(outcomes)).toEqual(
        ['killed', 'shutdown', 'killed'].map((exit): { ok: false; exit: ExitReason } => ({ ok: false, exit })),
      )
      expect(sim.processes).toEqual([])
      expect(sim.clock.pending).toBe(0)
      expect(() => TaskSupervisor.async(supervisor, () => 1)).toThrow(/does not run/)
    }))

  it('takes no tasks any more', () =>
    run(async (sim) => {
      const supervisor = await startLink(TaskSupervisor)
      const last = TaskSupervisor.startChild(supervisor, async (context) => {
        context.trapExits(true)
        await context.sleep(50)
      })
      await sim.settle()
      const stopped = supervisor.stop()
      await sim.settle()
      expect(last.alive).toBe(true)
      expect(() => TaskSupervisor.startChild(supervisor, waiting)).toThrow(
        expect.objectContaining({ code: 'noproc', message: expect.stringContaining('is stopping') }),
      )
      await sim.advance(50)
      await stopped
    }))

  it('one task with terminateChild', () =>
    run(async (sim) => {
      const supervisor = await startLink(TaskSupervisor)
      const ref = TaskSupervisor.startChild(supervisor, waiting, { restart: 'permanent' })
      await supervisor.call.terminateChild(ref)
      await sim.settle()
      expect(await ref.done).toBe('shutdown')
      expect(await supervisor.call.children()).toEqual([])
      expect(await refusal(supervisor.call.terminateChild(ref))).toMatchObject({ code: 'not_found' })
    }))

  it('with drain lets the tasks finish, as long as they have time', () =>
    run(async (sim) => {
      const supervisor = await startLink(TaskSupervisor)
      const quick = TaskSupervisor.async(supervisor, async (context) => {
        await context.sleep(100)
        return 'done'
      })
      const slow = TaskSupervisor.asyncNolink(supervisor, (context) => context.sleep(1000), { shutdown: 200 })
      await sim.settle()
      const outcomes = [quick.yield(), slow.yield()]
      const stopped = supervisor.stop({ drain: true })
      await sim.advance(200)
      await stopped
      expect(await Promise.all(outcomes)).toEqual([
        { ok: true, value: 'done' },
        { ok: false, exit: 'shutdown' },
      ])
      expect(sim.clock.pending).toBe(0)
    }))
})

it('bad options of a task supervisor are refused', () =>
  run(async () => {
    await expect(startLink(TaskSupervisor, { arg: { maxChildren: -1 } })).rejects.toMatchObject({
      code: 'bad_options',
      message: expect.stringMatching(/maxChildren of TaskSupervisor.*got -1/),
    })
  }))
