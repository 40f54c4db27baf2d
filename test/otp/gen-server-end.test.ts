import { CallError, child, Exit, type ExitReason, GenServer, type Ref, start, supervise, whereis } from 'sluice'
import { simulate } from 'sluice/testing'
import { describe, expect, it } from 'vitest'
import { settlement } from '../support/settlement.ts'

/** Tells a probe what happens to it. */
class Reporting extends GenServer {
  readonly report: Ref
  constructor(report: Ref) {
    super()
    this.report = report
  }
  note(text: string) {
    this.report.send(text)
  }
  async hang() {
    this.report.send('hanging')
    await new Promise(() => {})
  }
  override handleInfo(message: unknown) {
    this.report.send(message)
  }
}

/** Overrides terminate, so it traps the exit of its parent. */
class Terminating extends Reporting {
  override terminate(reason: ExitReason): void | Promise<void> {
    this.report.send(`terminate ${reason instanceof Error ? reason.message : JSON.stringify(reason)}`)
  }
}

/** Starts children of its own. */
class Parent extends GenServer {
  async breed(type: typeof Reporting, report: Ref) {
    return (await this.startLink(type, { arg: report })) as Ref<Reporting>
  }
}

class Trapping extends Terminating {
  constructor(report: Ref) {
    super(report)
    this.trapExits(true)
  }
}

