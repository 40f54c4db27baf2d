import { inspect } from 'node:util'
import { CallError, GenServer, type Later, name, type Ref, start } from 'sluice'
import { simulate } from 'sluice/testing'
import { describe, expect, it } from 'vitest'
import { settlement } from '../support/settlement.ts'

class Target extends GenServer {
  readonly gates: (() => void)[] = []
  readonly laters: Later<string>[] = []
  answer(text: string) {
    return text
  }
  async slow() {
    await new Promise<void>((resolve) => {
      this.gates.push(resolve)
    })
    return 'slow'
  }
  crash(): string {
    throw new Error('boom')
  }
  byHand() {
    const later = this.later<string>()
    this.laters.push(later)
    return later
  }
  failing() {
    return this.later(async (): Promise<string> => {
      throw new RangeError('no')
    })
  }
  async callSelf() {
    return await settlement(name(Target, 'self').call.answer('me'))
  }
}

interface Failure {
  readonly code: string
  readonly target: string
  readonly method: string
  readonly reason?: unknown
  readonly cause?: unknown
}

/** The error that a call fails with, checked to be ours and whole. */
async function failureOf(call: Promise<unknown>): Promise<CallError & Failure> {
  const { error } = await settlement(call)
  expect(error).toBeInstanceOf(CallError)
  return error as CallError
}

async function askFromAnAsyncFunction(call: () => Promise<unknown>): Promise<unknown> {
  return await call()
}

