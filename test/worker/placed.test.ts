/** Processes in other threads: refs like any other. */

import { readFileSync } from 'node:fs'
import { threadId } from 'node:worker_threads'
import {
  CallError,
  child,
  Down,
  type GenServer,
  type Ref,
  StartError,
  start,
  startLink,
  supervise,
  whereis,
} from 'sluice'
import { inWorker, WorkerError, Workers, workerModule } from 'sluice/worker'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { failure } from '../support/owner.ts'
import { keepReports, newProbe } from '../support/places.ts'

const module = workerModule<typeof import('./modules/servers.ts')>(import.meta.resolve('./modules/servers.js'))
const workers = new Workers({ size: 2 })
const CounterHere = inWorker(module, 'Counter', { on: workers.at(0) })
const CounterThere = inWorker(module, 'Counter', { on: workers.at(1) })
const ReporterHere = inWorker(module, 'Reporter', { on: workers.at(0) })

const reports = keepReports()
afterAll(() => workers.stop())
// The first start loads everything, which takes its time on a busy machine.
beforeAll(async () => {
  await Promise.all([start(CounterHere), start(CounterThere)])
}, 60_000)

describe('a process in a worker', () => {
  it('runs in another thread, and is called like any other', async () => {
    const counter = await start(CounterHere, { arg: { from: 3 } })
    expect(await counter.call.add(4)).toBe(7)
    counter.cast.add(10)
    expect(await counter.call.addSlowly(1)).toBe(18)
    expect(await counter.call.thread()).not.toBe(threadId)
    expect(String(counter)).toMatch(/^Counter in worker 1$/)
  })

  it('gets plain data, maps, dates and typed arrays as they are', async () => {
    const counter = await start(CounterHere)
    expect(await counter.call.describe({ a: [1, 'b'] })).toBe('[object Object] {"a":[1,"b"]}')
    expect(await counter.call.describe(new Float64Array([1, 2]))).toBe('[object Float64Array] {"0":1,"1":2}')
    expect(await counter.call.describe(new Map())).toBe('[object Map] {}')
  })

  it('is sent messages, with refs in them, and sends some', async () => {
    const probe = newProbe()
    const reporter = await start(ReporterHere, { arg: { to: probe.ref } })
    expect(await probe.receive()).toEqual({ constructed: reporter })
    reporter.send({ hello: [probe.ref, reporter] })
    expect(await probe.receive()).toEqual({ got: { hello: [probe.ref, reporter] } })
  })

  it('is one ref here, whichever way that came', async () => {
    const reporter = await start(ReporterHere, { arg: { to: newProbe().ref } })
    expect(await reporter.call.me()).toBe(reporter)
  })

  it('calls a process of another worker', async () => {
    const counter = await start(CounterThere, { arg: { from: 6 } })
    const reporter = await start(ReporterHere, { arg: { to: newProbe().ref } })
    expect(await reporter.call.ask(counter)).toBe(107)
  })

  it('keeps the order of messages and its end', async () => {
    const counter = await start(CounterHere)
    const replies = Array.from({ length: 100 }, () => counter.call.add(1))
    const last = counter.call.leaves('normal')
    expect(await Promise.all(replies)).toEqual(Array.from({ length: 100 }, (_, index) => index + 1))
    expect(await last).toBe('bye')
    expect(await counter.done).toBe('normal')
    await expect(counter.call.add(1)).rejects.toMatchObject({ code: 'noproc' })
  })

  it('fails a call with the crash, whose stack is that of its source', async () => {
    const counter = await start(CounterHere)
    const error = await failure(counter.call.fails())
    expect(error).toBeInstanceOf(CallError)
    expect(error).toMatchObject({ code: 'exit', cause: { name: 'RangeError', message: 'no more' } })
    const source = readFileSync(new URL('./modules/servers.ts', import.meta.url), 'utf8').split('\n')
    const line = source.findIndex((text) => text.includes("RangeError('no more')")) + 1
    expect(error instanceof Error && error.cause instanceof RangeError && error.cause.stack).toMatch(
      new RegExp(`Counter\\.fails \\(.*servers\\.ts:${line}:\\d+\\)`),
    )
    expect(reports.filter((text) => text.includes('crashed: RangeError: no more'))).toHaveLength(1)
  })

  it('fails one call only when that is what it was', async () => {
    const counter = await start(CounterHere)
    await expect(counter.call.refuses()).rejects.toMatchObject({ code: 'failed', cause: { message: 'not this one' } })
    expect(await counter.call.add(1)).toBe(1)
  })

  it('can be given up: by time, by a signal', async () => {
    const counter = await start(CounterHere)
    await expect(counter.with({ timeout: 0 }).call.never()).rejects.toMatchObject({ code: 'timeout' })
    const controller = new AbortController()
    const called = counter.with({ signal: controller.signal }).call.never()
    controller.abort()
    await expect(called).rejects.toMatchObject({ code: 'aborted' })
    counter.kill()
  })

  it('is found by its name', async () => {
    const counter = await start(CounterHere, { name: CounterHere, arg: { from: 1 } })
    expect(whereis(CounterHere)).toBe(counter)
    await counter.stop()
    expect(whereis(CounterHere)).toBeUndefined()
  })

  it('is stopped with its own terminate, and killed without', async () => {
    const probe = newProbe()
    const first = await start(ReporterHere, { arg: { to: probe.ref } })
    await probe.receive()
    await first.stop()
    expect(await probe.receive()).toEqual({ terminated: 'normal' })
    const second = await start(ReporterHere, { arg: { to: probe.ref } })
    await probe.receive()
    second.kill()
    expect(await second.done).toBe('killed')
    await newProbe().context()
    expect(await probe.received()).toEqual([])
  })
})