describe('terminate', () => {
  it.each([
    ['normal' as const, Terminating],
    ['shutdown' as const, Terminating],
    ['boom' as const, Terminating],
    ['normal' as const, Trapping],
    ['boom' as const, Trapping],
  ])('S37 runs when the parent ends (%s), after the messages that were there before', async (reason, type) => {
    await simulate().run(async (sim) => {
      const probe = sim.probe()
      const parent = await start(Parent)
      const server = await parent.call.breed(type, probe.ref)
      server.cast.note('before')
      await (reason === 'boom' ? settlement(parent.stop({ reason })) : parent.stop({ reason }))
      server.cast.note('after')
      expect(await server.done).toBe(reason)
      expect(await probe.received()).toEqual(['before', `terminate "${reason}"`])
    })
  })

  it('S38 does not run when another linked process ends: that is an Exit message', async () => {
    await simulate().run(async (sim) => {
      const probe = sim.probe()
      const server = await start(Trapping, { arg: probe.ref })
      for (const reason of ['normal', 'boom']) {
        const peer = await sim.probe().context()
        peer.link(server)
        peer.exit(peer.self, reason)
        await sim.settle()
        expect(await probe.received()).toEqual([new Exit(peer.self, reason)])
      }
      expect(server.alive).toBe(true)
    })
  })

  it('S38 a class that overrides terminate traps only its parent', async () => {
    await simulate().run(async (sim) => {
      const probe = sim.probe()
      const server = await start(Terminating, { arg: probe.ref })
      const peer = await sim.probe().context()
      peer.link(server)
      peer.exit(peer.self, 'boom')
      expect(await server.done).toBe('boom')
      expect(await probe.received()).toEqual([])
    })
  })

  it('S38 trapping no exits any more leaves that of the parent to a class that overrides terminate', async () => {
    class Changing extends Terminating {
      switch() {
        return [this.trapExits(true), this.trapExits(false), this.trapExits(false)]
      }
    }
    await simulate().run(async (sim) => {
      const probe = sim.probe()
      const parent = await start(Parent)
      const server = (await parent.call.breed(Changing, probe.ref)) as Ref<Changing>
      expect(await server.call.switch()).toEqual([false, true, false])
      await parent.stop()
      expect(await server.done).toBe('normal')
      expect(await probe.received()).toEqual(['terminate "normal"'])
    })
  })

  it.each(['boom', 'shutdown', 'killed'] as const)(
    'S39 does not run at an exit signal %s that is not trapped',
    async (reason) => {
      await simulate().run(async (sim) => {
        const probe = sim.probe()
        const server = await start(Terminating, { arg: probe.ref })
        if (reason === 'killed') server.kill()
        else server.exit(reason)
        expect(server.alive).toBe(false)
        await sim.settle()
        expect(await probe.received()).toEqual([])
        expect(await server.done).toBe(reason)
        expect(sim.logs.filter(({ level }) => level === 'error')).toEqual([])
      })
    },
  )

  it('S39 a server that does not override it falls with its parent, but not when that ends normally', async () => {
    await simulate().run(async (sim) => {
      const probe = sim.probe()
      for (const reason of ['shutdown', 'boom', 'normal'] as const) {
        const parent = await start(Parent)
        const server = await parent.call.breed(Reporting, probe.ref)
        await settlement(parent.stop({ reason }))
        expect(server.alive).toBe(reason === 'normal')
      }
    })
  })

  it('runs after a crash and after a stop of its own, once each', async () => {
    class Ending extends Terminating {
      crash() {
        throw new Error('boom')
      }
      async crashLater() {
        await Promise.resolve()
        throw new Error('boom')
      }
      end() {
        this.stop('done')
        this.stop('ignored')
      }
    }
    await simulate().run(async (sim) => {
      const probe = sim.probe()
      for (const method of ['crash', 'crashLater', 'end'] as const) {
        const server = await start(Ending, { arg: probe.ref })
        server.cast[method]()
        server.cast.note('never')
        const reason = await server.done
        expect(reason instanceof Error ? reason.message : reason).toBe(method === 'end' ? 'done' : 'boom')
        expect(await probe.received()).toEqual([method === 'end' ? 'terminate "done"' : 'terminate boom'])
      }
    })
  })

  it.each(['synchronously', 'later'] as const)('S40 that throws %s gives its reason to the end', async (when) => {
    class Failing extends GenServer {
      override terminate(): void | Promise<void> {
        if (when === 'later') return Promise.reject(new RangeError('cannot end'))
        throw new RangeError('cannot end')
      }
    }
    await simulate().run(async (sim) => {
      const server = await start(Failing)
      const { error } = await settlement(server.stop())
      expect(error).toBeInstanceOf(CallError)
      expect(error).toMatchObject({ code: 'exit', cause: { message: 'cannot end' } })
      expect(await server.done).toBeInstanceOf(RangeError)
      expect(sim.logs.filter(({ level }) => level === 'error')).toHaveLength(1)
    })
  })

  it('may take its time: the end waits for it', async () => {
    class Slow extends Terminating {
      override async terminate() {
        await this.sleep(100)
        this.report.send('flushed')
      }
    }
    await simulate().run(async (sim) => {
      const probe = sim.probe()
      const server = await start(Slow, { arg: probe.ref })
      const stopped = server.stop()
      await sim.advance(99)
      expect(server.alive).toBe(true)
      await sim.advance(1)
      await stopped
      expect(await probe.received()).toEqual(['flushed'])
    })
  })

  it('that never ends is cut short at the deadline, also when the process stopped by itself', async () => {
    class Stuck extends GenServer {
      override async terminate() {
        await new Promise(() => {})
      }
      end() {
        this.stop()
      }
    }
    await simulate().run(async (sim) => {
      const server = await start(Stuck)
      server.cast.end()
      await sim.advance(4999, { foreign: true })
      expect(server.alive).toBe(true)
      await sim.advance(1, { foreign: true })
      expect(await server.done).toBe('killed')
    })
  })
})

