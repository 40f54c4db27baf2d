import { Exit, type ExitReason, type Ref } from 'sluice'
import { type Simulation, simulate } from 'sluice/testing'
import { describe, expect, it } from 'vitest'
import { type ProcessContext, spawnPlain } from '../../src/process/plain.ts'
import { processOf } from '../../src/process/ref.ts'

/** A process that waits, and does what it is told to do. */
async function spawn(sim: Simulation, use: (context: ProcessContext) => unknown = () => undefined): Promise<Ref> {
  const observer = await sim.probe().context()
  const { runtime } = processOf(observer.self)
  const ref = spawnPlain(runtime, async function worker(context) {
    use(context)
    const order = (await context.receive((message) => typeof message === 'function')) as (it: ProcessContext) => unknown
    return order(context)
  })
  await sim.settle()
  return ref
}

/** Makes a process exit with a reason, as by its own function. */
function exitWith(ref: Ref, reason: ExitReason): void {
  if (reason === 'normal') ref.send(() => undefined)
  else ref.send((it: ProcessContext) => it.exit(it.self, reason))
}

/** A probe that traps exits and is linked to somebody. */
async function trapping(sim: Simulation, ref: Ref): Promise<ProcessContext> {
  const context = await sim.probe().context()
  context.trapExits(true)
  context.link(ref)
  return context
}

const boom = new Error('boom')

