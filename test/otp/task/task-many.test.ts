import { Down, ProcessError, start, Task, TaskReply } from 'sluice'
import { simulate } from 'sluice/testing'
import { describe, expect, it } from 'vitest'
import { failure, gate, Owner, within } from '../../support/owner.ts'

const forever = () => new Promise<never>(() => {})
const boom = () => {
  throw new Error('boom')
}
/** A task that takes so many milliseconds. */
const taking = <T>(ms: number, value: T) =>
  Task.async(async (context) => {
    await context.sleep(ms)
    return value
  })

describe('awaitMany', () => {
  it('S116 gives the values in the order of the tasks, whenever they are done', async () => {
    await simulate().run(async (sim) => {
      const values: Promise<[string, number, boolean]> = Task.awaitMany([
        taking(30, 'a'),
        taking(10, 1),
        taking(20, true),
      ])
      await sim.advance(30)
      expect(await values).toEqual(['a', 1, true])
      expect(sim.clock.pending).toBe(0)
    })
  })

  it('S116 is done at once with no tasks', async () => {
    await simulate().run(async (sim) => {
      expect(await Task.awaitMany([])).toEqual([])
      expect(sim.clock.pending).toBe(0)
    })
  })

  it('S116 leaves other messages of the owner alone', async () => {
    await simulate().run(async (sim) => {
      const probe = sim.probe()
      const owner = await start(Owner, { arg: probe.ref })
      await within(owner, async (self) => {
        self.self.send('first')
        await Task.awaitMany([self.task(async () => 1), self.task(async () => 2)])
        self.self.send('second')
      })
      await sim.settle()
      expect(await probe.received()).toEqual(['first', 'second'])
    })
  })

  it('S117 fails at once when one fails, and waits for no other', async () => {
    await simulate().run(async (sim) => {
      const endless = Task.async(forever)
      const error = await failure(Task.awaitMany([endless, Task.async(boom), endless]))
      expect(error).toMatchObject({ name: 'TaskError', code: 'exit', cause: new Error('boom') })
      expect(endless.ref?.alive).toBe(true)
      expect(sim.clock.pending).toBe(0)
    })
  })

  it('S117 fails when one has failed before', async () => {
    await simulate().run(async (sim) => {
      const failed = Task.async(boom)
      expect(await failed.yield()).toEqual({ ok: false, exit: new Error('boom') })
      expect(await failure(Task.awaitMany([Task.async(forever), failed, Task.async(forever)]))).toMatchObject({
        code: 'exit',
      })
      expect(sim.clock.pending).toBe(0)
    })
  })

  it('S117 has one timeout for all', async () => {
    await simulate().run(async (sim) => {
      const tasks = [taking(4, 'in time'), taking(20, 'late')]
      const error = failure(Task.awaitMany(tasks, { timeout: 10 }))
      await sim.advance(10)
      expect(await error).toMatchObject({ code: 'timeout', message: expect.stringContaining('within 10 ms') })
      await sim.advance(10)
      expect(sim.clock.pending).toBe(0)
    })
  })
})

