import { Down, GenServer, type Ref, start } from 'sluice'
import { simulate } from 'sluice/testing'
import { describe, expect, it } from 'vitest'
import { collectGarbage } from '../support/gc.ts'

class Idle extends GenServer {}

describe('monitors', () => {
  it('S11 each give one Down with their own token', async () => {
    await simulate().run(async (sim) => {
      const a = await start(Idle)
      const b = await sim.probe().context()
      const first = b.monitor(a)
      const second = b.monitor(a)
      expect(first).not.toBe(second)
      await a.stop({ reason: 'shutdown' })
      await sim.settle()
      expect(b.takeAll()).toEqual([new Down(first, a, 'shutdown'), new Down(second, a, 'shutdown')])
    })
  })

  it('S11 do not tie the fate of the watcher, and end with it', async () => {
    await simulate().run(async (sim) => {
      const a = await start(Idle)
      const b = await sim.probe().context()
      b.monitor(a)
      a.kill()
      await sim.settle()
      expect(b.self.alive).toBe(true)

      const c = await start(Idle)
      const d = await sim.probe().context()
      d.monitor(c)
      d.self.kill()
      await c.stop()
    })
  })

  it('S11 of a dead watcher are forgotten by who was watched', async () => {
    class Watcher extends GenServer {
      watch(other: Ref) {
        this.monitor(other)
      }
    }
    await simulate().run(async (sim) => {
      const watched = await start(Idle)
      const watcher = await (async () => {
        const ref = await start(Watcher)
        await ref.call.watch(watched)
        await ref.stop()
        return new WeakRef(ref)
      })()
      await sim.settle()
      await collectGarbage()
      expect(watcher.deref()).toBeUndefined()
      expect(watched.alive).toBe(true)
    })
  })

  it('S12 of the dead, and of a name that nobody bears, tell noproc at once', async () => {
    await simulate().run(async (sim) => {
      const dead = await start(Idle)
      dead.kill()
      const b = await sim.probe().context()
      const ofDead = b.monitor(dead)
      const ofName = b.monitor(Idle)
      expect(await b.receive()).toEqual(new Down(ofDead, dead, 'noproc'))
      expect(await b.receive()).toEqual(new Down(ofName, undefined, 'noproc'))
    })
  })

  it('S12 of a name watch who bears it now', async () => {
    await simulate().run(async (sim) => {
      const a = await start(Idle, { name: Idle })
      const b = await sim.probe().context()
      const monitor = b.monitor(Idle)
      await a.stop()
      expect(await b.receive()).toEqual(new Down(monitor, a, 'normal'))
    })
  })

  it('S13 ended with flush leave no Down, without flush the Down that was there stays', async () => {
    await simulate().run(async (sim) => {
      const b = await sim.probe().context()
      for (const flush of [true, false]) {
        const a = await start(Idle)
        const monitor = b.monitor(a)
        a.kill()
        b.self.send('other')
        b.demonitor(monitor, { flush })
        await sim.settle()
        const down = new Down(monitor, a, 'killed')
        expect(b.takeAll()).toEqual(flush ? ['other'] : [down, 'other'])
      }
    })
  })

  it('S13 flush finds a Down that the process had set aside', async () => {
    await simulate().run(async (sim) => {
      const b = await sim.probe().context()
      const a = await start(Idle)
      const monitor = b.monitor(a)
      const other = b.monitor(a)
      a.kill()
      await sim.settle()
      b.demonitor(monitor, { flush: true })
      expect(b.takeAll()).toEqual([new Down(other, a, 'killed')])
    })
  })

  it('S13 ended in time say nothing', async () => {
    await simulate().run(async (sim) => {
      const b = await sim.probe().context()
      const a = await start(Idle)
      b.demonitor(b.monitor(a))
      await a.stop()
      await sim.settle()
      expect(b.takeAll()).toEqual([])
    })
  })

  it('S13 flush in a server, which has its mailbox only', async () => {
    class Watcher extends GenServer {
      readonly seen: unknown[] = []
      async watchAndForget(flush: boolean) {
        const other = await this.start(Idle)
        const monitor = this.monitor(other)
        other.kill()
        this.demonitor(monitor, { flush })
      }
      override handleInfo(message: unknown) {
        this.seen.push(message)
      }
      reasons() {
        return this.seen.map((message) => message instanceof Down && message.reason)
      }
    }
    await simulate().run(async () => {
      const watcher = await start(Watcher)
      await watcher.call.watchAndForget(true)
      expect(await watcher.call.reasons()).toEqual([])
      await watcher.call.watchAndForget(false)
      expect(await watcher.call.reasons()).toEqual(['killed'])
    })
  })
})
