import {
  GenServer,
  Later,
  name,
  ProcessError,
  Producer,
  type Ref,
  StartError,
  start,
  startLink,
  supervise,
  whereis,
} from 'sluice'
import { simulate } from 'sluice/testing'
import { describe, expect, it } from 'vitest'
import { settlement } from '../support/settlement.ts'

class Counter extends GenServer {
  count = 0
  readonly asks: string[] = []
  constructor() {
    super()
    this.continue('warm')
    this.idleTimeout(10)
  }
  add(n: number) {
    this.count += n
    if (this.count > 100) this.stop('full')
    return this.count
  }
  slow() {
    return this.later(async () => this.count)
  }
  byHand() {
    const later = this.later<number>()
    later.reply(1)
    return later
  }
  watch() {
    return this.monitor(Counter)
  }
}

describe('an instance outside of the runtime', () => {
  it('is passive: its methods can be called, and what it asks for has no effect', async () => {
    const counter = new Counter()
    expect(counter.add(1)).toBe(1)
    expect(counter.add(1000)).toBe(1001)
    expect(counter.slow()).toBeInstanceOf(Later)
    expect(counter.byHand()).toBeInstanceOf(Later)
    expect(counter.handleInfo('hello')).toBeUndefined()
    expect(counter.stopping).toBe(false)
    expect(counter.signal.aborted).toBe(false)
    expect(String(counter)).toBe('Counter (not running)')
  })

  it('says what it cannot do without a process', () => {
    const counter = new Counter()
    const needs: readonly (() => unknown)[] = [
      () => counter.self,
      () => counter.watch(),
      () => counter.sendAfter('tick', 1),
      () => counter.sleep(1),
      () => counter.trapExits(true),
      () => counter.start(Counter),
      () => counter.startLink(Counter),
    ]
    for (const need of needs) {
      expect(need).toThrow(expect.objectContaining({ name: 'ProcessError', code: 'not_running' }))
      expect(need).toThrow(/^Counter was made with new, so it has no .*; start it with start or startLink$/)
    }
  })

  it('made inside a constructor of a running one does not take its process', async () => {
    class Outer extends GenServer {
      readonly inner = new Counter()
      innerRuns() {
        return String(this.inner)
      }
    }
    await simulate().run(async () => {
      const outer = await start(Outer)
      expect(await outer.call.innerRuns()).toBe('Counter (not running)')
    })
  })
})