describe('stop', () => {
  it('S41 resolves when the server has ended with the reason asked for; terminate gets it', async () => {
    await simulate().run(async (sim) => {
      const probe = sim.probe()
      for (const reason of [undefined, 'shutdown', { shutdown: 'moved' }, 'out of paper'] as const) {
        const server = await start(Terminating, { arg: probe.ref })
        server.cast.note('before')
        expect(await server.stop({ reason })).toBeUndefined()
        expect(server.alive).toBe(false)
        expect(await server.done).toEqual(reason ?? 'normal')
        expect(await probe.received()).toEqual(['before', `terminate ${JSON.stringify(reason ?? 'normal')}`])
      }
      expect(sim.clock.pending).toBe(0)
    })
  })

  it('S41 rejects when it ended with another reason', async () => {
    class Stubborn extends GenServer {
      crash() {
        throw new Error('boom')
      }
    }
    await simulate().run(async () => {
      const server = await start(Stubborn)
      server.cast.crash()
      const { error } = await settlement(server.stop())
      expect(error).toMatchObject({ code: 'exit', method: 'stop', target: `${server}`, cause: { message: 'boom' } })
    })
  })

  it('S42 of the dead: noproc; of oneself: calling_self', async () => {
    class Weary extends GenServer {
      override async handleInfo() {
        const { error } = await settlement(this.self.stop())
        throw error
      }
    }
    await simulate().run(async () => {
      const server = await start(Weary)
      server.send('stop yourself')
      expect(await server.done).toMatchObject({ code: 'calling_self', method: 'stop' })
      expect(await settlement(server.stop())).toMatchObject({ error: { name: 'CallError', code: 'noproc' } })
    })
  })

  it('S42 of a server that is stuck: timeout, and it was killed at the deadline', async () => {
    await simulate().run(async (sim) => {
      const probe = sim.probe()
      for (const timeout of [undefined, 100]) {
        const server = await start(Terminating, { arg: probe.ref })
        server.cast.hang()
        await sim.settle()
        const stopped = settlement(server.stop({ timeout }))
        await sim.advance((timeout ?? 5000) - 1, { foreign: true })
        expect(server.alive).toBe(true)
        await sim.advance(1, { foreign: true })
        const { error } = await stopped
        expect(error).toMatchObject({ code: 'timeout', method: 'stop', reason: 'killed' })
        expect(await server.done).toBe('killed')
        expect(await probe.received()).toEqual(['hanging'])
      }
    })
  })

  it('S42 the error shows in its stack who stopped', async () => {
    async function tidyUp(ref: Ref) {
      await ref.stop({ timeout: 1 })
    }
    await simulate().run(async (sim) => {
      const server = await start(Reporting, { arg: sim.probe().ref })
      server.cast.hang()
      const failed = settlement(tidyUp(server))
      await sim.advance(1, { foreign: true })
      for (const { error } of [await failed, await settlement(tidyUp(server))]) {
        expect((error as Error).stack).toContain('tidyUp')
      }
    })
  })
})

