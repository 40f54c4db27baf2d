import { inspect } from 'node:util'
import {
  child,
  fresh,
  GenServer,
  ignore,
  name,
  type Ref,
  StartError,
  Supervisor,
  start,
  startLink,
  supervise,
  whereis,
} from 'sluice'
import { type Simulation, simulate } from 'sluice/testing'
import { describe, expect, it } from 'vitest'
import { processOf } from '../../src/process/ref.ts'
import { settlement } from '../support/settlement.ts'

/** Refuses to start in the way that it is told, and notes whether it was terminated. */
class Refusing extends GenServer {
  readonly #how: () => unknown
  constructor(how: () => unknown) {
    super()
    this.#how = how
  }
  override init() {
    return this.#how() as Promise<void>
  }
  override terminate() {
    terminated++
  }
}

let terminated = 0

/** The same in the constructor. */
class RefusingAtOnce extends GenServer {
  constructor(how: () => unknown) {
    super()
    how()
  }
  override terminate() {
    terminated++
  }
}

class Plain extends GenServer {
  echo(value: unknown) {
    return value
  }
}

async function refusalOf(promise: Promise<unknown>): Promise<StartError> {
  const { error } = await settlement(promise)
  expect(error).toBeInstanceOf(StartError)
  return error as StartError
}

/** All the ways in which a start can fail with something that was thrown. */
function waysToRefuse(thrown: unknown): readonly (() => Promise<unknown>)[] {
  const sync = (): never => {
    throw thrown
  }
  const asynchronous = async (): Promise<never> => {
    await Promise.resolve()
    throw thrown
  }
  return [
    () => start(RefusingAtOnce, { arg: sync }),
    () => start(Refusing, { arg: sync }),
    () => start(Refusing, { arg: asynchronous }),
    () => startLink(RefusingAtOnce, { arg: sync }),
    () => startLink(Refusing, { arg: sync }),
    () => startLink(Refusing, { arg: asynchronous }),
  ]
}

const nothingLeft = (sim: Simulation): void => {
  expect(sim.processes).toEqual([])
  expect(sim.clock.pending).toBe(0)
  expect(sim.takeUncaught()).toEqual([])
  expect(sim.logs.filter(({ level }) => level !== 'debug')).toEqual([])
}

