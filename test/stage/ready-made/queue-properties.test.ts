import fc from 'fast-check'
import { type Overflow, QueueProducer, type Ref, type Subscription, start } from 'sluice'
import { simulate } from 'sluice/testing'
import { describe, expect, it } from 'vitest'
import { RawProcess } from '../../support/raw-process.ts'
import { type Settlement, settlement } from '../../support/settlement.ts'
import { range } from '../../support/stages.ts'

const numRuns = process.env['CI'] ? 1000 : 200

type Step =
  | { readonly do: 'enqueue'; readonly count: number; readonly patience: number }
  | { readonly do: 'cast'; readonly count: number }
  | { readonly do: 'ask'; readonly count: number }
  | { readonly do: 'change' }
  | { readonly do: 'wait'; readonly ms: number }

const count = fc.integer({ min: 1, max: 6 })
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('enqueue' as const), count, patience: fc.nat(20) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('cast' as const), count }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('ask' as const), count }) },
  { weight: 1, arbitrary: fc.constant({ do: 'change' as const }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.nat(10) }) },
)

/** Events put in by one call, and what became of it. */
interface Put {
  readonly events: readonly number[]
  readonly outcome: Settlement<number | boolean> | undefined
}

/** Puts events in and takes them out by turns; the events are numbered in the order in which they were sent. */
class Script {
  readonly puts: Promise<Put>[] = []
  readonly takers: RawProcess[] = [new RawProcess()]
  readonly #queue: Ref<QueueProducer<number>>
  #subscription: Subscription
  #next = 0

  constructor(queue: Ref<QueueProducer<number>>) {
    this.#queue = queue
    this.#subscription = this.#taker.subscribeTo(queue)
  }

  get #taker(): RawProcess {
    return this.takers.at(-1) as RawProcess
  }

  #events(count: number): readonly number[] {
    this.#next += count
    return range(this.#next - count, this.#next - 1)
  }

  enqueue(count: number, patience: number): void {
    const events = this.#events(count)
    const calls = this.#queue.with({ timeout: patience === 0 ? Infinity : patience }).call
    const [only] = events
    const call = count === 1 && only !== undefined ? calls.enqueue(only) : calls.enqueueAll(events)
    this.puts.push(settlement<number | boolean>(call).then((outcome) => ({ events, outcome })))
  }

  cast(count: number): void {
    const events = this.#events(count)
    this.#queue.cast.enqueueAll(events)
    this.puts.push(Promise.resolve({ events, outcome: undefined }))
  }

  ask(count: number): void {
    this.#subscription.ask(count)
  }

  leave(): void {
    this.#subscription.cancel()
  }

  come(): void {
    this.takers.push(new RawProcess())
    this.#subscription = this.#taker.subscribeTo(this.#queue)
  }

  /** Everything that was delivered, in order. */
  get taken(): readonly number[] {
    return this.takers.flatMap((taker) => taker.of('events').flat() as number[])
  }
}

interface Plan {
  readonly seed: number
  readonly capacity: number
  readonly overflow: Overflow
  readonly steps: readonly Step[]
}

async function run({ seed, capacity, overflow, steps }: Plan) {
  return await simulate({ seed }).run(async (sim) => {
    const queue = await start(QueueProducer<number>, { arg: { capacity, overflow } })
    const script = new Script(queue)
    for (const step of steps) {
      if (step.do === 'enqueue') script.enqueue(step.count, step.patience)
      else if (step.do === 'cast') script.cast(Math.min(step.count, capacity))
      else if (step.do === 'ask') script.ask(step.count)
      else if (step.do === 'wait') {
        await sim.advance(step.ms)
        // What was asked for by somebody who has gone comes on top.
        if (script.takers.length === 1) expect(await queue.call.size()).toBeLessThanOrEqual(capacity)
      } else {
        script.leave()
        await sim.settle()
        script.come()
      }
    }
    const { dropped } = await queue.call.queueInfo()
    await queue.call.finish()
    for (let left = 0; left < 500 && queue.alive; left++) {
      script.ask(3)
      await sim.settle()
    }
    expect(await queue.done).toBe('normal')
    const puts = await Promise.all(script.puts)
    expect(sim.logs.filter(({ level }) => level === 'error')).toEqual([])
    return { puts, dropped, taken: script.taken }
  })
}

const plan = fc.record({
  seed: fc.nat(),
  capacity: fc.integer({ min: 1, max: 8 }),
  steps: fc.array(step, { maxLength: 40 }),
})

describe('any queue', () => {
  it('that lets callers wait delivers the events of each call that resolved once, and in order, and no others', async () => {
    await fc.assert(
      fc.asyncProperty(plan, async (plan) => {
        const { puts, dropped, taken } = await run({ ...plan, overflow: 'wait' })
        const accepted = puts.filter(({ outcome }) => outcome?.error === undefined)
        expect(taken).toEqual(accepted.flatMap(({ events }) => events))
        expect(dropped).toBe(0)
        for (const { outcome, events } of accepted) {
          if (outcome !== undefined) expect(Number(outcome.value)).toBe(events.length)
        }
      }),
      { numRuns },
    )
  })

  it('that does not delivers in order what it neither refused nor counted as dropped', async () => {
    const overflow = fc.constantFrom<Overflow>('reject', 'drop_newest', 'drop_oldest')
    await fc.assert(
      fc.asyncProperty(plan, overflow, async (plan, overflow) => {
        const { puts, dropped, taken } = await run({ ...plan, overflow })
        const refused = puts.filter(({ outcome }) => outcome?.error !== undefined).flatMap(({ events }) => events)
        const sent = puts.flatMap(({ events }) => events)
        expect(taken).toEqual([...taken].sort((a, b) => a - b))
        expect(new Set(taken).size).toBe(taken.length)
        expect(taken.length).toBe(sent.length - refused.length - dropped)
        expect(taken.filter((event) => refused.includes(event))).toEqual([])
      }),
      { numRuns },
    )
  })
})
