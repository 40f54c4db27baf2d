import { Consumer, GenServer, Producer, type Ref, start, startLink, whereis } from 'sluice'
import { type Simulation, SimulationError, simulate } from 'sluice/testing'
import { describe, expect, it } from 'vitest'
import { settlement } from '../support/settlement.ts'

class Worker extends GenServer {
  ping() {
    return 'pong'
  }
  async waitOutside() {
    await new Promise(() => {})
  }
  async waitForTime(ms: number) {
    await this.sleep(ms)
    return 'awake'
  }
  async ask(other: Ref<Worker>, ms: number) {
    return await other.call.waitForTime(ms)
  }
  crash() {
    throw new Error('boom')
  }
}

/** Four processes that write to one list when told, so that the list shows their order. */
async function interleaving(seed: number): Promise<string> {
  return await simulate({ seed }).run(async (sim) => {
    const order: string[] = []
    class Writer extends GenServer {
      readonly #label: string
      constructor(label: string) {
        super()
        this.#label = label
      }
      write(count: number) {
        order.push(`${this.#label}${count}`)
      }
    }
    const writers = await Promise.all(['a', 'b', 'c', 'd'].map((arg) => start(Writer, { arg })))
    for (const count of [1, 2, 3]) for (const writer of writers) writer.cast.write(count)
    await sim.settle()
    return order.join(' ')
  })
}

describe('a seed', () => {
  it('reproduces the order of processes', async () => {
    for (const seed of [1, 2, 3, 4]) expect(await interleaving(seed)).toBe(await interleaving(seed))
  })

  it('has another order than other seeds', async () => {
    const orders = new Set<string>()
    for (let seed = 0; seed < 20; seed++) orders.add(await interleaving(seed))
    expect(orders.size).toBeGreaterThan(15)
  })

  it('keeps the order of each process', async () => {
    for (let seed = 0; seed < 20; seed++) {
      const order = await interleaving(seed)
      for (const label of 'abcd')
        expect(order.replaceAll(new RegExp(`[^ ${label}\\d]\\d ?`, 'g'), '').trim()).toBe(
          `${label}1 ${label}2 ${label}3`,
        )
    }
  })

  it('is told when a simulation fails', async () => {
    const sim = simulate({ seed: 4711 })
    const { error } = await settlement(
      sim.run(() => {
        throw new Error('an assertion')
      }),
    )
    expect(String(error)).toContain('an assertion')
    expect(String(error)).toContain('simulation seed 4711: simulate({ seed: 4711 })')
  })

  it('is made up when none is given, and told all the same', async () => {
    const [one, two] = [simulate(), simulate()]
    expect(one.seed).not.toBe(two.seed)
    const { error } = await settlement(one.run(async () => await Promise.reject(new Error('an assertion'))))
    expect(String(error)).toContain(`simulate({ seed: ${one.seed} })`)
  })
})

describe('simulations', () => {
  it('that run at the same time do not mix', async () => {
    const names: (Ref | undefined)[] = []
    const world = async (sim: Simulation, steps: number) => {
      const worker = await start(Worker, { name: Worker })
      for (let step = 0; step < steps; step++) {
        expect(whereis(Worker)).toBe(worker)
        expect(sim.processes).toEqual([worker])
        expect(await worker.call.ping()).toBe('pong')
        await sim.advance(10)
      }
      expect(sim.now).toBe(steps * 10)
      names.push(worker)
      worker.cast.crash()
      await worker.done
      expect(sim.logs).toHaveLength(1)
    }
    await Promise.all([10, 3, 7].map((steps, seed) => simulate({ seed }).run((sim) => world(sim, steps))))
    expect(new Set(names).size).toBe(3)
    expect(whereis(Worker)).toBeUndefined()
  })

  it('kill what they started at their end', async () => {
    const refs: Ref[] = []
    const sim = simulate()
    await sim.run(async () => {
      refs.push(await start(Worker), await startLink(Worker))
    })
    expect(refs.map((ref) => ref.alive)).toEqual([false, false])
    expect(sim.processes).toEqual([])
    expect(sim.clock.pending).toBe(0)
  })

  it('fail with what nobody could catch, unless it was expected', async () => {
    const crash = async () => {
      const worker = await startLink(Worker)
      worker.cast.crash()
      await worker.done
    }
    const { error } = await settlement(simulate({ seed: 1 }).run(crash))
    expect(error).toMatchObject({ cause: { message: 'boom' } })
    expect(String(error)).toContain('had no supervisor and ended: Error: boom')
    await simulate().run(async (sim) => {
      await crash()
      await sim.settle()
      expect(sim.takeUncaught()).toMatchObject([{ cause: { message: 'boom' } }])
      expect(sim.takeUncaught()).toEqual([])
    })
  })

  it('give what the test gives', async () => {
    expect(await simulate().run(() => 7)).toBe(7)
  })

  it('freeze emitted events, unless told not to', async () => {
    class Source extends Producer<{ n: number }> {
      override handleDemand() {
        return [{ n: 1 }]
      }
    }
    for (const freezeEvents of [undefined, true, false]) {
      await simulate({ freezeEvents }).run(async (sim) => {
        const seen: boolean[] = []
        class Sink extends Consumer<{ n: number }> {
          override handleEvents(events: readonly { n: number }[]) {
            for (const event of events) seen.push(Object.isFrozen(event))
            this.stop()
          }
        }
        const source = await start(Source)
        await start(Sink, { subscribeTo: [{ to: source, cancel: 'temporary', maxDemand: 1 }] })
        await sim.settle()
        expect(seen).toEqual([freezeEvents ?? true])
      })
    }
  })
})