describe('yieldMany', () => {
  it('S119 gives what there is, in the order of the tasks', async () => {
    await simulate().run(async (sim) => {
      const tasks = [Task.async(async () => 1), Task.async(forever), Task.async(boom), Task.completed(4)]
      const [done, , crashed] = tasks
      await Promise.all([done?.yield(), crashed?.yield()])
      const outcomes = Task.yieldMany<number>(tasks, { timeout: 0 })
      await sim.advance(0)
      expect(await outcomes).toEqual([
        { ok: true, value: 1 },
        undefined,
        { ok: false, exit: new Error('boom') },
        { ok: true, value: 4 },
      ])
      expect(sim.clock.pending).toBe(0)
    })
  })

  it('S120 stops at a limit, and the others can be asked again', async () => {
    await simulate().run(async (sim) => {
      const tasks = [taking(20, 'a'), taking(10, 'b'), taking(10, 'c')]
      const first = Task.yieldMany(tasks, { limit: 1, onTimeout: 'kill_task' })
      await sim.advance(10)
      const outcomes = await first
      expect(outcomes.filter((outcome) => outcome !== undefined)).toHaveLength(1)
      expect(outcomes[0]).toBeUndefined()
      const again = Task.yieldMany(tasks)
      await sim.advance(10)
      expect(await again).toEqual(['a', 'b', 'c'].map((value) => ({ ok: true, value })))
      expect(sim.clock.pending).toBe(0)
    })
  })

  it('S120 tells the owner of those that nobody asks again', async () => {
    await simulate().run(async (sim) => {
      const probe = sim.probe()
      const owner = await start(Owner, { arg: probe.ref })
      const done = gate<string>()
      const [one, other] = await within(owner, (self) => [self.task(() => done.opened), self.task(forever)])
      const outcomes = Task.yieldMany([Task.completed('now'), one, other], { limit: 1 })
      expect(await outcomes).toEqual([{ ok: true, value: 'now' }, undefined, undefined])
      done.open('later')
      await sim.settle()
      expect(await probe.received()).toEqual([new TaskReply(one, 'later'), new Down(one, one.ref, 'normal')])
    })
  })

  it('S120 waits for all when the limit is larger than their number', async () => {
    await simulate().run(async (sim) => {
      const outcomes = Task.yieldMany([taking(10, 'a'), taking(20, 'b')], { limit: 5 })
      await sim.advance(20)
      expect(await outcomes).toEqual(['a', 'b'].map((value) => ({ ok: true, value })))
    })
  })

  it('S121 kills the late', async () => {
    await simulate().run(async (sim) => {
      const late = taking(20, 'late')
      const outcomes = Task.yieldMany([taking(4, 'in time'), late], { timeout: 10, onTimeout: 'kill_task' })
      await sim.advance(10)
      expect(await outcomes).toEqual([{ ok: true, value: 'in time' }, undefined])
      expect(await late.ref?.done).toBe('killed')
      expect(sim.clock.pending).toBe(0)
    })
  })

  it('S121 ignores the late: they go on and tell nobody', async () => {
    await simulate().run(async (sim) => {
      const probe = sim.probe()
      const owner = await start(Owner, { arg: probe.ref })
      const done = gate()
      const late = await within(owner, (self) => self.task(() => done.opened))
      const outcomes = Task.yieldMany([late], { timeout: 10, onTimeout: 'ignore' })
      await sim.advance(10, { foreign: true })
      expect(await outcomes).toEqual([undefined])
      expect(late.ref?.alive).toBe(true)
      done.fail(new Error('late'))
      expect(await late.ref?.done).toEqual(new Error('late'))
      await sim.settle()
      expect(await probe.received()).toEqual([])
      expect(owner.alive).toBe(true)
    })
  })

  it('S121 does nothing to the rest when the limit was reached', async () => {
    await simulate().run(async (sim) => {
      const rest = Task.async(forever)
      const tasks = [Task.async(async () => 1), rest]
      expect(await Task.yieldMany(tasks, { limit: 1, onTimeout: 'kill_task' })).toEqual([
        { ok: true, value: 1 },
        undefined,
      ])
      expect(rest.ref?.alive).toBe(true)
      expect(sim.clock.pending).toBe(0)
    })
  })

  it.each([
    [{ limit: 0 }, 'limit of yieldMany: expected a number of tasks >= 1, got 0'],
    [{ onTimeout: 'kill' }, "onTimeout of yieldMany: expected 'nothing', 'ignore' or 'kill_task', got kill"],
  ])('refuses bad options: %j', async (options, text) => {
    await simulate().run(async () => {
      expect(await failure(Task.yieldMany([Task.completed(1)], options as never))).toEqual(
        new ProcessError('bad_argument', text),
      )
    })
  })
})