describe('starting a server', () => {
  it('S21 startLink links to the program, start does not', async () => {
    await simulate().run(async (sim) => {
      const linked = await startLink(Plain)
      const alone = await start(Plain)
      const { main } = processOf(linked).runtime
      expect(processOf(linked).links).toEqual([main])
      expect(processOf(alone).links).toEqual([])
      linked.exit('boom')
      alone.exit('boom')
      await sim.settle()
      expect(sim.takeUncaught()).toMatchObject([{ cause: 'boom' }])
    })
  })

  it('S21 this.startLink links to the process, this.start does not', async () => {
    class Parent extends GenServer {
      async breed() {
        return [await this.startLink(Plain), await this.start(Plain)] as const
      }
    }
    await simulate().run(async () => {
      const parent = await start(Parent)
      const [linked, alone] = await parent.call.breed()
      parent.exit('boom')
      expect(await linked.done).toBe('boom')
      expect(alone.alive).toBe(true)
    })
  })

  it('S22 what the constructor or init continues with runs before the messages sent meanwhile', async () => {
    const order: string[] = []
    class Warm extends GenServer {
      constructor() {
        super()
        this.self.send('to myself in the constructor')
        this.continue('first')
      }
      override async init() {
        this.self.send('to myself in init')
        await Promise.resolve()
        this.continue('second')
      }
      override handleContinue(step: string) {
        order.push(step)
        if (step === 'first') this.continue('third')
      }
      override handleInfo(message: unknown) {
        order.push(String(message))
      }
    }
    await simulate().run(async (sim) => {
      await start(Warm)
      await sim.settle()
      expect(order).toEqual(['first', 'second', 'third', 'to myself in the constructor', 'to myself in init'])
    })
  })

  it('S22 an async handleContinue holds the mailbox, too', async () => {
    const order: string[] = []
    class Warm extends GenServer {
      constructor() {
        super()
        this.continue('warm')
      }
      override async handleContinue() {
        await this.sleep(100)
        order.push('warm')
      }
      use() {
        order.push('used')
      }
    }
    await simulate().run(async (sim) => {
      const warm = await start(Warm)
      warm.cast.use()
      await sim.settle()
      expect(order).toEqual([])
      await sim.advance(100)
      expect(order).toEqual(['warm', 'used'])
    })
  })

  it('S23 throw ignore declines: the code says so, nothing is logged, terminate does not run', async () => {
    await simulate().run(async (sim) => {
      terminated = 0
      for (const refuse of waysToRefuse(ignore)) {
        const error = await refusalOf(refuse())
        expect([error.code, error.cause, error.reason]).toEqual(['ignore', undefined, undefined])
        expect(error.message).toContain('declined to start')
      }
      await sim.settle()
      expect(terminated).toBe(0)
      nothingLeft(sim)
      expect(sim.logs).toEqual([])
    })
  })

  it('S23 an error that is thrown is the cause; the linked caller lives, terminate does not run', async () => {
    await simulate().run(async (sim) => {
      terminated = 0
      for (const refuse of waysToRefuse(new RangeError('no disk'))) {
        const error = await refusalOf(refuse())
        expect(error).toMatchObject({ code: 'start_failed', ref: undefined })
        expect(error.cause).toBeInstanceOf(RangeError)
        expect(error.reason).toBe(error.cause)
        expect(error.message).toMatch(/^Refusing(AtOnce)? did not start: RangeError: no disk$/)
      }
      await sim.settle()
      expect(terminated).toBe(0)
      nothingLeft(sim)
    })
  })

  it('S23 a word or anything else that is thrown is the cause, too', async () => {
    await simulate().run(async (sim) => {
      for (const thrown of ['no disk', 'normal', { disk: 0 }, null]) {
        for (const refuse of waysToRefuse(thrown)) {
          const error = await refusalOf(refuse())
          expect(error.code).toBe('start_failed')
          expect(error.cause).toBe(thrown)
        }
      }
      nothingLeft(sim)
    })
  })

  it('S23 what init returns does not matter: junk starts', async () => {
    await simulate().run(async () => {
      const server = await start(Refusing, { arg: () => 'junk' })
      expect(server.alive).toBe(true)
      await server.stop()
    })
  })

  it('S23 a process that refuses inside another leaves no message there', async () => {
    class Parent extends GenServer {
      readonly infos: unknown[] = []
      constructor() {
        super()
        this.trapExits(true)
      }
      override handleInfo(message: unknown) {
        this.infos.push(message)
      }
      async tryToStart() {
        const { error } = await settlement(this.startLink(Refusing, { arg: () => Promise.reject(new Error('no')) }))
        return error instanceof StartError && error.code
      }
      seen() {
        return this.infos
      }
    }
    await simulate().run(async (sim) => {
      const parent = await start(Parent)
      expect(await parent.call.tryToStart()).toBe('start_failed')
      await sim.settle()
      expect(await parent.call.seen()).toEqual([])
    })
  })

  it('S23 stop in the constructor or in init is an end after a start', async () => {
    class Brief extends GenServer {
      constructor() {
        super()
        this.stop('shutdown')
      }
    }
    await simulate().run(async () => {
      const brief = await start(Brief)
      expect(await brief.done).toBe('shutdown')
    })
  })

  it('S24 init that takes longer than the timeout: StartError timeout, and the process is dead', async () => {
    await simulate().run(async (sim) => {
      const slow = (): Promise<void> => new Promise(() => {})
      const failed = refusalOf(startLink(Refusing, { arg: slow, timeout: 50, name: Refusing }))
      await sim.settle()
      const process = whereis(Refusing)
      await sim.advance(49, { foreign: true })
      expect(process?.alive).toBe(true)
      await sim.advance(1, { foreign: true })
      expect(process?.alive).toBe(false)
      expect(await failed).toMatchObject({ code: 'timeout', message: expect.stringContaining('50 ms') })
      nothingLeft(sim)
    })
  })

  it('S24 init that is in time leaves no timer', async () => {
    await simulate().run(async (sim) => {
      await start(Plain, { timeout: 50 })
      expect(sim.clock.pending).toBe(0)
    })
  })

  it('S24 a process that is killed while it starts says why', async () => {
    await simulate().run(async (sim) => {
      const failed = refusalOf(start(Refusing, { arg: () => new Promise(() => {}), name: Refusing }))
      await sim.settle()
      whereis(Refusing)?.kill()
      expect(await failed).toMatchObject({ code: 'start_failed', reason: 'killed' })
      nothingLeft(sim)
    })
  })

  it('S25 a name that is taken: StartError already_started with the ref; the constructor does not run', async () => {
    let constructed = 0
    class Counted extends GenServer {
      constructor() {
        super()
        constructed++
      }
    }
    await simulate().run(async () => {
      for (const given of [Counted, name(Counted, 'one')]) {
        const first = await start(Counted, { name: given })
        const before = constructed
        const error = await refusalOf(startLink(Counted, { name: given }))
        expect(error.code).toBe('already_started')
        // As Node shows what nobody catches: the error, and not all that the process holds.
        expect(inspect(error, { customInspect: false, depth: 5 })).not.toContain('ProcessRef')
        expect(error.ref).toBe(first)
        expect(error.message).toContain(`is taken by ${first}`)
        expect(constructed).toBe(before)
      }
    })
  })

  it('S25 the name is there while init runs', async () => {
    await simulate().run(async (sim) => {
      let open = (): void => {}
      const starting = start(Refusing, {
        name: Refusing,
        arg: () =>
          new Promise<void>((resolve) => {
            open = resolve
          }),
      })
      await sim.settle()
      const found = whereis(Refusing)
      expect(found).toBeDefined()
      open()
      expect(await starting).toBe(found)
    })
  })

  it('S26 a name that is none: ProcessError bad_name, before anything is made', async () => {
    await simulate().run(async (sim) => {
      for (const bad of [7, 'plain', { via: Plain }, Symbol('name')]) {
        const { error } = await settlement(start(Plain, { name: bad as never }))
        expect(error).toMatchObject({ name: 'ProcessError', code: 'bad_name' })
      }
      expect(sim.processes).toEqual([])
    })
  })

  it('bad_options: an option that does not exist, with the nearest one, and a bad value', async () => {
    await simulate().run(async (sim) => {
      const wrong = (options: object) => refusalOf(start(Plain, options as never))
      expect(await wrong({ tiemout: 5 })).toMatchObject({
        code: 'bad_options',
        message: 'Plain has no option tiemout: did you mean timeout? Known are arg, name, timeout',
      })
      expect((await wrong({ subscribeTo: [] })).message).toBe(
        'Plain has no option subscribeTo: known are arg, name, timeout',
      )
      for (const timeout of [-1, 'soon', Number.NaN])
        expect(await wrong({ timeout })).toMatchObject({ code: 'bad_options' })
      expect(sim.processes).toEqual([])
    })
  })

  it('the error shows in its stack who started', async () => {
    async function startTheEngine(refuse: () => Promise<unknown>) {
      await refuse()
    }
    await simulate().run(async () => {
      for (const refuse of waysToRefuse(new Error('no'))) {
        expect((await refusalOf(startTheEngine(refuse))).stack).toContain('startTheEngine')
      }
    })
  })
})