describe('stubs', () => {
  class Base extends GenServer {
    inherited() {
      return 'inherited'
    }
    overridden() {
      return 'base'
    }
    /** A helper that is a message all the same: private is a word of the compiler. */
    private hidden() {
      return 'hidden'
    }
    callHidden() {
      return this.hidden()
    }
  }
  class Derived extends Base {
    readonly field = () => 'a field'
    value = 7
    #secret() {
      return 'secret'
    }
    static helper() {
      return 'static'
    }
    get size() {
      return this.value
    }
    override overridden() {
      return `derived, ${super.overridden()}`
    }
    many(...args: readonly unknown[]) {
      return args
    }
    secret() {
      return this.#secret()
    }
    override toString() {
      return 'mine'
    }
  }

  it('are the public methods down to our base, each at its most derived', async () => {
    await simulate().run(async () => {
      const ref = await start(Derived)
      expect(await ref.call.inherited()).toBe('inherited')
      expect(await ref.call.overridden()).toBe('derived, base')
      expect(await ref.call.callHidden()).toBe('hidden')
      expect(await ref.call.secret()).toBe('secret')
      for (const key of [
        'constructor',
        'size',
        'value',
        'helper',
        'stop',
        'later',
        'emit',
        'handleInfo',
        'init',
        'terminate',
      ]) {
        const stub: unknown = Reflect.get(ref.call, key)
        expect(Object.hasOwn(Object.getPrototypeOf(ref.call), key) && key !== 'constructor', key).toBe(false)
        expect(key === 'constructor' || stub === undefined, key).toBe(true)
      }
    })
  })

  it('pass on all arguments, as calls and as casts', async () => {
    const seen: unknown[] = []
    class Listener extends GenServer {
      listen(...args: readonly unknown[]) {
        seen.push(args)
        return args
      }
    }
    await simulate().run(async () => {
      const ref = await start(Listener)
      for (const args of [[], [1], [[1, 2]], [1, 2], [undefined], [1, undefined, 3]]) {
        expect(await ref.call.listen(...args)).toEqual(args)
      }
      seen.splice(0)
      ref.cast.listen()
      ref.cast.listen([1, 2])
      ref.cast.listen(1, 2, 3)
      await ref.call.listen('last')
      expect(seen).toEqual([[], [[1, 2]], [1, 2, 3], ['last']])
    })
  })

  it('of a function-valued field throw not_a_message', async () => {
    await simulate().run(async () => {
      const ref = await start(Derived)
      for (const stubs of [ref.call, ref.cast]) {
        expect(() => stubs.field()).toThrow(ProcessError)
        expect(() => stubs.field()).toThrow(expect.objectContaining({ code: 'not_a_message' }))
        expect(() => stubs.field()).toThrow('Derived.field is a field that holds a function, not a message')
      }
    })
  })

  it('are made once per class', async () => {
    await simulate().run(async () => {
      const [one, two] = [await start(Derived), await start(Derived)]
      expect(one.call.many).toBe(two.call.many)
      expect(one.call).toBe(one.call)
      expect(one.cast).toBe(one.cast)
    })
  })

  it('can be taken apart from a ref as little as any method', async () => {
    await simulate().run(async () => {
      const ref = await start(Derived, { name: name(Derived, 'd') })
      const { call } = ref
      expect(await call.many(1)).toEqual([1])
      expect(await name(Derived, 'd').call.many(2)).toEqual([2])
      expect(await ref.with({ timeout: 10 }).call.many(3)).toEqual([3])
    })
  })

  it('a process without a class has no messages', async () => {
    await simulate().run(async (sim) => {
      const { ref } = sim.probe()
      expect(() => ref.call).toThrow(expect.objectContaining({ code: 'not_a_message' }))
      expect(() => ref.cast).toThrow('has no messages to call or cast; use send')
      expect(() => ref.with({ timeout: 1 })).toThrow(expect.objectContaining({ code: 'not_a_message' }))
    })
  })

  it('a ref tells who it is', async () => {
    await simulate().run(async () => {
      const ref = await start(Derived)
      expect(`${ref}`).toBe(`Derived#${ref.id}`)
      const named = await start(Derived, { name: name(Derived, 'a') })
      expect(`${named}`).toBe(`Derived(a)#${named.id}`)
    })
  })
})

