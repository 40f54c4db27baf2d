import { CallError, type ExitReason, GenServer, type Later, name, type Ref, start, timeout, whereis } from 'sluice'
import { simulate } from 'sluice/testing'
import { describe, expect, it } from 'vitest'
import { settlement } from '../support/settlement.ts'

class Stack extends GenServer {
  readonly items: string[]
  readonly waiting: Later<string>[] = []
  constructor(items: readonly string[] = []) {
    super()
    this.items = [...items]
  }
  push(item: string) {
    const next = this.waiting.shift()
    if (next === undefined) this.items.unshift(item)
    else next.reply(item)
  }
  pop() {
    return this.items.shift()
  }
  async popLater() {
    await Promise.resolve()
    return this.items.shift()
  }
  /** Waits for an item, while the mailbox goes on. */
  take() {
    const later = this.later<string>()
    this.waiting.push(later)
    return later
  }
  total() {
    return this.later(async () => {
      await Promise.resolve()
      return this.items.length
    })
  }
}

/** Says to a probe what it does, and does what the test says. */
class Reporter extends GenServer {
  readonly #probe: Ref
  constructor(probe: Ref) {
    super()
    this.#probe = probe
  }
  finish(reason: ExitReason, value: string) {
    this.stop(reason)
    return value
  }
  async finishLater(reason: ExitReason, value: string) {
    this.stop(reason)
    await Promise.resolve()
    return value
  }
  finishWithoutReply(reason: ExitReason) {
    this.stop(reason)
    return this.later<string>()
  }
  crash(): string {
    throw new RangeError('boom')
  }
  idle(ms: number) {
    this.idleTimeout(ms)
  }
  ping() {
    return 'pong'
  }
  override handleInfo(message: unknown) {
    this.#probe.send(message === timeout ? 'timeout' : message)
  }
  override terminate(reason: ExitReason) {
    this.#probe.send(`terminate ${reason}`)
  }
}