describe('links', () => {
  it.each(['boom', boom, 'shutdown', { shutdown: 'moved' }])('S5 pass on the reason %s', async (reason) => {
    await simulate().run(async (sim) => {
      const a = await spawn(sim)
      const b = await spawn(sim, (it) => it.link(a))
      exitWith(a, reason)
      expect(await b.done).toBe(reason)
    })
  })

  it('S5 work in both directions, and twice is once', async () => {
    await simulate().run(async (sim) => {
      const a = await spawn(sim)
      const b = await trapping(sim, a)
      b.link(a)
      b.link(b.self)
      exitWith(a, 'boom')
      await a.done
      await sim.settle()
      expect(b.takeAll()).toEqual([new Exit(a, 'boom')])

      const c = await spawn(sim)
      const d = await spawn(sim, (it) => it.link(c))
      exitWith(d, 'boom')
      expect(await c.done).toBe('boom')
    })
  })

  it('S5 bind a process to all its children, until one is untied', async () => {
    await simulate().run(async (sim) => {
      const children: Ref[] = []
      const parent = await spawn(sim, (it) => {
        for (let count = 0; count < 4; count++) children.push(it.spawnLink((child) => child.receive()))
        for (const child of children) it.link(child)
        for (const index of [1, 0]) it.unlink(children[index] as Ref)
        it.link(children[0] as Ref)
      })
      const [first, untied, third, fourth] = children
      const outsider = await trapping(sim, parent)
      expect(processOf(parent).links.map(({ ref }) => ref)).toEqual([outsider.self, third, fourth, first])
      for (const child of [first, third, fourth]) expect(processOf(child as Ref).links).toEqual([processOf(parent)])
      expect(processOf(untied as Ref).links).toEqual([])
      parent.kill()
      await sim.settle()
      expect(children.map(({ alive }) => alive)).toEqual([false, true, false, false])
      expect(await outsider.receive()).toEqual(new Exit(parent, 'killed'))
      expect(processOf(parent).links).toEqual([])
    })
  })

  it('S5 bind a child to its parent and to others', async () => {
    await simulate().run(async (sim) => {
      const children: Ref[] = []
      const parent = await spawn(sim, (it) => {
        it.trapExits(true)
        for (let count = 0; count < 3; count++) children.push(it.spawnLink((child) => child.receive()))
      })
      const [first, second, third] = children as [Ref, Ref, Ref]
      const outsider = await trapping(sim, second)
      second.exit('boom')
      await sim.settle()
      expect(parent.alive).toBe(true)
      expect(await outsider.receive()).toEqual(new Exit(second, 'boom'))
      expect(processOf(parent).links.map(({ ref }) => ref)).toEqual([first, third])
    })
  })

  it('S6 do not pass on a normal end', async () => {
    await simulate().run(async (sim) => {
      const a = await spawn(sim)
      const b = await spawn(sim, (it) => it.link(a))
      exitWith(a, 'normal')
      expect(await a.done).toBe('normal')
      await sim.settle()
      expect(b.alive).toBe(true)
    })
  })

  it('S7 give a process that traps exits a message, whatever the reason', async () => {
    await simulate().run(async (sim) => {
      for (const reason of ['normal', 'boom', boom, 'killed'] as const) {
        const a = await spawn(sim)
        const b = await trapping(sim, a)
        if (reason === 'killed') a.kill()
        else exitWith(a, reason)
        expect(await b.receive()).toEqual(new Exit(a, reason))
        expect(b.self.alive).toBe(true)
      }
    })
  })

  it('S7 a peer that merely ends with the reason kill can be trapped', async () => {
    await simulate().run(async (sim) => {
      const a = await spawn(sim)
      const b = await trapping(sim, a)
      const c = await spawn(sim, (it) => it.link(a))
      // Only `exit` sent as `kill` cannot be trapped; a stop with that reason is an end as any other.
      await a.stop({ reason: 'kill' })
      expect(await b.receive()).toEqual(new Exit(a, 'kill'))
      expect(await c.done).toBe('kill')
    })
  })

  it('S8 a kill cannot be trapped, and others see killed', async () => {
    await simulate().run(async (sim) => {
      const sender = await sim.probe().context()
      for (const kill of [
        (ref: Ref) => ref.kill(),
        (ref: Ref) => ref.exit('kill'),
        (ref: Ref) => sender.exit(ref, 'kill'),
      ]) {
        const b = await spawn(sim, (it) => it.trapExits(true))
        const peer = await trapping(sim, b)
        kill(b)
        expect(b.alive).toBe(false)
        expect(await b.done).toBe('killed')
        expect(await peer.receive()).toEqual(new Exit(b, 'killed'))
      }
    })
  })

  it('S9 an exit signal normal is ignored, but for one that a process sends to itself', async () => {
    await simulate().run(async (sim) => {
      const a = await sim.probe().context()
      const b = await spawn(sim)
      a.exit(b, 'normal')
      await sim.settle()
      expect(b.alive).toBe(true)
      a.exit(a.self, 'normal')
      expect(await a.self.done).toBe('normal')
      a.exit(b, 'from the dead')
      expect(b.alive).toBe(true)
    })
  })

  it('S9 an exit signal to the dead is no error', async () => {
    await simulate().run(async (sim) => {
      const b = await spawn(sim)
      b.kill()
      expect(b.exit('boom')).toBeUndefined()
      expect(await b.done).toBe('killed')
    })
  })

  it('S9 an exit signal that is trapped names its sender', async () => {
    await simulate().run(async (sim) => {
      const a = await sim.probe().context()
      const b = await sim.probe().context()
      expect(b.trapExits(true)).toBe(false)
      expect(b.trapExits(true)).toBe(true)
      a.exit(b.self, 'normal')
      a.exit(b.self, 'boom')
      await sim.settle()
      expect(b.takeAll()).toEqual([new Exit(a.self, 'normal'), new Exit(a.self, 'boom')])
    })
  })

  it.each([1, 2, 3])('S10 a chain falls as a whole; who traps hears of its neighbour, seed %i', async (seed) => {
    await simulate({ seed }).run(async (sim) => {
      const a = await spawn(sim)
      const b = await spawn(sim, (it) => it.link(a))
      const c = await spawn(sim, (it) => it.link(b))
      const watcher = await trapping(sim, c)
      exitWith(a, 'boom')
      expect(await Promise.all([a.done, b.done, c.done])).toEqual(['boom', 'boom', 'boom'])
      await sim.settle()
      expect(watcher.takeAll()).toEqual([new Exit(c, 'boom')])
    })
  })

  it('S10 a chain of 10,000 falls without nesting', async () => {
    await simulate().run(async (sim) => {
      const { runtime } = processOf((await sim.probe().context()).self)
      const wait = (): Promise<never> => new Promise(() => {})
      const first = spawnPlain(runtime, wait)
      let last = first
      for (let made = 1; made < 10_000; made++) {
        const next = spawnPlain(runtime, wait)
        processOf(next).link(processOf(last))
        last = next
      }
      first.exit('boom')
      expect(await last.done).toBe('boom')
    })
  })

  it('S14 are undone by unlink: no signal, no message', async () => {
    await simulate().run(async (sim) => {
      const a = await spawn(sim)
      const b = await trapping(sim, a)
      const c = await spawn(sim, (it) => {
        it.link(a)
        it.unlink(a)
      })
      b.unlink(a)
      exitWith(a, 'boom')
      await a.done
      await sim.settle()
      expect(b.takeAll()).toEqual([])
      expect(c.alive).toBe(true)
    })
  })

  it('S14 unlink leaves a message that is there already', async () => {
    await simulate().run(async (sim) => {
      const a = await spawn(sim)
      const b = await trapping(sim, a)
      a.kill()
      b.unlink(a)
      expect(await b.receive()).toEqual(new Exit(a, 'killed'))
    })
  })

  it('S12 to the dead give an exit signal noproc', async () => {
    await simulate().run(async (sim) => {
      const dead = await spawn(sim)
      dead.kill()
      const b = await trapping(sim, dead)
      expect(await b.receive()).toEqual(new Exit(dead, 'noproc'))
      const c = await spawn(sim, (it) => it.link(dead))
      expect(await c.done).toBe('noproc')
    })
  })
})
