import { Down, Exit, ProcessError, type Ref, start, Task, TaskError, TaskReply } from 'sluice'
import { type Simulation, simulate } from 'sluice/testing'
import { describe, expect, it } from 'vitest'
import { failure, gate, Owner, within } from '../../support/owner.ts'

/** An owner, and the probe that hears its messages. */
async function owned(sim: Simulation, options: { readonly trap?: boolean } = {}) {
  const probe = sim.probe()
  const owner = await start(Owner, { arg: probe.ref })
  if (options.trap) await within(owner, (self) => self.trapExits(true))
  return { owner, heard: () => probe.received() }
}

const forever = () => new Promise<never>(() => {})
const boom = () => {
  throw new Error('boom')
}

describe('a task', () => {
  it('S109 gives its value to who awaits it, and no message to its owner', async () => {
    await simulate().run(async (sim) => {
      const { owner, heard } = await owned(sim)
      expect(await within(owner, (self) => self.task(async () => 42).await())).toBe(42)
      expect(await within(owner, (self) => self.task(() => 'sync').await())).toBe('sync')
      expect(await Task.async(async () => 43).await()).toBe(43)
      await sim.settle()
      expect(await heard()).toEqual([])
      await owner.stop()
      expect(sim.clock.pending).toBe(0)
    })
  })

  it('S109 that is awaited by a task leaves no message in its inbox', async () => {
    await simulate().run(async (sim) => {
      const ended = gate()
      const left = Task.async(async (context) => {
        const inner = context.task(async () => ended.open())
        await ended.opened
        await context.sleep(1)
        await inner.await()
        return context.takeAll()
      })
      await sim.advance(1)
      expect(await left.await()).toEqual([])
    })
  })

  it('S110 that nobody awaits tells its owner the value, then that it is done', async () => {
    await simulate().run(async (sim) => {
      const { owner, heard } = await owned(sim)
      const task = await within(owner, (self) => self.task(async () => 42))
      await sim.settle()
      expect(await heard()).toEqual([new TaskReply(task, 42), new Down(task, task.ref, 'normal')])
    })
  })

  it('S110 that is asked for too early tells its owner later', async () => {
    await simulate().run(async (sim) => {
      const { owner, heard } = await owned(sim)
      const done = gate()
      const task = await within(owner, (self) => self.task(() => done.opened))
      const asked = task.yield({ timeout: 0 })
      await sim.advance(0, { foreign: true })
      expect(await asked).toBeUndefined()
      done.open()
      await sim.settle()
      expect(await heard()).toEqual([new TaskReply(task, undefined), new Down(task, task.ref, 'normal')])
    })
  })

  it('S110 takes back what its owner has not handled, when it is awaited', async () => {
    await simulate().run(async (sim) => {
      const { owner, heard } = await owned(sim)
      const value = await within(owner, async (self) => {
        const task = self.task(async () => 42)
        self.self.send('before')
        await sim.settle()
        self.self.send('after')
        return task.await()
      })
      expect(value).toBe(42)
      await sim.settle()
      expect(await heard()).toEqual(['before', 'after'])
    })
  })

  it('S111 that fails fails who awaits it, in a process that traps exits', async () => {
    await simulate().run(async (sim) => {
      const { owner, heard } = await owned(sim, { trap: true })
      const [error, task] = await within(owner, async (self) => {
        const task = self.task(boom)
        return [await failure(task.await()), task] as const
      })
      expect(error).toBeInstanceOf(TaskError)
      expect(error).toMatchObject({ code: 'exit', reason: new Error('boom'), cause: new Error('boom') })
      expect(String(error)).toMatch(/^TaskError: boom#\d+ failed: Error: boom$/)
      await sim.settle()
      expect(await heard()).toEqual([new Exit(task.ref as Ref, new Error('boom'))])
    })
  })

  it('S111 that fails ends its owner', async () => {
    await simulate().run(async (sim) => {
      const { owner } = await owned(sim)
      void failure(within(owner, (self) => self.task(boom).await()))
      expect(await owner.done).toEqual(new Error('boom'))
    })
  })

  it('S111 whose stack shows where it was awaited', async () => {
    await simulate().run(async () => {
      const theOneWhoAwaits = async () => {
        await Task.async(boom).await()
      }
      const error = await failure(theOneWhoAwaits())
      expect(error).toHaveProperty('stack', expect.stringContaining('theOneWhoAwaits'))
    })
  })

  it('S111 that fails is an uncaught error of the program that does not ask for it', async () => {
    await simulate().run(async (sim) => {
      const task = Task.async(boom)
      await sim.settle()
      const [error, ...more] = sim.takeUncaught()
      expect(error).toMatchObject({ name: 'TaskError', code: 'exit', cause: new Error('boom') })
      expect(more).toEqual([])
      // It can still be asked.
      expect(await task.yield()).toEqual({ ok: false, exit: new Error('boom') })
    })
  })

  it('S111 that fails is no uncaught error when somebody has asked', async () => {
    await simulate().run(async (sim) => {
      const failed = gate()
      const asked = Task.async(() => failed.opened)
      const outcome = asked.yield({ timeout: 0 })
      await sim.advance(0)
      expect(await outcome).toBeUndefined()
      failed.fail(new Error('later'))
      await sim.settle()
      expect(sim.takeUncaught()).toEqual([])
    })
  })

  it('S112 that ends without a value fails who awaits it', async () => {
    await simulate().run(async (sim) => {
      const leave = async () => {
        const task = Task.async((context) => {
          context.process.exit('normal')
          return forever()
        })
        return task
      }
      expect(await failure((await leave()).await())).toMatchObject({ code: 'exit', reason: 'normal' })
      expect(await (await leave()).yield()).toEqual({ ok: false, exit: 'normal' })
      await leave()
      await sim.settle()
      expect(sim.takeUncaught()).toEqual([])
    })
  })

  it('S113 that is late goes on, and its outcome comes to nobody', async () => {
    await simulate().run(async (sim) => {
      const { owner, heard } = await owned(sim)
      const done = gate()
      const task = await within(owner, (self) => self.task(() => done.opened))
      const awaited = failure(within(owner, () => task.await({ timeout: 0 })))
      await sim.advance(0)
      const error = await awaited
      expect(error).toMatchObject({ name: 'CallError', code: 'exit' })
      expect(error).toHaveProperty('cause.code', 'timeout')
      expect(error).toHaveProperty(
        'cause.message',
        expect.stringMatching(/^task#\d+ was not done within 0 ms; it goes on$/),
      )
      await sim.settle()
      expect(await heard()).toEqual([])
      expect(sim.clock.pending).toBe(0)
    })
  })

  it('S113 that is late tells an owner that has given up waiting nothing', async () => {
    await simulate().run(async (sim) => {
      const { owner, heard } = await owned(sim)
      const done = gate()
      const task = await within(owner, (self) => self.task(() => done.opened))
      const error = failure(task.await({ timeout: 10 }))
      await sim.advance(10, { foreign: true })
      expect(await error).toMatchObject({ code: 'timeout' })
      expect(task.ref?.alive).toBe(true)
      done.open()
      await sim.settle()
      expect(task.ref?.alive).toBe(false)
      expect(await heard()).toEqual([])
    })
  })

  it('S114 may be waited for by anybody', async () => {
    await simulate().run(async (sim) => {
      const { owner, heard } = await owned(sim)
      const done = gate<number>()
      const make = () => within(owner, (self) => self.task(() => done.opened))
      const other = await owned(sim)
      const task = await make()
      const byOther = within(other.owner, () => task.await())
      const outcomes = [(await make()).yield(), Task.awaitMany([await make()])]
      done.open(42)
      expect(await byOther).toBe(42)
      expect(await Promise.all(outcomes)).toEqual([{ ok: true, value: 42 }, [42]])
      expect(task.owner).toBe(owner)
      const endless = await within(owner, (self) => self.task(forever))
      expect(await endless.shutdown()).toBeUndefined()
      expect((await within(owner, (self) => self.task(forever))).ignore()).toBeUndefined()
      expect(owner.alive).toBe(true)
      expect(await heard()).toEqual([])
    })
  })

  it.each([-1, Number.NaN])('S114 refuses a bad timeout: %d', async (timeout) => {
    await simulate().run(async () => {
      const task = Task.completed(1)
      const refused = new ProcessError(
        'bad_argument',
        `timeout: expected milliseconds >= 0 or Infinity, got ${timeout}`,
      )
      expect(await failure(task.await({ timeout }))).toEqual(refused)
      expect(await failure(task.yield({ timeout }))).toEqual(refused)
      expect(await failure(task.shutdown(timeout))).toEqual(refused)
      expect(await failure(Task.awaitMany([task], { timeout }))).toEqual(refused)
      expect(await failure(Task.yieldMany([task], { timeout }))).toEqual(refused)
    })
  })

  it('S114 refuses what is no function', async () => {
    await simulate().run(() => {
      expect(() => Task.async(42 as never)).toThrow(new ProcessError('bad_argument', 'a task runs a function, got 42'))
    })
  })

  it('S115 may be done from the start', async () => {
    await simulate().run(async (sim) => {
      expect(await Task.completed(42).await()).toBe(42)
      expect(await Task.completed(42).yield()).toEqual({ ok: true, value: 42 })
      expect(Task.completed(42).ignore()).toEqual({ ok: true, value: 42 })
      expect(await Task.completed(42).shutdown()).toEqual({ ok: true, value: 42 })
      expect(Task.completed(42).ref).toBeUndefined()
      expect(sim.processes).toHaveLength(0)
    })
  })

  it('S118 that is not done gives no outcome, and can be asked again', async () => {
    await simulate().run(async (sim) => {
      const done = gate<number>()
      const task = Task.async(() => done.opened)
      const first = task.yield({ timeout: 0 })
      await sim.advance(0)
      expect(await first).toBeUndefined()
      const second = [task.yield(), task.yield()]
      done.open(42)
      expect(await Promise.all(second)).toEqual([
        { ok: true, value: 42 },
        { ok: true, value: 42 },
      ])
      await sim.settle()
      expect(sim.clock.pending).toBe(0)
    })
  })

  it('S126 ends with its owner', async () => {
    await simulate().run(async (sim) => {
      const { owner } = await owned(sim)
      const [task, signal] = await within(owner, async (self) => {
        const made = gate<AbortSignal>()
        const task = self.task((context) => {
          made.open(context.signal)
          return forever()
        })
        return [task, await made.opened] as const
      })
      const outcome = task.yield()
      await failure(owner.stop({ reason: 'bad' }))
      expect(await outcome).toEqual({ ok: false, exit: 'bad' })
      expect(signal.aborted).toBe(true)
      expect(sim.processes.map(String)).not.toContain(String(task.ref))
    })
  })

  it('S126 of an owner that has ended ends at once', async () => {
    await simulate().run(async (sim) => {
      const { owner } = await owned(sim)
      const opened = gate()
      const made = gate<Task<never>>()
      void failure(
        within(owner, async (self) => {
          await opened.opened
          made.open(self.task(forever))
        }),
      )
      await sim.settle()
      owner.kill()
      opened.open()
      expect(await (await made.opened).yield()).toEqual({ ok: false, exit: 'noproc' })
    })
  })

  it('S128 knows who asked for it, nearest first', async () => {
    await simulate().run(async (sim) => {
      const { owner } = await owned(sim)
      const [callers, parent] = await within(owner, (self) =>
        self
          .task(async function outer(context) {
            const inner = context.task((nested) => nested.callers)
            return [await inner.await(), context.self] as const
          })
          .await(),
      )
      expect(callers).toEqual([parent, owner])
    })
  })

  it('waits for any thenable that its function returns', async () => {
    await simulate().run(async () => {
      // biome-ignore lint/suspicious/noThenProperty: such as a query builder has.
      const query: PromiseLike<number> = { then: (done) => Promise.resolve(42).then(done) }
      expect(await Task.async(() => query).await()).toBe(42)
    })
  })
})

describe('a process that nobody waits for', () => {
  it('S126 is on its own with start, and linked with startLink', async () => {
    await simulate().run(async (sim) => {
      const alone = Task.start(boom)
      expect(await alone.done).toEqual(new Error('boom'))
      await sim.settle()
      expect(sim.takeUncaught()).toEqual([])
      expect(sim.logs.map(({ level }) => level)).toEqual(['error'])

      const linked = Task.startLink(boom)
      await linked.done
      await sim.settle()
      expect(sim.takeUncaught()).toHaveLength(1)
    })
  })
})