describe('calls', () => {
  it('S27 reply with what the method returns, and the state is kept', async () => {
    await simulate().run(async () => {
      const stack = await start(Stack, { arg: ['a'] })
      stack.cast.push('b')
      expect(await stack.call.push('c')).toBeUndefined()
      expect(await stack.call.pop()).toBe('c')
      expect(await stack.call.popLater()).toBe('b')
      expect(await stack.call.pop()).toBe('a')
      expect(await stack.call.pop()).toBeUndefined()
    })
  })

  it('S27 a later is answered from another message, or by its work', async () => {
    await simulate().run(async (sim) => {
      const stack = await start(Stack)
      const taken = [stack.call.take(), stack.call.take()]
      await sim.settle()
      expect(await stack.call.total()).toBe(0)
      stack.cast.push('first')
      stack.cast.push('second')
      expect(await Promise.all(taken)).toEqual(['first', 'second'])
    })
  })

  it('S28 without a reply fail with timeout; the server lives, and a late reply reaches nobody', async () => {
    await simulate().run(async (sim) => {
      const stack = await start(Stack)
      const taken = settlement(stack.with({ timeout: 1 }).call.take())
      await sim.advance(1)
      expect(await taken).toMatchObject({ error: { code: 'timeout', method: 'take' } })
      expect(stack.alive).toBe(true)
      await stack.call.push('late')
      expect(await stack.call.pop()).toBeUndefined()
      expect(sim.logs).toEqual([])
    })
  })

  it('S29 to the dead, to an unknown name and to oneself fail with noproc and calling_self', async () => {
    class Narcissus extends GenServer {
      async look(): Promise<unknown> {
        return await settlement(name(Narcissus, 'n').call.look())
      }
    }
    await simulate().run(async () => {
      const dead = await start(Stack)
      await dead.stop()
      expect(await settlement(dead.call.pop())).toMatchObject({ error: { name: 'CallError', code: 'noproc' } })
      expect(await settlement(name(Stack, 'unknown').call.pop())).toMatchObject({ error: { code: 'noproc' } })
      expect(whereis(Stack)).toBeUndefined()
      const narcissus = await start(Narcissus, { name: name(Narcissus, 'n') })
      expect(await narcissus.call.look()).toMatchObject({ error: { code: 'calling_self' } })
    })
  })

  it('S30 fail with the crash of the server as their cause', async () => {
    await simulate().run(async (sim) => {
      const server = await start(Reporter, { arg: sim.probe().ref })
      const { error } = await settlement(server.call.crash())
      expect(error).toBeInstanceOf(CallError)
      expect(error).toMatchObject({ code: 'exit', method: 'crash', target: `${server}`, cause: { message: 'boom' } })
      expect(await server.done).toBe((error as CallError).cause)
    })
  })

  it.each(['finish', 'finishLater'] as const)(
    'S31 %s: stop and a reply: terminate runs, then the caller gets it, then the end',
    async (method) => {
      await simulate().run(async (sim) => {
        const probe = sim.probe()
        const server = await start(Reporter, { arg: probe.ref })
        const order: unknown[] = []
        const replied = server.call[method]('shutdown', 'bye').then(async (value) => {
          order.push(...(await probe.received()), value)
        })
        const ended = server.done.then((reason) => order.push(`end ${reason}`))
        await Promise.all([replied, ended])
        expect(order).toContain('bye')
        expect(order.indexOf('terminate shutdown')).toBeLessThan(order.indexOf('bye'))
        expect(await server.done).toBe('shutdown')
      })
    },
  )

  it('S31 the reply waits for a terminate that takes its time', async () => {
    class Careful extends GenServer {
      finish() {
        this.stop()
        return 'bye'
      }
      override async terminate() {
        await this.sleep(100)
      }
    }
    await simulate().run(async (sim) => {
      const server = await start(Careful)
      let reply = ''
      const replied = server.call.finish().then((value) => {
        reply = value
      })
      await sim.advance(99)
      expect(reply).toBe('')
      await sim.advance(1)
      await replied
      expect(reply).toBe('bye')
    })
  })

  it('S32 stop without a reply: the caller fails with the reason', async () => {
    await simulate().run(async (sim) => {
      const server = await start(Reporter, { arg: sim.probe().ref })
      const { error } = await settlement(server.call.finishWithoutReply('out of paper'))
      expect(error).toMatchObject({ code: 'exit', reason: 'out of paper' })
      expect(await server.done).toBe('out of paper')
    })
  })

  it('S33 every value is a reply, there is no junk: a callback cannot break the server by what it returns', async () => {
    class Junk extends GenServer {
      give(value: unknown) {
        return value
      }
      override handleInfo(message: unknown) {
        return message
      }
    }
    await simulate().run(async (sim) => {
      const junk = await start(Junk)
      for (const value of [
        undefined,
        null,
        'stop',
        ['noreply', {}],
        Object.fromEntries([['then', 7]]),
        Symbol('ok'),
        new Error('a value'),
      ]) {
        expect(await junk.call.give(value)).toBe(value)
        junk.send(value)
        junk.cast.give(value)
      }
      await sim.settle()
      expect(junk.alive).toBe(true)
      expect(sim.logs).toEqual([])
    })
  })

  it('S43 a reply to a caller that died has no effect', async () => {
    class Caller extends GenServer {
      async take(stack: Ref<Stack>) {
        return await stack.call.take()
      }
    }
    await simulate().run(async (sim) => {
      const stack = await start(Stack)
      const caller = await start(Caller)
      const asked = settlement(caller.call.take(stack))
      await sim.settle()
      caller.kill()
      expect(await asked).toMatchObject({ error: { code: 'exit', reason: 'killed' } })
      await stack.call.push('for the dead')
      expect(stack.alive).toBe(true)
      expect(sim.logs.filter(({ level }) => level === 'error')).toEqual([])
    })
  })
})

describe('infos', () => {
  it('S34 without a handleInfo are reported and dropped, the server lives', async () => {
    await simulate().run(async (sim) => {
      const stack = await start(Stack)
      stack.send({ stray: true })
      await sim.settle()
      expect(stack.alive).toBe(true)
      expect(sim.logs).toEqual([
        {
          level: 'warn',
          message: `${stack} got a message and has no handleInfo, it was dropped`,
          fields: { process: `${stack}`, message: { stray: true } },
        },
      ])
    })
  })

  it('S34 a cast of what is no method cannot be written; a continue without handleContinue crashes', async () => {
    class Careless extends GenServer {
      go() {
        this.continue('where?')
      }
    }
    await simulate().run(async () => {
      const careless = await start(Careless)
      // @ts-expect-error there is no such method
      expect(() => careless.cast.fly()).toThrow(TypeError)
      // @ts-expect-error nor as a call
      expect(() => careless.call.fly()).toThrow(TypeError)
      careless.cast.go()
      expect(String(await careless.done)).toContain('asked to continue with where? and has no handleContinue')
    })
  })
})