describe('settle', () => {
  it('lets everything run that needs no time, and then names nobody', async () => {
    await simulate().run(async (sim) => {
      const worker = await start(Worker)
      let reply = ''
      const call = worker.call.ping().then((pong) => {
        reply = pong
      })
      expect(await sim.settle()).toEqual([])
      expect(reply).toBe('pong')
      await call
      expect(sim.now).toBe(0)
    })
  })

  it('names the processes that wait for something foreign', async () => {
    await simulate().run(async (sim) => {
      const [one, two] = [await start(Worker), await start(Worker)]
      one.cast.waitOutside()
      two.cast.waitForTime(10)
      expect(await sim.settle()).toEqual([`${one}`])
      one.kill()
      expect(await sim.settle()).toEqual([])
    })
  })

  it('does not name who waits for a call, nor who sleeps', async () => {
    await simulate().run(async (sim) => {
      const [one, two] = [await start(Worker), await start(Worker)]
      const asked = one.call.ask(two, 100)
      expect(await sim.settle()).toEqual([])
      await sim.advance(100)
      expect(await asked).toBe('awake')
    })
  })

  it('does not name who waits for a call in its init', async () => {
    class Asker extends GenServer {
      readonly #other: Ref<Worker>
      constructor(other: Ref<Worker>) {
        super()
        this.#other = other
      }
      override async init() {
        await this.#other.call.waitForTime(100)
      }
    }
    await simulate().run(async (sim) => {
      const worker = await start(Worker)
      const asker = start(Asker, { arg: worker })
      expect(await sim.settle()).toEqual([])
      await sim.advance(100)
      expect((await asker).alive).toBe(true)
    })
  })
})

describe('advance', () => {
  it('fires timers in the order of their time and settles at each', async () => {
    await simulate().run(async (sim) => {
      const a = await sim.probe().context()
      const times: number[] = []
      for (const ms of [30, 10, 20]) a.sendAfter(ms, ms)
      const noted = (async () => {
        for (let count = 0; count < 3; count++) {
          times.push((await a.receive()) as number, sim.now)
        }
      })()
      await sim.advance(100)
      await noted
      expect(times).toEqual([10, 10, 20, 20, 30, 30])
      expect(sim.now).toBe(100)
    })
  })

  it('refuses to go on while somebody waits for something foreign', async () => {
    await simulate().run(async (sim) => {
      const worker = await start(Worker)
      worker.cast.waitOutside()
      const { error } = await settlement(sim.advance(10))
      expect(error).toBeInstanceOf(SimulationError)
      expect(error).toMatchObject({ waiting: [`${worker}`] })
      expect(String(error)).toContain(`${worker} waits for something outside of the simulation`)
      expect(sim.now).toBe(0)
    })
  })

  it('refuses also when it comes to that on the way', async () => {
    await simulate().run(async (sim) => {
      class Late extends GenServer {
        constructor() {
          super()
          this.sendAfter('go', 5)
        }
        override async handleInfo() {
          await new Promise(() => {})
        }
      }
      await start(Late)
      expect(await settlement(sim.advance(10))).toMatchObject({ error: { name: 'SimulationError' } })
      expect(sim.now).toBe(5)
    })
  })

  it('goes on all the same when told so', async () => {
    await simulate().run(async (sim) => {
      const worker = await start(Worker)
      worker.cast.waitOutside()
      await sim.advance(10, { foreign: true })
      expect(sim.now).toBe(10)
    })
  })
})
