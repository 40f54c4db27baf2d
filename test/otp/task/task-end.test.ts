import { start, Task, type TaskContext } from 'sluice'
import { simulate } from 'sluice/testing'
import { describe, expect, it } from 'vitest'
import { failure, gate, Owner, within } from '../../support/owner.ts'

const forever = () => new Promise<never>(() => {})
const boom = () => {
  throw new Error('boom')
}
/** Does not end when it is asked to. */
const stubborn = (context: TaskContext) => {
  context.trapExits(true)
  return forever()
}

describe('the shutdown of a task', () => {
  it('S122 gives nothing when it ends as it is told, and the owner is not hurt', async () => {
    await simulate().run(async (sim) => {
      const probe = sim.probe()
      const owner = await start(Owner, { arg: probe.ref })
      const [task, outcome] = await within(owner, async (self) => {
        const task = self.task((context) => context.sleep(1000))
        await sim.settle()
        return [task, await task.shutdown()] as const
      })
      expect(outcome).toBeUndefined()
      expect(await task.ref?.done).toBe('shutdown')
      await sim.settle()
      expect(await probe.received()).toEqual([])
      expect(owner.alive).toBe(true)
      await owner.stop()
      expect(sim.clock.pending).toBe(0)
    })
  })

  it('S122 gives the outcome of one that has ended', async () => {
    await simulate().run(async (sim) => {
      const done = Task.async(async () => 42)
      const crashed = Task.async(boom)
      await Promise.all([done.ref?.done, crashed.ref?.done])
      expect(await done.shutdown()).toEqual({ ok: true, value: 42 })
      expect(await crashed.shutdown()).toEqual({ ok: false, exit: new Error('boom') })
      await sim.settle()
      // The simulation ends its turn before the task can be asked.
      expect(sim.takeUncaught()).toHaveLength(1)
    })
  })

  it('S122 takes back the messages that the owner has not handled', async () => {
    await simulate().run(async (sim) => {
      const probe = sim.probe()
      const owner = await start(Owner, { arg: probe.ref })
      const outcome = await within(owner, async (self) => {
        const task = self.task(async () => 42)
        await sim.settle()
        return task.shutdown()
      })
      expect(outcome).toEqual({ ok: true, value: 42 })
      await sim.settle()
      expect(await probe.received()).toEqual([])
    })
  })

  it('S122 gives the value of one that makes it while it is asked to end', async () => {
    await simulate().run(async (sim) => {
      const task = Task.async(async (context) => {
        context.trapExits(true)
        await context.receive()
        return 'saved'
      })
      await sim.settle()
      expect(await task.shutdown()).toEqual({ ok: true, value: 'saved' })
      expect(sim.clock.pending).toBe(0)
    })
  })

  it('S123 kills one that does not end in time', async () => {
    await simulate().run(async (sim) => {
      const task = Task.async(stubborn)
      await sim.settle()
      const outcome = task.shutdown(10)
      await sim.advance(9)
      expect(task.ref?.alive).toBe(true)
      await sim.advance(1)
      expect(await outcome).toEqual({ ok: false, exit: 'killed' })
      expect(task.ref?.alive).toBe(false)
      expect(await task.shutdown()).toEqual({ ok: false, exit: 'noproc' })
    })
  })

  it('S123 kills at once when it is brutal', async () => {
    await simulate().run(async (sim) => {
      const task = Task.async(stubborn)
      await sim.settle()
      expect(await task.shutdown('brutal_kill')).toBeUndefined()
      expect(await task.ref?.done).toBe('killed')
      expect(sim.clock.pending).toBe(0)
    })
  })

  it('S123 judges an end by what was asked for', async () => {
    await simulate().run(async () => {
      const leave = () => {
        const task = Task.async(forever)
        task.ref?.exit('shutdown')
        return task
      }
      expect(await leave().shutdown('brutal_kill')).toEqual({ ok: false, exit: 'shutdown' })
      expect(await leave().shutdown()).toBeUndefined()
    })
  })

  it('S124 gives noproc when the outcome was handed out before', async () => {
    await simulate().run(async () => {
      const awaited = Task.async(async () => 42)
      await awaited.await()
      expect(await awaited.shutdown()).toEqual({ ok: false, exit: 'noproc' })
      const crashed = Task.async(boom)
      await failure(crashed.await())
      expect(await crashed.shutdown('brutal_kill')).toEqual({ ok: false, exit: 'noproc' })
    })
  })
})

describe('an ignored task', () => {
  it('S125 goes on, and neither hurts nor informs its owner', async () => {
    await simulate().run(async (sim) => {
      const probe = sim.probe()
      const owner = await start(Owner, { arg: probe.ref })
      const done = gate()
      const [task, outcome] = await within(owner, (self) => {
        const task = self.task(() => done.opened)
        return [task, task.ignore()] as const
      })
      expect(outcome).toBeUndefined()
      done.fail(new Error('boom'))
      expect(await task.ref?.done).toEqual(new Error('boom'))
      await sim.settle()
      expect(owner.alive).toBe(true)
      expect(await probe.received()).toEqual([])
    })
  })

  it('S125 does not fail the program', async () => {
    await simulate().run(async (sim) => {
      const done = gate()
      const task = Task.async(() => done.opened)
      expect(task.ignore()).toBeUndefined()
      done.fail(new Error('boom'))
      await sim.settle()
      expect(task.ref?.alive).toBe(false)
      expect(sim.takeUncaught()).toEqual([])
    })
  })

  it('S125 that has ended gives its outcome', async () => {
    await simulate().run(async () => {
      const done = Task.async(async () => 42)
      await done.ref?.done
      expect(done.ignore()).toEqual({ ok: true, value: 42 })
      const crashed = Task.async(boom)
      await crashed.yield()
      expect(crashed.ignore()).toEqual({ ok: false, exit: new Error('boom') })
    })
  })
})
