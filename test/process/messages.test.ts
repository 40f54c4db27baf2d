import { Down, GenServer, type Later, name, ProcessError, type Ref, start } from 'sluice'
import { simulate } from 'sluice/testing'
import { describe, expect, it } from 'vitest'
import { settlement } from '../support/settlement.ts'

class Desk extends GenServer {
  pending: Later<string> | undefined
  ask() {
    this.pending = this.later<string>()
    return this.pending
  }
  answer(text: string) {
    this.pending?.reply(text)
  }
}

class Caller extends GenServer {
  readonly infos: unknown[] = []
  override handleInfo(message: unknown) {
    this.infos.push(message)
  }
  async askFor(desk: Ref<Desk>, ms: number) {
    return await settlement(desk.with({ timeout: ms }).call.ask())
  }
  seen() {
    return this.infos
  }
}

describe('messages', () => {
  it.each([1, 2, 3, 4, 5])('S1 keep the order of each sender, seed %i', async (seed) => {
    await simulate({ seed }).run(async (sim) => {
      const b = sim.probe()
      const a = await sim.probe().context()
      const c = await sim.probe().context()
      a.spawnLink(() => {
        for (const number of [1, 2, 3]) b.ref.send(number)
      })
      c.spawnLink(() => {
        for (const word of ['x', 'y', 'z']) b.ref.send(word)
      })
      await sim.settle()
      const received = await b.received()
      expect(received.filter((message) => typeof message === 'number')).toEqual([1, 2, 3])
      expect(received.filter((message) => typeof message === 'string')).toEqual(['x', 'y', 'z'])
    })
  })

  it.each([1, 2, 3])('S2 arrive before the news that their sender died, seed %i', async (seed) => {
    await simulate({ seed }).run(async (sim) => {
      const b = await sim.probe().context()
      const parent = await sim.probe().context()
      const a = parent.spawnLink(async (context) => {
        await context.receive()
        b.self.send('last words')
      })
      const monitor = b.monitor(a)
      a.send('go')
      expect(await b.receive()).toBe('last words')
      expect(await b.receive()).toEqual(new Down(monitor, a, 'normal'))
    })
  })

  it('S3 can be taken selectively; the others keep their order', async () => {
    await simulate().run(async (sim) => {
      const b = await sim.probe().context()
      for (const message of ['one', 2, 'three', 4, 'five']) b.self.send(message)
      expect(await b.receive((message) => message === 4)).toBe(4)
      expect(await b.receive((message): message is number => typeof message === 'number')).toBe(2)
      expect(b.takeAll()).toEqual(['one', 'three', 'five'])
    })
  })

  it('S3 are waited for selectively', async () => {
    await simulate().run(async (sim) => {
      const b = await sim.probe().context()
      const wanted = b.receive((message) => message === 'wanted')
      b.self.send('other')
      b.self.send('wanted')
      expect(await wanted).toBe('wanted')
      expect(await b.receive()).toBe('other')
      const none = b.receive((message) => message === 'never', { timeout: 10 })
      await sim.advance(10)
      expect(await none).toBeUndefined()
    })
  })

  it('S4 to the dead vanish; to a name that nobody bears a send throws and a cast does not', async () => {
    await simulate().run(async () => {
      const desk = await start(Desk)
      desk.kill()
      desk.send('hello')
      desk.cast.answer('hello')
      expect(desk.alive).toBe(false)

      const nobody = name(Desk, 'nobody')
      expect(() => nobody.send('hello')).toThrow(ProcessError)
      expect(() => nobody.send('hello')).toThrow('nobody bears the name Desk(nobody)')
      expect(nobody.cast.answer('hello')).toBeUndefined()
    })
  })

  it('S4 to oneself stand behind what waits already', async () => {
    await simulate().run(async (sim) => {
      const b = await sim.probe().context()
      b.self.send('first')
      b.self.send('second')
      expect(await b.receive()).toBe('first')
      b.self.send('mine')
      expect(await b.receive()).toBe('second')
      expect(await b.receive()).toBe('mine')
    })
  })

  it('S19 a reply that comes after the caller gave up reaches nobody', async () => {
    await simulate().run(async (sim) => {
      const desk = await start(Desk)
      const caller = await start(Caller)
      const asked = caller.call.askFor(desk, 10)
      await sim.advance(10)
      expect(await asked).toMatchObject({ error: { code: 'timeout' } })
      await desk.call.answer('late')
      await sim.settle()
      expect(await caller.call.seen()).toEqual([])
      expect(await desk.with({ timeout: 10 }).call.answer('later still')).toBeUndefined()
    })
  })
})

describe('S20 a process that was killed inside an async callback', () => {
  class Worker extends GenServer {
    readonly #probe: Ref
    wentOn = false
    constructor(probe: Ref) {
      super()
      this.#probe = probe
    }
    async work(gate: Promise<void>) {
      await gate
      this.wentOn = true
      this.sendAfter('from the dead', 0, this.#probe)
      this.exit(this.#probe, 'from the dead')
      this.continue('more')
      this.stop('done')
      return 'late'
    }
    async poll(gate: Promise<void>) {
      await gate
      await this.sleep(1000)
      this.#probe.send('the dead woke up')
    }
    async breed(gate: Promise<void>) {
      await gate
      this.#probe.send(await settlement(this.startLink(Desk)))
    }
    override handleContinue() {
      this.#probe.send('continued')
    }
  }

  const killed = async (method: 'work' | 'poll' | 'breed', check: (outcome: Outcome) => Promise<void>) => {
    await simulate().run(async (sim) => {
      const probe = sim.probe()
      const worker = await start(Worker, { arg: probe.ref })
      let open = (): void => {}
      const gate = new Promise<void>((resolve) => {
        open = resolve
      })
      const reply = settlement<unknown>(worker.call[method](gate))
      await sim.settle()
      worker.kill()
      expect(worker.alive).toBe(false)
      expect(await reply).toMatchObject({ error: { code: 'exit', reason: 'killed' } })
      open()
      await sim.settle()
      await sim.advance(2000)
      await check({ worker, received: await probe.received(), processes: sim.processes.map(String) })
    })
  }

  interface Outcome {
    readonly worker: Ref<Worker>
    readonly received: readonly unknown[]
    readonly processes: readonly string[]
  }

  it('S20 sends, replies and continues nothing any more', async () => {
    await killed('work', async ({ worker, received }) => {
      expect(received).toEqual([])
      expect(await worker.done).toBe('killed')
    })
  })

  it('S20 does not wake up from a sleep', async () => {
    await killed('poll', async ({ received }) => {
      expect(received).toEqual([])
    })
  })

  it('S20 starts no children, which nobody would stop', async () => {
    await killed('breed', async ({ received, processes }) => {
      expect(received).toMatchObject([{ error: { code: 'start_failed', reason: 'noproc' } }])
      expect(processes.filter((label) => label.startsWith('Desk'))).toEqual([])
    })
  })
})