describe('S44 a child specification', () => {
  it('S44 has defaults, of which each can be given', () => {
    expect(child(Plain)).toMatchObject({
      id: Plain,
      restart: 'permanent',
      shutdown: 5000,
      significant: false,
      type: 'worker',
    })
    expect(child(Supervisor, { arg: { strategy: 'one_for_one', children: [] } })).toMatchObject({
      id: Supervisor,
      shutdown: Infinity,
      type: 'supervisor',
    })
    const given = { id: 'plain_1', restart: 'transient', shutdown: 'brutal_kill', significant: true } as const
    expect(child(Plain, given)).toMatchObject(given)
    class Patient extends GenServer {
      static override readonly stopTimeout = 60_000
    }
    expect(child(Patient).shutdown).toBe(60_000)
    expect(Object.isFrozen(child(Plain))).toBe(true)
  })

  it.each([
    [{ id: 7 }, 'id of child Plain: expected a string or a class, got 7'],
    [{ restart: 'always' }, 'restart of child Plain: expected permanent, transient, temporary, got always'],
    [{ shutdown: -1 }, "shutdown of child Plain: expected milliseconds >= 0, Infinity or 'brutal_kill', got -1"],
    [{ significant: 'yes' }, 'significant of child Plain: expected true or false, got yes'],
  ])('S44 refuses %j', (options, message) => {
    expect(() => child(Plain, options as never)).toThrow(expect.objectContaining({ code: 'bad_child', message }))
  })
})

