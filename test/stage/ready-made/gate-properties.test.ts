import fc from 'fast-check'
import { Batch, type BatchOptions, RateLimiter, type RateLimiterOptions, type Subscription, start } from 'sluice'
import { describe, expect, it } from 'vitest'
import { byProducer, type Delivery, play, Stand, script } from '../../support/gates.ts'
import { range } from '../../support/stages.ts'

const numRuns = process.env['CI'] ? 1000 : 150
const TIMEOUT = 60_000
const LONG = 100_000

class Limiter extends RateLimiter<unknown> {
  readonly #stand: Stand
  constructor({ stand, rate }: { readonly stand: () => Stand; readonly rate: RateLimiterOptions<unknown> }) {
    super(rate)
    this.#stand = stand()
  }
  override handleSubscribe(peer: 'producer' | 'consumer', subscription: Subscription) {
    if (peer === 'producer') this.#stand.watch(subscription)
    return super.handleSubscribe(peer, subscription)
  }
  override handleEvents(events: readonly unknown[], subscription: Subscription) {
    this.#stand.arrived(subscription, events.length)
    super.handleEvents(events, subscription)
  }
}

describe('any rate limiter', () => {
  const rate = fc.record({ limit: fc.integer({ min: 1, max: 6 }), interval: fc.integer({ min: 5, max: 80 }) })

  it(
    'lets through everything once, never more than the limit in any interval, and stalls for nobody',
    async () => {
      await fc.assert(
        fc.asyncProperty(script, rate, async (script, rate) => {
          const stand = new Stand()
          const open = () => start(Limiter, { arg: { stand: () => stand, rate } })
          await play(script, stand, open, async ({ sim, deliveries, given, wanted, ask, sources }) => {
            const { limit, interval } = rate
            expect(deliveries.length).toBeLessThanOrEqual(wanted)
            const all = given.reduce((sum, count) => sum + count, 0)
            const left = all - deliveries.length
            ask(all)
            // As soon as the limit allows.
            await sim.advance(interval * Math.ceil(left / limit) + interval / 16)
            const events = deliveries.map(({ event }) => event)
            expect(byProducer(events, sources.length)).toEqual(given.map((count) => range(0, count - 1)))
            for (const [nth, { at }] of deliveries.entries()) {
              const next = deliveries[nth + limit]
              if (next !== undefined) expect(next.at - at).toBeGreaterThanOrEqual(interval)
            }
            expect(stand.violations).toEqual([])
            await sim.advance(LONG)
            expect(sim.clock.pending).toBe(0)
            expect(sim.logs.filter(({ level }) => level === 'error')).toEqual([])
          })
        }),
        { numRuns },
      )
    },
    TIMEOUT,
  )
})

/** Notes when events came. */
class Collector extends Batch<unknown> {
  readonly #stand: Stand
  readonly #arrivals: Map<unknown, number>
  readonly #now: () => number
  constructor(arg: {
    readonly stand: () => Stand
    readonly arrivals: () => Map<unknown, number>
    readonly now: () => number
    readonly options: BatchOptions<unknown>
  }) {
    super(arg.options)
    this.#stand = arg.stand()
    this.#arrivals = arg.arrivals()
    this.#now = arg.now
  }
  override handleSubscribe(peer: 'producer' | 'consumer', subscription: Subscription) {
    if (peer === 'producer') this.#stand.watch(subscription)
    return super.handleSubscribe(peer, subscription)
  }
  override handleEvents(events: readonly unknown[], subscription: Subscription) {
    this.#stand.arrived(subscription, events.length)
    for (const event of events) this.#arrivals.set(event, this.#now())
    super.handleEvents(events, subscription)
  }
}

describe('any batch stage', () => {
  const limits = fc.record({ size: fc.integer({ min: 1, max: 9 }), timeout: fc.constantFrom(1, 7, 30, 200, Infinity) })
  const batchOf = ({ event }: Delivery) => event as readonly unknown[]

  it(
    'gives each event once, in order, in batches that are full or due, and asks for no more than it was asked for',
    async () => {
      await fc.assert(
        fc.asyncProperty(script, limits, fc.boolean(), async (script, options, generous) => {
          const stand = new Stand()
          const arrivals = new Map<unknown, number>()
          const { size, timeout } = options
          const open = (sim: { readonly now: number }) =>
            start(Collector, { arg: { stand: () => stand, arrivals: () => arrivals, now: () => sim.now, options } })
          // Somebody who always waits for batches, or somebody who asks now and then.
          const steps = generous
            ? [{ do: 'ask' as const, count: 1000 }, ...script.steps.filter((step) => step.do !== 'change')]
            : script.steps
          await play({ ...script, steps }, stand, open, async (played) => {
            const { sim, deliveries, given, wanted, asked, sources, ask } = played
            expect(deliveries.length).toBeLessThanOrEqual(wanted)
            for (const count of asked.values()) expect(count).toBeLessThanOrEqual(size * wanted)
            const early = deliveries.length
            for (const delivery of deliveries) {
              const batch = batchOf(delivery)
              const age = delivery.at - (arrivals.get(batch[0]) ?? Number.NaN)
              expect(batch.length).toBeGreaterThan(0)
              expect(batch.length).toBeLessThanOrEqual(size)
              if (batch.length < size) expect(age).toBeGreaterThanOrEqual(timeout)
              if (generous) expect(age).toBeLessThanOrEqual(timeout)
            }
            ask(1000)
            await sim.advance(LONG)
            for (const source of sources) source.cast.end('normal')
            await sim.settle()
            const missing = timeout === Infinity ? size - 1 : 0
            const events = deliveries.flatMap(batchOf)
            const all = given.reduce((sum, count) => sum + count, 0)
            expect(all - events.length).toBeLessThanOrEqual(missing)
            const numbers = byProducer(events, sources.length)
            for (const nths of numbers) expect(nths).toEqual(range(0, nths.length - 1))
            if (missing === 0) expect(numbers.map(({ length }) => length)).toEqual(given)
            expect(stand.violations).toEqual([])
            expect(sim.clock.pending).toBe(0)
            expect(deliveries.length).toBeGreaterThanOrEqual(early)
          })
        }),
        { numRuns },
      )
    },
    TIMEOUT,
  )
})
