import { GenServer, start } from 'sluice'
import { simulate } from 'sluice/testing'
import { expect, it } from 'vitest'
import { Receiver } from '../../src/connector/receiver.ts'
import { processOf } from '../../src/process/ref.ts'

class Holder extends GenServer {}

/** A server that is asked, and answers when it is told to. */
async function receiving(options: { interval?: number; retry?: number | undefined } = {}) {
  const holder = await start(Holder)
  const asked: number[] = []
  const signals: AbortSignal[] = []
  const received: string[] = []
  const returned: string[] = []
  const answers: { resolve(messages: readonly string[]): void; reject(error: Error): void }[] = []
  const receiver = new Receiver<string>(processOf(holder), {
    max: 10,
    interval: options.interval ?? 0,
    receive: (max, signal) => {
      asked.push(max)
      signals.push(signal)
      return new Promise((resolve, reject) => answers.push({ resolve, reject }))
    },
    received: (messages) => received.push(...messages),
    giveBack: async (messages) => {
      returned.push(...messages)
    },
    failed: () => ('retry' in options ? options.retry : 100),
  })
  return {
    holder,
    receiver,
    asked,
    signals,
    received,
    returned,
    answer: (...messages: string[]) => answers.shift()?.resolve(messages),
    fail: () => answers.shift()?.reject(new Error('not there')),
  }
}

it('asks for what is wanted and not received, one request at a time, and at most so many', async () => {
  await simulate().run(async (sim) => {
    const { receiver, asked, received, answer } = await receiving()
    receiver.ask(15)
    receiver.ask(2)
    await sim.settle()
    expect(asked).toEqual([10])
    answer('a', 'b', 'c')
    await sim.settle()
    receiver.ask(1)
    answer('d', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm')
    await sim.settle()
    answer('n', 'o', 'p', 'q', 'r')
    await sim.settle()
    expect(asked).toEqual([10, 10, 5])
    expect(received).toHaveLength(18)
    receiver.ask(1)
    await sim.settle()
    expect(asked).toEqual([10, 10, 5, 1])
  })
})

it('asks an empty server again after the interval, also when more is wanted meanwhile', async () => {
  await simulate().run(async (sim) => {
    const { receiver, asked, answer } = await receiving({ interval: 500 })
    receiver.ask(4)
    answer()
    await sim.advance(400)
    receiver.ask(2)
    await sim.advance(99)
    expect(asked).toEqual([4])
    await sim.advance(1)
    expect(asked).toEqual([4, 6])
  })
})

it('asks again after a failure when the plan says so, and never again when it says so', async () => {
  await simulate().run(async (sim) => {
    const patient = await receiving()
    patient.receiver.ask(1)
    patient.fail()
    await sim.advance(99)
    expect(patient.asked).toEqual([1])
    await sim.advance(1)
    expect(patient.asked).toEqual([1, 1])
    const done = await receiving({ retry: undefined })
    done.receiver.ask(1)
    done.fail()
    await sim.advance(1000)
    done.receiver.ask(1)
    await sim.advance(1000)
    expect(done.asked).toEqual([1])
  })
})

it('gives back what comes when it was stopped, and waits for that', async () => {
  await simulate().run(async (sim) => {
    const { receiver, received, returned, answer } = await receiving()
    receiver.ask(2)
    let stopped = false
    const stop = receiver.stop().then(() => {
      stopped = true
    })
    await sim.settle()
    expect(stopped).toBe(false)
    answer('a', 'b')
    await stop
    expect(received).toEqual([])
    expect(returned).toEqual(['a', 'b'])
    receiver.ask(5)
    await sim.settle()
  })
})

it('gives each request a signal of its own, because clients leave listeners there; it fires when nothing more is wanted', async () => {
  await simulate().run(async (sim) => {
    const { receiver, signals, answer, fail } = await receiving()
    receiver.ask(10)
    await sim.settle()
    answer('a')
    await sim.settle()
    fail()
    await sim.advance(100)
    expect(signals.map(({ aborted }) => aborted)).toEqual([false, false, false])
    expect(new Set(signals).size).toBe(3)
    const stopped = receiver.stop()
    expect(signals.map(({ aborted }) => aborted)).toEqual([false, false, true])
    fail()
    await stopped
  })
})