describe('the argument', () => {
  class Holder extends GenServer {
    readonly #arg: Record<string, unknown>
    constructor(arg: Record<string, unknown>) {
      super()
      this.#arg = arg
    }
    get() {
      return this.#arg
    }
    change() {
      this.#arg['added'] = true
    }
    crash() {
      throw new Error('boom')
    }
  }

  it('is copied and the copy is frozen deeply; that of the caller is not touched', async () => {
    await simulate().run(async () => {
      const cycle: { self?: unknown } = {}
      cycle.self = cycle
      const arg = { list: [1, { deep: true }], nothing: Object.create(null), cycle }
      const holder = await start(Holder, { arg })
      const got = (await holder.call.get()) as typeof arg
      expect(got).not.toBe(arg)
      expect(got.list).toEqual([1, { deep: true }])
      for (const part of [got, got.list, got.list[1], got.nothing, got.cycle]) expect(Object.isFrozen(part)).toBe(true)
      expect(got.cycle.self).toBe(got.cycle)
      expect(Object.isFrozen(arg) || Object.isFrozen(arg.list)).toBe(false)
      arg.list.push(2)
      expect(((await holder.call.get()) as typeof arg).list).toHaveLength(2)
      expect(await settlement(holder.call.change())).toMatchObject({
        error: { code: 'exit', cause: expect.any(TypeError) },
      })
    })
  })

  it('survives a restart as it was, with the parts from fresh() made anew', async () => {
    await simulate().run(async (sim) => {
      let made = 0
      const arg = {
        shared: { n: 1 },
        cache: fresh(() => new Map([['made', ++made]])),
        deep: [{ set: fresh(() => new Set<number>()) }],
      }
      const supervisor = await supervise({ strategy: 'one_for_one', children: [child(Holder, { arg, name: Holder })] })
      const get = async () => (await (whereis(Holder) as Ref<Holder>).call.get()) as typeof arg
      const first = await get()
      first.cache.set('state', 7)
      first.deep[0]?.set.add(7)
      whereis(Holder)?.cast.crash()
      await sim.settle()
      const second = await get()
      expect(second.shared).toEqual({ n: 1 })
      expect([...second.cache]).toEqual([['made', 2]])
      expect(second.deep[0]?.set.size).toBe(0)
      await supervisor.stop()
    })
  })

  it('may itself be fresh()', async () => {
    await simulate().run(async () => {
      const holder = await start(Holder, { arg: fresh(() => ({ made: true })) })
      expect(await holder.call.get()).toEqual({ made: true })
    })
  })

  it('holds typed arrays and buffers, each start a copy of its own', async () => {
    const warnings: string[] = []
    const listener = (warning: Error) => warnings.push(warning.message)
    process.on('warning', listener)
    await simulate().run(async (sim) => {
      const bytes = Buffer.from('abc')
      const gate = new SharedArrayBuffer(4)
      const arg = {
        bytes,
        numbers: new Float64Array([1, 2, 3]).subarray(1),
        view: new DataView(new ArrayBuffer(2)),
        buffer: new ArrayBuffer(3),
        gate,
        flag: new Int32Array(gate),
      }
      const supervisor = await supervise({ strategy: 'one_for_one', children: [child(Holder, { arg, name: Holder })] })
      const get = async () => (await (whereis(Holder) as Ref<Holder>).call.get()) as typeof arg
      bytes[0] = 120
      for (let round = 0; round < 2; round++) {
        const held = await get()
        expect(held.bytes).toBeInstanceOf(Buffer)
        expect(held.bytes.toString()).toBe('abc')
        expect(held.numbers).toEqual(new Float64Array([2, 3]))
        expect(held.view.byteLength).toBe(2)
        expect(held.buffer.byteLength).toBe(3)
        expect(held.gate).toBe(gate)
        expect(held.flag.buffer).toBe(gate)
        held.bytes.fill(0)
        held.numbers[0] = 7
        whereis(Holder)?.cast.crash()
        await sim.settle()
      }
      expect(arg.numbers).toEqual(new Float64Array([2, 3]))
      await supervisor.stop()
    })
    process.off('warning', listener)
    expect(warnings).toEqual([])
  })

  it('that refers to itself may have parts that are made anew', async () => {
    await simulate().run(async () => {
      const arg: { self?: unknown; cache: Set<number> } = { cache: fresh(() => new Set([1])) }
      arg.self = arg
      const holder = await start(Holder, { arg })
      const held = await holder.call.get()
      expect(held['self']).toBe(held)
      expect(held['cache']).toEqual(new Set([1]))
    })
  })

  it('passes other objects as they are and reports each kind once', async () => {
    class Connection {
      open = true
    }
    const warnings: string[] = []
    const listener = (warning: Error & { code?: string }) =>
      warnings.push(`${warning.name} ${warning.code} ${warning.message}`)
    process.on('warning', listener)
    await simulate().run(async (sim) => {
      const connection = new Connection()
      const holder = await start(Holder, { arg: { connection } })
      expect((await holder.call.get())['connection']).toBe(connection)
      expect(Object.isFrozen(connection)).toBe(false)
      await start(Holder, { arg: { connection: new Connection() } })
      await start(Holder, { arg: { ref: holder, named: name(Holder, 'a'), made: fresh(() => 1), when: undefined } })
      await sim.settle()
    })
    process.off('warning', listener)
    expect(warnings).toEqual([
      'SluiceWarning SLUICE_SHARED_ARGUMENT an argument holds a Connection, which is passed as it is: its state survives a restart. ' +
        'Make it in the constructor, or give fresh(() => new Connection(...)).',
    ])
  })
})
