import { GenServer, type Later, name, type Ref, start } from 'sluice'
import type { Message } from 'sluice/broadway'
import { Queue, QueueSource } from 'sluice/queue'
import { simulate } from 'sluice/testing'
import { describe, expect, it } from 'vitest'
import { data, filled, now } from '../support/embedded-queue.ts'
import { RawProcess } from '../support/raw-process.ts'
import { range } from '../support/stages.ts'

/** The data of the messages that a consumer got. */
const got = (raw: RawProcess): readonly unknown[] =>
  raw
    .of('events')
    .flat()
    .map((message) => (message as Message).data)

/** A queue that has nothing to give at first; whenever it is asked again, somebody wants more. */
class Asking extends GenServer {
  readonly #receive: () => void
  readonly #received: number[] = []
  readonly #again = this.later<void>()
  constructor({ receive }: { readonly receive: () => void }) {
    super()
    this.#receive = receive
  }
  receive(max: number): readonly never[] | Later<readonly never[]> {
    if (this.#received.push(max) === 1) return []
    this.#receive()
    this.#again.reply(undefined)
    return this.later<readonly never[]>()
  }
  /** Replies when it has been asked a second time. */
  again(): Later<void> {
    return this.#again
  }
  received(): readonly number[] {
    return this.#received
  }
}

describe('a source by itself', () => {
  it('Q32 receives what was asked for, and more when that is asked for', async () => {
    await simulate().run(async (sim) => {
      const queue = await filled(5)
      const source = await start(QueueSource<number>, { arg: { queue } })
      const raw = new RawProcess()
      const subscription = raw.subscribeTo(source)
      await sim.settle()
      expect(await queue.call.stats()).toMatchObject({ ready: 5, waitingToReceive: 0 })
      subscription.ask(2)
      await sim.settle()
      expect(got(raw)).toEqual([1, 2])
      subscription.ask(1)
      subscription.ask(1)
      await sim.settle()
      expect(got(raw)).toEqual([1, 2, 3, 4])
      expect(await queue.call.stats()).toMatchObject({ ready: 1, inFlight: 4 })
    })
  })

  it('Q32 receives once at a time, also when more is asked for while it calls the queue', async () => {
    // Not simulated: only here a call to a process that has nothing to do runs it, and others, before it returns.
    let ask = (_count: number): void => {}
    const asking = await start(Asking, { arg: { receive: () => ask(3) } })
    const source = await start(QueueSource<number>, { arg: { queue: asking as unknown as Ref<Queue<number>> } })
    const subscription = new RawProcess().subscribeTo(source)
    ask = (count) => subscription.ask(count)
    subscription.ask(2)
    await asking.call.again()
    // Whatever was received until now came before this.
    expect(await asking.call.received()).toEqual([2, 2])
    await source.stop()
    await asking.stop()
  })

  it('Q33 waits no longer than a minute between attempts, or as long as it was told to begin with', async () => {
    for (const [retryDelay, expected] of [
      [40_000, [40_000, 100_000, 160_000]],
      [90_000, [90_000, 180_000, 270_000]],
    ] as const) {
      await simulate().run(async (sim) => {
        const queue = await filled(1)
        const source = await start(QueueSource<number>, { arg: { queue, retryDelay } })
        const raw = new RawProcess()
        raw.subscribeTo(source).ask(9)
        await sim.settle()
        const times: number[] = []
        for (let attempt = 1; attempt <= 3; attempt++) {
          const failed = raw.of('events').flat().at(-1) as Message
          await failed.acknowledger.ack(failed.ackRef, [], [failed.failed('no')])
          while (raw.of('events').length === attempt) await sim.advance(10_000)
          times.push(sim.now)
        }
        expect(times).toEqual(expected)
      })
    }
  })

  it('Q36 gives back what reaches it after it was told to end, as not worked on', async () => {
    let returned = 0
    for (const seed of range(1, 40)) {
      await simulate({ seed }).run(async (sim) => {
        const queue = await start(Queue<number>, { arg: { maxAttempts: 1 } })
        const source = await start(QueueSource<number>, { arg: { queue } })
        const raw = new RawProcess()
        raw.subscribeTo(source).ask(1)
        await sim.settle()
        queue.cast.enqueue(1)
        await source.stop({ drain: true })
        // Nothing has to pass before it is there again.
        const { inFlight, dead, totals } = await queue.call.stats()
        returned += totals.returned
        expect({ dead, inFlight, got: got(raw) }).toEqual({ dead: 0, inFlight: got(raw).length, got: got(raw) })
        if (inFlight === 0) expect(await now(queue)).toMatchObject([{ data: 1, attempts: 1 }])
      })
    }
    expect(returned).toBeGreaterThan(0)
  })

  it('Q42 asks a queue that does not run once in a while, whatever is asked of it', async () => {
    await simulate().run(async (sim) => {
      const source = await start(QueueSource<number>, {
        arg: { queue: name(Queue<number>, 'late'), retryInterval: 100 },
      })
      const raw = new RawProcess()
      const subscription = raw.subscribeTo(source)
      for (let n = 0; n < 5; n++) {
        subscription.ask(1)
        await sim.advance(10)
      }
      expect(sim.logs.map(({ message }) => message)).toEqual([
        expect.stringMatching(
          /^QueueSource#\d+ cannot receive: .* no process bears that name; it tries again in 100 ms$/,
        ),
      ])
      const queue = await start(Queue<number>, { name: name(Queue<number>, 'late') })
      await queue.call.enqueue(1)
      await sim.advance(50)
      expect(got(raw)).toEqual([1])
      expect(sim.logs).toHaveLength(1)
    })
  })

  it('Q43 says once that its queue is closed and empty', async () => {
    await simulate().run(async (sim) => {
      const queue = await filled(0)
      await queue.call.close()
      const source = await start(QueueSource<number>, { arg: { queue } })
      const raw = new RawProcess()
      const subscription = raw.subscribeTo(source)
      for (let n = 0; n < 5; n++) {
        subscription.ask(1)
        await sim.advance(1000)
      }
      expect(sim.logs.map(({ level }) => level)).toEqual(['info'])
    })
  })

  it('Q37 keeps no message that was answered for', async () => {
    await simulate().run(async (sim) => {
      const queue = await filled(2)
      const source = await start(QueueSource<number>, { arg: { queue, visibilityTimeout: 1000 } })
      const raw = new RawProcess()
      raw.subscribeTo(source).ask(3)
      await sim.settle()
      const messages = raw.of('events').flat() as Message[]
      const before = sim.clock.pending
      const [{ acknowledger, ackRef } = messages[0] as Message] = messages
      await acknowledger.ack(ackRef, messages, [])
      expect(data(await now(queue))).toEqual([])
      await sim.advance(100)
      // The heart has stopped: it had beaten once by now.
      expect(sim.clock.pending).toBe(before - 1)
    })
  })
})