describe('the signal and stopping', () => {
  class Downloading extends Reporting {
    seen: string[] = []
    async download() {
      this.seen.push(`stopping ${this.stopping}`)
      await new Promise<void>((resolve, reject) => {
        this.signal.addEventListener('abort', () => {
          this.report.send(`aborted: ${(this.signal.reason as Error).name}`)
          reject(this.signal.reason)
        })
        this.sendAfter('tick', 10)
        void this.sleep(50).then(resolve)
      })
      this.report.send(`downloaded, stopping ${this.stopping}`)
    }
  }

  it('stopping is true from the request on; the signal does not fire when the process ends in time', async () => {
    await simulate().run(async (sim) => {
      const probe = sim.probe()
      const server = await start(Downloading, { arg: probe.ref })
      server.cast.download()
      server.cast.note('queued before')
      await sim.settle()
      const stopped = server.stop()
      server.cast.note('queued after')
      await sim.advance(49)
      expect(server.alive).toBe(true)
      await sim.advance(1)
      await stopped
      const received = await probe.received()
      // The process is dead at the end, so its signal fires then, when nothing waits for it any more.
      expect(received.slice(0, 2)).toEqual(['downloaded, stopping true', 'queued before'])
      expect(received).not.toContain('queued after')
    })
  })

  it('the signal fires at the deadline: dead at once for everyone, its own work cancelled, its late results ignored', async () => {
    await simulate().run(async (sim) => {
      const probe = sim.probe()
      const server = await start(Downloading, { arg: probe.ref })
      const call = settlement(server.call.download())
      await sim.settle()
      const stopped = settlement(server.stop({ timeout: 20 }))
      await sim.advance(20)
      expect(await stopped).toMatchObject({ error: { code: 'timeout' } })
      expect(await call).toMatchObject({ error: { code: 'exit', reason: 'killed' } })
      await sim.advance(100)
      expect(await probe.received()).toEqual(['aborted: AbortError'])
      expect(sim.logs.filter(({ level }) => level === 'error')).toEqual([])
    })
  })

  it.each(['kill', 'exit'] as const)('the signal fires at once at a %s', async (how) => {
    await simulate().run(async (sim) => {
      const probe = sim.probe()
      const server = await start(Downloading, { arg: probe.ref })
      server.cast.download()
      await sim.settle()
      if (how === 'kill') server.kill()
      else server.exit('shutdown')
      expect(await probe.receive()).toBe('aborted: AbortError')
    })
  })

  it('the signal of one who is dead already has fired', async () => {
    const signals: (() => AbortSignal)[] = []
    class Late extends GenServer {
      constructor() {
        super()
        signals.push(() => this.signal)
      }
    }
    await simulate().run(async () => {
      const late = await start(Late)
      await late.stop()
      expect(signals[0]?.().aborted).toBe(true)
    })
  })

  it('the signal can be given to any number of things at the same time, without a warning', async () => {
    let heard = 0
    class Busy extends GenServer {
      work() {
        for (let request = 0; request < 20; request++) this.signal.addEventListener('abort', () => heard++)
      }
    }
    const warnings: unknown[] = []
    const listener = (warning: Error) => warnings.push(warning.name)
    process.on('warning', listener)
    await simulate().run(async (sim) => {
      const busy = await start(Busy)
      await busy.call.work()
      await busy.stop()
      await sim.settle()
    })
    process.off('warning', listener)
    expect(heard).toBe(20)
    expect(warnings).toEqual([])
  })

  it('the deadline of a child is that of its supervisor', async () => {
    await simulate().run(async (sim) => {
      const probe = sim.probe()
      const supervisor = await supervise({
        strategy: 'one_for_one',
        children: [child(Downloading, { arg: probe.ref, shutdown: 20, name: Downloading })],
      })
      whereis(Downloading)?.cast.download()
      await sim.settle()
      const stopped = supervisor.stop()
      await sim.settle()
      // It overrides no terminate, so the request to stop ends it at once.
      await stopped
      expect(await probe.received()).toEqual(['aborted: AbortError'])
    })
  })

  it('a child that overrides terminate sees stopping, and has its time', async () => {
    class Careful extends Downloading {
      override terminate() {
        this.report.send('terminate')
      }
    }
    await simulate().run(async (sim) => {
      const probe = sim.probe()
      for (const shutdown of [20, 100]) {
        const supervisor = await supervise({
          strategy: 'one_for_one',
          children: [child(Careful, { arg: probe.ref, shutdown, name: Careful })],
        })
        whereis(Careful)?.cast.download()
        await sim.settle()
        const stopped = supervisor.stop()
        await sim.advance(200)
        await stopped
        const received = (await probe.received()).filter((message) => message !== 'tick')
        if (shutdown === 20) expect(received).toEqual(['aborted: AbortError'])
        else expect(received.slice(0, 2)).toEqual(['downloaded, stopping true', 'terminate'])
      }
    })
  })
})

describe('await using', () => {
  it('stops what it holds, and waits for the end', async () => {
    await simulate().run(async (sim) => {
      const probe = sim.probe()
      const held: Ref[] = []
      {
        await using server = await start(Terminating, { arg: probe.ref })
        held.push(server)
        server.cast.note('before')
      }
      expect(held.map((ref) => ref.alive)).toEqual([false])
      expect(await probe.received()).toEqual(['before', 'terminate "shutdown"'])
    })
  })

  it('is content when it has ended already, or ends with another reason', async () => {
    class Failing extends GenServer {
      override terminate() {
        throw new Error('cannot end')
      }
    }
    await simulate().run(async () => {
      const held: Ref[] = []
      {
        await using server = await start(Failing)
        await using other = await start(Failing)
        held.push(server, other)
        other.kill()
      }
      expect(held.map((ref) => ref.alive)).toEqual([false, false])
    })
  })
})