describe('links and monitors', () => {
  it('bring the reason over, from there', async () => {
    const probe = newProbe()
    const context = await probe.context()
    context.trapExits(true)
    const counter = await start(CounterHere)
    const monitor = context.monitor(counter)
    context.link(counter)
    counter.cast.leaves('because')
    const messages = [await probe.receive(), await probe.receive()]
    expect(messages.map((message) => message instanceof Down && message.monitor)).toContain(monitor)
    expect(messages).toMatchObject([{ reason: 'because' }, { reason: 'because' }])
    expect(await probe.received()).toEqual([])
  })

  it('bring the reason over, from here', async () => {
    const probe = newProbe()
    const reporter = await start(ReporterHere, { arg: { to: probe.ref } })
    const other = newProbe()
    await reporter.call.tie(other.ref)
    await probe.receive()
    other.ref.exit('because')
    expect(await probe.receive()).toEqual({ exit: 'because', from: other.ref })
  })

  it('reach from one worker to another', async () => {
    const probe = newProbe()
    const reporter = await start(ReporterHere, { arg: { to: probe.ref } })
    const counter = await start(CounterThere)
    await probe.receive()
    await reporter.call.tie(counter)
    // On the same line as the link: then the other worker knows of it.
    await reporter.call.ask(counter)
    counter.cast.leaves('because')
    expect(await probe.receive()).toEqual({ exit: 'because', from: counter })
  })
})

describe('a supervisor', () => {
  it('starts a process in a worker again, fresh', async () => {
    await using tree = await supervise({
      strategy: 'one_for_one',
      children: [child(CounterHere, { name: CounterHere, arg: { from: 5 } })],
    })
    const first = await running(tree, CounterHere)
    expect(await first.call.add(1)).toBe(6)
    await failure(first.call.fails())
    await first.done
    // Its calls wait behind the restart.
    await tree.call.whichChildren()
    const second = await running(tree, CounterHere)
    expect(second).not.toBe(first)
    expect(await second.call.add(1)).toBe(6)
  })

  it('stops it, with the reason of its own end', async () => {
    const probe = newProbe()
    const tree = await supervise({
      strategy: 'one_for_one',
      children: [child(ReporterHere, { arg: { to: probe.ref } })],
    })
    await probe.receive()
    await tree.stop()
    expect(await probe.receive()).toEqual({ terminated: 'shutdown' })
  })
})

async function running<T extends GenServer>(
  tree: Awaited<ReturnType<typeof supervise>>,
  type: new (...args: never[]) => T,
): Promise<Ref<T>> {
  await tree.call.whichChildren()
  const found = whereis(type)
  if (found === undefined) throw new Error(`${type.name} does not run`)
  return found
}