describe('a class that cannot run is refused at start', () => {
  async function refusal(type: new () => GenServer): Promise<StartError> {
    return await simulate().run(async (sim) => {
      const { error } = await settlement(start(type))
      expect(error).toBeInstanceOf(StartError)
      expect(error).toMatchObject({ code: 'bad_class' })
      expect(sim.processes).toEqual([])
      return error as StartError
    })
  }

  it('a method with the name of a member of ours', async () => {
    for (const member of [
      'stop',
      'later',
      'continue',
      'sendAfter',
      'startLink',
      'idleTimeout',
      'self',
      'signal',
      'stopping',
    ]) {
      class Hiding extends GenServer {}
      Object.defineProperty(Hiding.prototype, member, { value: () => 'mine', configurable: true })
      expect((await refusal(Hiding)).message).toBe(
        `Hiding.${member} hides a member of the base class that Sluice needs: give the method another name`,
      )
    }
  })

  it('emit of a producer', async () => {
    class Hiding extends Producer<number> {
      override handleDemand() {
        return []
      }
    }
    Object.defineProperty(Hiding.prototype, 'emit', { value: () => 'mine' })
    expect((await refusal(Hiding)).message).toContain('Hiding.emit hides a member')
  })

  it('a field with the name of a member of ours', async () => {
    class Hiding extends GenServer {
      constructor() {
        super()
        Object.defineProperty(this, 'stop', { value: () => 'mine', enumerable: true })
      }
    }
    expect((await refusal(Hiding)).message).toContain('Hiding.stop hides a member of the base class')
    expect((await refusal(Hiding)).message).toContain('give the field another name')
  })

  it.each([
    ['handelInfo', 'Server.handelInfo looks like the callback handleInfo misspelt'],
    ['hanldeInfo', 'looks like the callback handleInfo misspelt'],
    ['handleinfo', 'handleInfo'],
    ['handleInfos', 'Server.handleInfos is no callback of GenServer: did you mean handleInfo?'],
    ['handleCall', 'Server.handleCall is no callback of GenServer: did you mean'],
    ['handle', 'Server.handle is no callback of GenServer: did you mean'],
    ['handleDemand', 'Server.handleDemand is no callback of GenServer: it is one of Producer'],
    ['terminat', 'looks like the callback terminate misspelt'],
    ['Terminate', 'looks like the callback terminate misspelt'],
  ])('a callback that is misspelt: %s', async (member, message) => {
    class Server extends GenServer {}
    Object.defineProperty(Server.prototype, member, { value: () => undefined })
    expect((await refusal(Server)).message).toContain(message)
  })

  it('a misspelt callback in a class between', async () => {
    class Between extends GenServer {
      handelContinue() {}
    }
    class Server extends Between {}
    expect((await refusal(Server)).message).toContain('handelContinue looks like the callback handleContinue misspelt')
  })

  it.each(['handler', 'handles', 'handover', 'innit', 'pop', 'status', 'toJSON', 'valueOf'])(
    'but not an ordinary word: %s',
    async (member) => {
      class Server extends GenServer {}
      Object.defineProperty(Server.prototype, member, { value: () => 'fine' })
      await simulate().run(async () => {
        expect((await start(Server)).alive).toBe(true)
      })
    },
  )

  it('what is no class of processes', async () => {
    class Other {}
    for (const type of [Other, Map, () => undefined, 7, undefined] as readonly unknown[]) {
      const { error } = await simulate().run(async () => await settlement(start(type as typeof Counter)))
      expect(error).toMatchObject({ name: 'StartError', code: 'bad_class' })
      expect(String(error)).toContain(
        'is no class of processes: extend GenServer, Producer, ProducerConsumer or Consumer',
      )
    }
  })
})

describe('who am I', () => {
  it('free functions called in the synchronous part of a callback throw use_this', async () => {
    class Confused extends GenServer {
      async starts() {
        return await settlement(start(Counter))
      }
      async links() {
        return await settlement(startLink(Counter))
      }
      async supervises() {
        return await settlement(supervise({ strategy: 'one_for_one', children: [] }))
      }
    }
    await simulate().run(async (sim) => {
      const confused = await start(Confused)
      for (const [method, what] of [
        ['starts', 'start'],
        ['links', 'startLink'],
        ['supervises', 'supervise'],
      ] as const) {
        const { error } = await confused.call[method]()
        expect(error).toBeInstanceOf(ProcessError)
        expect(error).toMatchObject({ code: 'use_this' })
        expect(String(error)).toContain(`${what} was called inside ${confused}`)
      }
      expect(sim.processes).toEqual([confused])
    })
  })

  it('also in a constructor', async () => {
    let inside: Promise<unknown> | undefined
    class Confused extends GenServer {
      constructor() {
        super()
        inside = settlement(start(Counter))
      }
    }
    await simulate().run(async () => {
      await start(Confused)
      expect(await inside).toMatchObject({ error: { code: 'use_this' } })
    })
  })

  it('whereis, sends and casts are free everywhere', async () => {
    class Finder extends GenServer {
      readonly seen: unknown[] = []
      find() {
        whereis(Finder)?.send('found')
        name(Finder).cast.note('noted')
      }
      note(text: string) {
        this.seen.push(text)
      }
      override handleInfo(message: unknown) {
        this.seen.push(message)
      }
      all() {
        return this.seen
      }
    }
    await simulate().run(async () => {
      const finder: Ref<Finder> = await start(Finder, { name: Finder })
      await finder.call.find()
      expect(await finder.call.all()).toEqual(['found', 'noted'])
    })
  })

  it('self is the ref that the starter got, also after an await', async () => {
    class Known extends GenServer {
      async me() {
        const before: Ref = this.self
        await Promise.resolve()
        return [before, this.self]
      }
    }
    await simulate().run(async () => {
      const known = await start(Known)
      const [before, after] = await known.call.me()
      expect(before).toBe(known)
      expect(after).toBe(known)
    })
  })
})