describe('the idle timeout', () => {
  it('S35 comes once when nothing else does, and is not periodic', async () => {
    await simulate().run(async (sim) => {
      const probe = sim.probe()
      const server = await start(Reporter, { arg: probe.ref })
      await server.call.idle(50)
      await sim.advance(49)
      expect(await probe.received()).toEqual([])
      await sim.advance(1)
      expect(await probe.received()).toEqual(['timeout'])
      await sim.advance(500)
      expect(await probe.received()).toEqual([])
    })
  })

  it.each(['call', 'cast', 'info'] as const)('S35 a %s in time disarms it', async (kind) => {
    await simulate().run(async (sim) => {
      const probe = sim.probe()
      const server = await start(Reporter, { arg: probe.ref })
      await server.call.idle(50)
      await sim.advance(20)
      if (kind === 'call') await server.call.ping()
      else if (kind === 'cast') server.cast.ping()
      else server.send('hello')
      await sim.advance(500)
      expect(await probe.received()).toEqual(kind === 'info' ? ['hello'] : [])
      expect(sim.clock.pending).toBe(0)
    })
  })

  it('S35 can be armed again in handleInfo, and in the constructor', async () => {
    const ticks: number[] = []
    await simulate().run(async (sim) => {
      class Ticker extends GenServer {
        constructor() {
          super()
          this.idleTimeout(10)
        }
        override handleInfo(message: unknown) {
          if (message !== timeout) return
          ticks.push(sim.now)
          if (ticks.length < 3) this.idleTimeout(10)
        }
      }
      await start(Ticker)
      await sim.advance(100)
      expect(ticks).toEqual([10, 20, 30])
    })
  })

  it.each([0, 50])('S36 of %i ms with a message waiting: the message wins and disarms it', async (ms) => {
    await simulate().run(async (sim) => {
      const probe = sim.probe()
      const server = await start(Reporter, { arg: probe.ref })
      server.cast.idle(ms)
      server.send('waiting')
      await sim.advance(500)
      expect(await probe.received()).toEqual(['waiting'])
    })
  })

  it('S36 of 0 ms with nothing waiting comes at once', async () => {
    await simulate().run(async (sim) => {
      const probe = sim.probe()
      const server = await start(Reporter, { arg: probe.ref })
      await server.call.idle(0)
      await sim.advance(0)
      expect(await probe.received()).toEqual(['timeout'])
    })
  })

  it('S36 that has fired, but is not handled yet, gives way to a message that came before it', async () => {
    await simulate().run(async (sim) => {
      const probe = sim.probe()
      const server = await start(Reporter, { arg: probe.ref })
      await server.call.idle(10)
      server.send('before')
      sim.clock.fireNext(10)
      await sim.settle()
      expect(await probe.received()).toEqual(['before'])
      await server.call.idle(10)
      sim.clock.fireNext(20)
      server.send('after')
      await sim.settle()
      expect(await probe.received()).toEqual(['timeout', 'after'])
    })
  })
})

describe('one message at a time', () => {
  it('an awaiting callback holds its mailbox to its end, and no other process', async () => {
    class Slow extends GenServer {
      readonly #log: string[] = []
      async work(label: string) {
        this.#log.push(`${label} begins`)
        await this.sleep(10)
        this.#log.push(`${label} ends`)
      }
      log() {
        return this.#log
      }
    }
    await simulate().run(async (sim) => {
      const slow = await start(Slow)
      const other = await start(Stack, { arg: ['free'] })
      slow.cast.work('one')
      slow.cast.work('two')
      const log = slow.call.log()
      expect(await other.call.pop()).toBe('free')
      await sim.advance(20)
      expect(await log).toEqual(['one begins', 'one ends', 'two begins', 'two ends'])
    })
  })

  it('a synchronous result is never awaited: the next message is handled in the same run', async () => {
    const order: string[] = []
    class Quick extends GenServer {
      now(label: string) {
        order.push(label)
        void Promise.resolve().then(() => order.push(`after ${label}`))
      }
      async soon(label: string) {
        order.push(label)
        void Promise.resolve().then(() => order.push(`after ${label}`))
      }
    }
    // On the runtime of the thread: a simulation lets promises go on between messages.
    const quick = await start(Quick)
    await quick.call.now('warm up')
    for (let count = 0; count < 8; count++) quick.cast.now('warm up')
    await quick.call.now('warm up')
    order.splice(0)
    quick.cast.now('one')
    quick.cast.now('two')
    quick.cast.soon('three')
    await quick.call.now('four')
    expect(order).toEqual(['one', 'two', 'three', 'after one', 'after two', 'after three', 'four', 'after four'])
    await quick.stop()
  })

  it('work given to later runs beside the mailbox, and its failure fails that call only', async () => {
    class Worker extends GenServer {
      slow() {
        return this.later(async () => {
          await this.sleep(100)
          return 'slow'
        })
      }
      failing() {
        return this.later(async (): Promise<string> => {
          throw new Error('lost')
        })
      }
      failingAtOnce() {
        return this.later((): string => {
          throw new Error('lost')
        })
      }
      quick() {
        return this.later(() => 'quick')
      }
    }
    await simulate().run(async (sim) => {
      const worker = await start(Worker)
      const slow = worker.call.slow()
      for (const failed of [worker.call.failing(), worker.call.failingAtOnce()]) {
        expect(await settlement(failed)).toMatchObject({ error: { code: 'failed', cause: { message: 'lost' } } })
      }
      expect(await worker.call.quick()).toBe('quick')
      await sim.advance(100)
      expect(await slow).toBe('slow')
    })
  })
})
