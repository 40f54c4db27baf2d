/** Random scripts for stages that hold events: producers that are fed, consumers that ask by hand, come and go. */

import fc from 'fast-check'
import { asyncSubscribe, type Emits, type Handles, type Ref, type Subscription, start } from 'sluice'
import { type Simulation, simulate } from 'sluice/testing'
import type { Tag } from '../../src/process/message.ts'
import { EVENTS } from '../../src/stage/subscription.ts'
import { RawProcess } from './raw-process.ts'
import { range, Source } from './stages.ts'

/** What was delivered, and when. */
export interface Delivery {
  readonly at: number
  readonly event: unknown
}

class Taker extends RawProcess {
  readonly #sim: Simulation
  readonly #deliveries: Delivery[]

  constructor(sim: Simulation, deliveries: Delivery[]) {
    super()
    this.#sim = sim
    this.#deliveries = deliveries
  }

  override deliver(tag: Tag, payload: unknown): void {
    if (tag.kind === EVENTS && Array.isArray(payload)) {
      for (const event of payload) this.#deliveries.push({ at: this.#sim.now, event })
    }
    super.deliver(tag, payload)
  }
}

type Step =
  | { readonly do: 'give'; readonly who: number; readonly count: number }
  | { readonly do: 'ask'; readonly count: number }
  | { readonly do: 'change' }
  | { readonly do: 'wait'; readonly ms: number }

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('give' as const), who: fc.nat(2), count: fc.integer({ min: 1, max: 8 }) }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('ask' as const), count: fc.integer({ min: 1, max: 8 }) }) },
  { weight: 1, arbitrary: fc.constant({ do: 'change' as const }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.nat(60) }) },
)

export const script = fc.record({
  seed: fc.nat(),
  producers: fc.integer({ min: 1, max: 3 }),
  maxDemand: fc.constantFrom(1, 3, 1000),
  steps: fc.array(step, { maxLength: 30 }),
})

export type Script = typeof script extends fc.Arbitrary<infer T> ? T : never

/** An event: of which producer, and as which of its events. */
interface Numbered {
  readonly of: number
  readonly nth: number
}

export interface Played {
  readonly sim: Simulation
  readonly deliveries: readonly Delivery[]
  /** Events given, by producer. */
  readonly given: readonly number[]
  /** Asked of each producer, and by the consumers. */
  readonly asked: ReadonlyMap<Subscription, number>
  readonly wanted: number
  readonly sources: readonly Ref<Source>[]
  /** Asks for more. */
  ask(count: number): void
}

type GateRef = Ref<Handles<unknown> & Emits<unknown>>

/** What happens to a gate: `watch` is to be called by it with each subscription to a producer. */
export class Stand {
  readonly asked = new Map<Subscription, number>()
  readonly violations: string[] = []
  readonly #inFlight = new Map<Subscription, number>()

  readonly watch = (subscription: Subscription): void => {
    const max = subscription.options.maxDemand ?? 1000
    this.asked.set(subscription, 0)
    this.#inFlight.set(subscription, 0)
    const ask = subscription.ask.bind(subscription)
    subscription.ask = (demand) => {
      this.asked.set(subscription, (this.asked.get(subscription) ?? 0) + demand)
      const inFlight = (this.#inFlight.get(subscription) ?? 0) + demand
      this.#inFlight.set(subscription, inFlight)
      if (inFlight > max) this.violations.push(`${subscription} has ${inFlight} in flight, more than ${max}`)
      ask(demand)
    }
  }

  readonly arrived = (subscription: Subscription, count: number): void => {
    const inFlight = (this.#inFlight.get(subscription) ?? 0) - count
    this.#inFlight.set(subscription, inFlight)
    if (inFlight < 0) this.violations.push(`${subscription} got more than was asked for`)
  }
}

/** Plays a script on a gate, then looks at what happened. */
export async function play(
  { seed, producers, maxDemand, steps }: Script,
  stand: Stand,
  open: (sim: Simulation) => Promise<GateRef>,
  look: (played: Played) => Promise<void>,
): Promise<void> {
  await simulate({ seed }).run(async (sim) => {
    const gate = await open(sim)
    const sources = await Promise.all(range(1, producers).map(() => start(Source)))
    for (const to of sources) asyncSubscribe(gate, { to, maxDemand, cancel: 'temporary' })
    const deliveries: Delivery[] = []
    const given = sources.map(() => 0)
    let wanted = 0
    let subscription = new Taker(sim, deliveries).subscribeTo(gate)
    const ask = (count: number): void => {
      wanted += count
      subscription.ask(count)
    }
    for (const step of steps) {
      if (step.do === 'give') {
        const of = step.who % producers
        const from = given[of] ?? 0
        given[of] = from + step.count
        sources[of]?.cast.give(...range(from, from + step.count - 1).map((nth): Numbered => ({ of, nth })))
      } else if (step.do === 'ask') ask(step.count)
      else if (step.do === 'wait') await sim.advance(step.ms)
      else {
        subscription.cancel()
        await sim.settle()
        subscription = new Taker(sim, deliveries).subscribeTo(gate)
      }
    }
    await look({ sim, deliveries, given, asked: stand.asked, wanted, sources, ask })
  })
}

/** The events of each producer, in the order of their delivery. */
export function byProducer(events: readonly unknown[], producers: number): number[][] {
  const numbers: number[][] = range(1, producers).map(() => [])
  for (const event of events as readonly Numbered[]) numbers[event.of]?.push(event.nth)
  return numbers
}