describe('a failed call', () => {
  it('timeout: the target was too slow, is unharmed, and the text says what it awaited', async () => {
    await simulate().run(async (sim) => {
      const target = await start(Target)
      const failed = failureOf(target.with({ timeout: 20 }).call.slow())
      await sim.advance(19, { foreign: true })
      await sim.advance(1, { foreign: true })
      const error = await failed
      expect(error).toMatchObject({ code: 'timeout', target: `${target}`, method: 'slow', reason: undefined })
      expect(error.message).toMatch(
        /^call slow\(\) to Target#\d+ got no reply within 20 ms; it was held by an await in slow\(\)/,
      )
      expect(target.alive).toBe(true)
    })
  })

  it('timeout: 5000 ms unless told otherwise, not a millisecond earlier', async () => {
    await simulate().run(async (sim) => {
      const target = await start(Target)
      let settled = false
      const failed = failureOf(target.call.byHand()).finally(() => {
        settled = true
      })
      await sim.advance(4999)
      expect(settled).toBe(false)
      await sim.advance(1)
      expect(await failed).toMatchObject({ code: 'timeout', method: 'byHand' })
    })
  })

  it('timeout: a class has its own default; Infinity waits as long as it takes', async () => {
    class Patient extends Target {
      static override readonly callTimeout = 60_000
    }
    await simulate().run(async (sim) => {
      const patient = await start(Patient, { name: Patient })
      const byRef = failureOf(patient.call.byHand())
      const byName = failureOf(name(Patient).call.byHand())
      const endless = settlement(patient.with({ timeout: Infinity }).call.byHand())
      await sim.advance(59_999)
      await sim.advance(1)
      expect(await byRef).toMatchObject({ code: 'timeout' })
      expect(await byName).toMatchObject({ code: 'timeout' })
      await sim.advance(1e10)
      await patient.stop()
      expect(await endless).toMatchObject({ error: { code: 'exit' } })
    })
  })

  it('timeout: 0 milliseconds fails at the next turn', async () => {
    await simulate().run(async (sim) => {
      const target = await start(Target)
      const failed = failureOf(target.with({ timeout: 0 }).call.byHand())
      await sim.advance(0)
      expect(await failed).toMatchObject({ code: 'timeout' })
    })
  })

  it('noproc: nobody there, as a dead ref or an unknown name', async () => {
    await simulate().run(async () => {
      const dead = await start(Target)
      await dead.stop({ reason: 'shutdown' })
      const error = await failureOf(dead.call.answer('hello'))
      expect(error).toMatchObject({ code: 'noproc', target: `${dead}`, method: 'answer', reason: 'shutdown' })
      expect(error.message).toContain('not running, it ended with shutdown')
      const unnamed = await failureOf(name(Target, 'nobody').call.answer('hello'))
      expect(unnamed).toMatchObject({ code: 'noproc', target: 'Target(nobody)', method: 'answer', reason: 'noproc' })
    })
  })

  it('exit: the target ended first; the crash is the cause', async () => {
    await simulate().run(async () => {
      const target = await start(Target)
      const error = await failureOf(target.call.crash())
      expect(error).toMatchObject({ code: 'exit', target: `${target}`, method: 'crash' })
      expect(error.cause).toBeInstanceOf(Error)
      expect(error.cause).toBe(error.reason)
      expect(error.message).toContain('the process ended with Error: boom')
      // In print the crash stands once.
      expect(inspect(error)).not.toContain('reason:')
    })
  })

  it('exit: an end without an error has a reason and no cause', async () => {
    await simulate().run(async (sim) => {
      const target = await start(Target)
      const failed = failureOf(target.call.byHand())
      await sim.settle()
      target.exit({ shutdown: 'moved' })
      const error = await failed
      expect(error).toMatchObject({ code: 'exit', reason: { shutdown: 'moved' } })
      expect(error.cause).toBeUndefined()
      expect(error.message).toContain("shutdown: 'moved'")
    })
  })

  it('failed: the work given to later failed, the target lives', async () => {
    await simulate().run(async () => {
      const target = await start(Target)
      const error = await failureOf(target.call.failing())
      expect(error).toMatchObject({ code: 'failed', target: `${target}`, method: 'failing', reason: undefined })
      expect(error.cause).toBeInstanceOf(RangeError)
      expect(error.message).toContain('failed: no')
      expect(await target.call.answer('alive')).toBe('alive')
    })
  })

  it('calling_self: a process could only wait for ever', async () => {
    await simulate().run(async () => {
      const target = await start(Target, { name: name(Target, 'self') })
      const { error } = await target.call.callSelf()
      expect(error).toBeInstanceOf(CallError)
      expect(error).toMatchObject({ code: 'calling_self', target: `${target}`, method: 'answer' })
      expect(String(error)).toContain('this.answer(...)')
    })
  })

  it('aborted: the signal of the caller fired; the target is not disturbed', async () => {
    await simulate().run(async (sim) => {
      const target = await start(Target)
      const controller = new AbortController()
      const failed = failureOf(target.with({ signal: controller.signal }).call.byHand())
      await sim.settle()
      const cause = new Error('enough')
      controller.abort(cause)
      expect(await failed).toMatchObject({ code: 'aborted', target: `${target}`, method: 'byHand', cause })
      expect(target.alive).toBe(true)
      expect(sim.clock.pending).toBe(0)

      const sooner = failureOf(target.with({ signal: controller.signal }).call.crash())
      expect(await sooner).toMatchObject({ code: 'aborted', cause })
      expect(await target.call.answer('never got crash()')).toBe('never got crash()')
    })
  })

  it('a signal that outlives the call keeps nothing of it', async () => {
    await simulate().run(async () => {
      const target = await start(Target)
      const { signal } = new AbortController()
      let listeners = 0
      const add = signal.addEventListener.bind(signal)
      const remove = signal.removeEventListener.bind(signal)
      signal.addEventListener = (...args: Parameters<typeof add>) => {
        listeners++
        add(...args)
      }
      signal.removeEventListener = (...args: Parameters<typeof remove>) => {
        listeners--
        remove(...args)
      }
      const call = target.with({ signal }).call.answer('a')
      expect(listeners).toBe(1)
      await call
      expect(listeners).toBe(0)
    })
  })

  it('shows in its stack the async function that made the call, for every code', async () => {
    await simulate().run(async (sim) => {
      const target = await start(Target)
      const dead = await start(Target)
      dead.kill()
      const controller = new AbortController()
      const calls: Record<string, () => Promise<unknown>> = {
        timeout: () => target.with({ timeout: 1 }).call.byHand(),
        noproc: () => dead.call.answer('a'),
        unnamed: () => name(Target, 'nobody').call.answer('a'),
        failed: () => target.call.failing(),
        aborted: () => target.with({ signal: controller.signal }).call.byHand(),
        exit: () => target.call.crash(),
      }
      for (const [code, call] of Object.entries(calls)) {
        const failed = failureOf(askFromAnAsyncFunction(call))
        await sim.settle()
        if (code === 'timeout') await sim.advance(1)
        controller.abort()
        const error = await failed
        expect(error.stack, code).toContain('askFromAnAsyncFunction')
      }
    })
  })
})