describe('what cannot be', () => {
  const reason = async (promise: Promise<unknown>): Promise<unknown> => {
    const error = await failure(promise)
    return error instanceof StartError ? error.cause : error
  }

  it('is a module that is not there', async () => {
    const error = await reason(
      start(inWorker(new URL('./modules/none.js', import.meta.url), 'Counter', { on: workers })),
    )
    expect(error).toMatchObject({
      code: 'bad_module',
      message: expect.stringMatching(/no module .*none\.js, nor .*none\.ts/),
    })
    await expect(start(inWorker('./none.js', 'Counter', { on: workers }))).rejects.toThrow('import.meta.resolve')
  })

  it('is a class that the module does not export: the error names what it does', async () => {
    const error = await reason(start(inWorker(module.url, 'Count', { on: workers })))
    expect(error).toMatchObject({ code: 'bad_module' })
    expect(error).toHaveProperty(
      'message',
      expect.stringMatching(/servers\.ts does not export Count; it exports .*Counter.*Reporter/),
    )
    await expect(start(inWorker(module.url, 'nothing', { on: workers }))).rejects.toThrow('something else than a class')
  })

  it('is a class that is no process', async () => {
    const error = await failure(start(inWorker(module.url, 'NoProcess', { on: workers })))
    expect(error).toMatchObject({ code: 'bad_class', message: expect.stringContaining('is no class of processes') })
  })

  it('is a process that refuses to start, or does not get ready in time', async () => {
    await expect(start(inWorker(module, 'Refuser', { on: workers }))).rejects.toMatchObject({
      code: 'start_failed',
      cause: { name: 'RangeError', message: 'not today' },
    })
    await expect(start(inWorker(module, 'Waiter', { on: workers }), { timeout: 1 })).rejects.toMatchObject({
      code: 'timeout',
    })
  })

  it.each([
    [{ list: [1, { run: () => 1 }] }, 'list[1].run in arg of Counter is the function run'],
    [{ server: new (class Config {})() }, 'server in arg of Counter is a Config'],
    [Symbol('word'), 'arg of Counter is the symbol Symbol(word)'],
  ])('is an argument that cannot be sent: %o', async (arg, text) => {
    const error = await reason(start(inWorker(module.url, 'Counter', { on: workers }), { arg }))
    expect(error).toBeInstanceOf(WorkerError)
    expect(error).toMatchObject({ code: 'not_cloneable', message: expect.stringContaining(text) })
  })

  it('is a message, or a reply, that cannot be sent: the path to it is named', async () => {
    const counter = await start(CounterHere)
    await expect(counter.call.describe({ user: { name: () => 'joe' } })).rejects.toMatchObject({
      code: 'failed',
      cause: {
        code: 'not_cloneable',
        message: expect.stringContaining('[0].user.name in the arguments of describe()'),
      },
    })
    await expect(counter.call.givesFunction()).rejects.toMatchObject({
      code: 'failed',
      cause: { code: 'not_cloneable', message: expect.stringContaining('nested[0] in the reply') },
    })
    counter.send(() => 1)
    expect(await counter.call.add(1)).toBe(1)
    expect(reports.at(-1)).toMatch(/a message to worker 1 was dropped: the message is the function/)
  })

  it('is an option that is unknown, or of no use', () => {
    expect(() => inWorker(module, 'Counter', { dedline: 1 } as object)).toThrow(
      'has no option dedline: did you mean deadline? Known are on',
    )
    expect(() => inWorker(module, 'Counter', { deadline: 0 })).toThrow('expected milliseconds > 0, got 0')
    expect(() => inWorker(module, 'Counter', { on: workers, deadline: 5 })).toThrow('belong to the workers')
    expect(() => new Workers({ size: 0 })).toThrow('size of Workers: expected a whole number >= 1, got 0')
  })
})

it('workers that were stopped take no more', async () => {
  const own = new Workers({ size: 1 })
  await own.stop()
  const error = await failure(startLink(inWorker(module, 'Counter', { on: own })))
  expect(error).toMatchObject({ cause: { code: 'stopped' } })
})
