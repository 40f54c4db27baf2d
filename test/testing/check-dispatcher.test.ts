import {
  BroadcastDispatcher,
  DemandDispatcher,
  type Dispatcher,
  FairDispatcher,
  none,
  PartitionDispatcher,
  PriorityDispatcher,
  type SubscriptionOptions,
} from 'sluice'
import { checkDispatcher, DispatcherCheckError, type DispatcherCheckOptions } from 'sluice/testing'
import { describe, expect, it } from 'vitest'
import { mistakes, parity, Simple, SimpleBroadcast, twoPartitions } from '../support/broken-dispatchers.ts'

const runs = process.env['CI'] ? 1000 : 200
const TIMEOUT = 30_000

function third(event: unknown): number {
  return Number(event) % 3
}

/** Every third consumer wants all events, the others two of three each. */
function thirds(_present: unknown, nth: number): SubscriptionOptions<never> {
  return nth % 3 === 0 ? {} : { selector: (event: number) => event % 3 !== nth % 3 }
}

/** What a check found. */
async function found(check: Promise<void>): Promise<DispatcherCheckError> {
  const error = await check.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  if (error instanceof DispatcherCheckError) return error
  throw new Error(`expected a mistake to be found, got ${String(error)}`)
}

describe('the check of dispatchers', () => {
  it.each<[string, () => Dispatcher, DispatcherCheckOptions<unknown>?]>([
    ['a simple one', () => new Simple()],
    ['a simple broadcast', () => new SimpleBroadcast(), { delivers: 'to_all' }],
    ['DemandDispatcher', () => new DemandDispatcher({ maxDemand: 10_000, shuffleDemandsOnFirstDispatch: true })],
    ['FairDispatcher', () => new FairDispatcher()],
    [
      'FairDispatcher with weights',
      () => new FairDispatcher(),
      { subscription: (_present, nth) => ({ weight: 1 + (nth % 4) }) },
    ],
    ['PriorityDispatcher', () => new PriorityDispatcher({ levels: 3, priority: third }), { lane: third }],
    [
      'PriorityDispatcher in front of FairDispatcher',
      () => new PriorityDispatcher({ levels: 3, priority: third, patience: 2, dispatcher: new FairDispatcher() }),
      { lane: third },
    ],
    [
      'PriorityDispatcher in front of BroadcastDispatcher',
      () => new PriorityDispatcher({ levels: 3, priority: third, dispatcher: new BroadcastDispatcher() }),
      { delivers: 'to_all', subscription: thirds, lane: third },
    ],
    [
      'PriorityDispatcher in front of PartitionDispatcher',
      () => new PriorityDispatcher({ levels: 3, priority: third, dispatcher: new PartitionDispatcher(parity) }),
      { ...twoPartitions, lane: third },
    ],
    ['BroadcastDispatcher', () => new BroadcastDispatcher(), { delivers: 'to_all' }],
    [
      'BroadcastDispatcher with selectors',
      () => new BroadcastDispatcher(),
      { delivers: 'to_all', subscription: thirds },
    ],
    ['PartitionDispatcher', () => new PartitionDispatcher(parity), twoPartitions],
    [
      'PartitionDispatcher that drops',
      () =>
        new PartitionDispatcher({
          partitions: 2,
          hash: (event) => (Number(event) % 5 === 0 ? none : Number(event) % 2),
        }),
      { ...twoPartitions, drops: (event) => Number(event) % 5 === 0 },
    ],
  ])('finds nothing wrong with %s', (_name, make, options) => checkDispatcher(make, { ...options, runs }), TIMEOUT)

  it.each(Object.entries(mistakes))('finds one that %s', async (_what, { make, rule, says, options }) => {
    for (const seed of [1, 1_000_000]) {
      const error = await found(checkDispatcher(make, { ...options, seed }))
      expect([rule].flat()).toContain(error.rule)
      expect(error.message).toMatch(says)
    }
  })

  it('names the dispatcher, the rule, the seed and the shortest way there', async () => {
    class Forgetful extends Simple {
      override cancel(subscription: Parameters<Simple['cancel']>[0]): number {
        super.cancel(subscription)
        this.pending = 0
        return 0
      }
    }
    const error = await found(checkDispatcher(() => new Forgetful(), { seed: 3 }))
    const again = await found(checkDispatcher(() => new Forgetful(), { seed: error.seed, runs: 1 }))
    expect(error.message).toBe(
      `Forgetful breaks the rule 'asked_again': it asks the producer for 1, which then owes 2, and consumers want 1. ` +
        `This happened by itself, with seed ${error.seed}:
  1. consumer 1 subscribes
  2. consumer 1 asks for 1: the producer is asked for 1
  3. consumer 1 goes
  4. consumer 2 subscribes
  5. consumer 2 asks for 1: the producer is asked for 1`,
    )
    expect(error.steps).toHaveLength(5)
    expect(again.message).toBe(error.message)
  })

  it('tries as often, and as long, as it is told', async () => {
    let made = 0
    const make = () => {
      made++
      return new Simple()
    }
    await checkDispatcher(make, { runs: 20, longest: 5 })
    // Two to compare, twenty by themselves, two in real stages.
    expect(made).toBe(24)
  })

  it('refuses what it does not know', async () => {
    const odd = checkDispatcher(() => new Simple(), { delivers: 'twice' as 'once' })
    await expect(odd).rejects.toThrow("delivers of checkDispatcher: expected 'once' or 'to_all', got twice")
  })
})