describe('when a process dies, its calls fail', () => {
  /** Calls a target that holds one message in hand, has others waiting, and has promised a reply; says who failed when. */
  async function orderOfFailing(end: (target: Ref<Target>) => void): Promise<readonly string[]> {
    return await simulate().run(async (sim) => {
      const target = await start(Target)
      const order: string[] = []
      const track = (label: string, call: Promise<unknown>): Promise<unknown> => call.catch(() => order.push(label))
      const all = [track('later 1', target.call.byHand()), track('later 2', target.call.byHand())]
      await sim.settle()
      all.push(track('in hand', target.call.slow()))
      await sim.settle()
      all.push(track('mailbox 1', target.call.answer('a')), track('mailbox 2', target.call.answer('b')))
      end(target)
      await Promise.all(all)
      return order
    })
  }

  it('in order: the message in hand, the mailbox, the replies promised for later', async () => {
    const expected = ['in hand', 'mailbox 1', 'mailbox 2', 'later 1', 'later 2']
    expect(await orderOfFailing((target) => target.kill())).toEqual(expected)
    expect(await orderOfFailing((target) => target.exit('shutdown'))).toEqual(expected)
  })

  it('also when it crashes in the message in hand', async () => {
    await simulate().run(async (sim) => {
      const target = await start(Target)
      const order: string[] = []
      const track = (label: string, call: Promise<unknown>): Promise<unknown> => call.catch(() => order.push(label))
      const later = track('later', target.call.byHand())
      await sim.settle()
      await Promise.all([track('in hand', target.call.crash()), track('mailbox', target.call.answer('a')), later])
      expect(order).toEqual(['in hand', 'mailbox', 'later'])
    })
  })

  it('once each, and nothing of them is left', async () => {
    await simulate().run(async (sim) => {
      const target = await start(Target)
      const calls = [target.call.byHand(), target.call.slow(), target.call.answer('a')].map(settlement<string>)
      await sim.settle()
      target.kill()
      for (const { error } of await Promise.all(calls)) expect(error).toMatchObject({ code: 'exit', reason: 'killed' })
      expect(sim.clock.pending).toBe(0)
    })
  })
})

describe('a reply for later that nobody waits for any more', () => {
  class Server extends GenServer {
    abandoned = 0
    answered: Later<string> | undefined
    wait() {
      const later = this.later<string>()
      later.onAbandoned(() => this.abandoned++)
      this.answered = later
      return later
    }
    async pause() {
      await this.sleep(100)
    }
    answer() {
      this.answered?.reply('there')
    }
    count() {
      return this.abandoned
    }
  }

  it('is told of it: by a timeout, by a signal, and when its caller gave up before its turn', async () => {
    await simulate().run(async (sim) => {
      const server = await start(Server)
      const controller = new AbortController()
      const calls = [
        settlement(server.with({ timeout: 10 }).call.wait()),
        settlement(server.with({ signal: controller.signal }).call.wait()),
      ]
      await sim.advance(10)
      expect(await server.call.count()).toBe(1)
      controller.abort()
      expect(await server.call.count()).toBe(2)
      server.cast.pause()
      calls.push(settlement(server.with({ timeout: 10 }).call.wait()))
      await sim.advance(100)
      expect(await server.call.count()).toBe(3)
      const codes = (await Promise.all(calls)).map(({ error }) => (error as Failure).code)
      expect(codes).toEqual(['timeout', 'aborted', 'timeout'])
      server.cast.answer()
      await sim.settle()
      expect(sim.logs).toEqual([])
    })
  })

  it('is not told of it when it was answered, was a cast, or has lost its process', async () => {
    await simulate().run(async (sim) => {
      const server = await start(Server)
      const controller = new AbortController()
      const call = server.with({ signal: controller.signal, timeout: 10 }).call.wait()
      server.cast.answer()
      expect(await call).toBe('there')
      server.cast.wait()
      controller.abort()
      await sim.advance(10)
      expect(await server.call.count()).toBe(0)
      const open = settlement(server.with({ timeout: 10 }).call.wait())
      await sim.settle()
      server.kill()
      await sim.advance(10)
      expect(await open).toMatchObject({ error: { code: 'exit' } })
    })
  })
})

describe('a call that is answered', () => {
  it('is answered once: the first answer counts', async () => {
    class Twice extends GenServer {
      twice() {
        const later = this.later<string>()
        later.reply('first')
        later.reply('second')
        later.fail(new Error('third'))
        return later
      }
    }
    await simulate().run(async () => {
      const twice = await start(Twice)
      expect(await twice.call.twice()).toBe('first')
    })
  })

  it('leaves no timer behind when the reply comes from outside of a message', async () => {
    await simulate().run(async (sim) => {
      let open = (): void => {}
      class Outside extends GenServer {
        wait() {
          return this.later(
            () =>
              new Promise<string>((resolve) => {
                open = () => resolve('done')
              }),
          )
        }
      }
      const outside = await start(Outside)
      const reply = outside.with({ timeout: Infinity }).call.wait()
      await sim.settle()
      expect(sim.clock.pending).toBe(1)
      open()
      expect(await reply).toBe('done')
      expect(sim.clock.pending).toBe(0)
    })
  })
})
