import fc from 'fast-check'
import { type Simulation, simulate } from 'sluice/testing'
import { describe, expect, it } from 'vitest'
import { currentRuntime } from '../../../src/process/runtime.ts'
import { type FanOut, fanOut, moves, partitionOf, Stand, selectors } from '../../support/fan-out.ts'
import { remains } from '../../support/remains.ts'
import type { Item } from '../../support/topology.ts'

/** Milliseconds for all runs of a property, on a slow machine. */
const TIMEOUT = 60_000
const numRuns = process.env['CI'] ? 2000 : 200

async function run(plan: FanOut, test: (sim: Simulation, stand: Stand) => Promise<void>): Promise<void> {
  await simulate({ seed: plan.seed }).run(async (sim) => {
    const stand = new Stand(plan)
    await stand.start()
    await test(sim, stand)
    expect(sim.logs.filter(({ level }) => level === 'error')).toEqual([])
  })
}

/** Who got what, whoever came and went. */
function checkDeliveries(plan: FanOut, stand: Stand): void {
  const { ledger, emitted, seats } = stand
  expect(ledger.violations).toEqual([])
  expect(ledger.emitted).toHaveLength(plan.count)
  for (const { subscriptions } of seats) {
    const last = subscriptions.at(-1)
    if (last !== undefined) expect(ledger.unhandled(last)).toBe(0)
  }
  if (plan.kind === 'demand') {
    const sent = seats.flatMap((seat) => numbers(stand.sentTo(seat)))
    expect(sent.toSorted((a, b) => a - b)).toEqual(numbers(emitted))
  } else if (plan.kind === 'partition') {
    for (const [index, seat] of seats.entries()) {
      const expected = emitted.filter(({ value }) => partitionOf(value, plan) === index)
      expect(numbers(stand.sentTo(seat))).toEqual(numbers(expected))
    }
  } else checkBroadcast(plan, stand)
}

/** Each subscription was sent all that it selects of one stretch of the events, the last in a place up to the end. */
function checkBroadcast(plan: FanOut, { emitted, ledger, seats }: Stand): void {
  const seen = new Set<number>()
  for (const [index, { subscriptions }] of seats.entries()) {
    const selector = selectors[plan.slots[index]?.selector ?? 0] ?? (() => true)
    for (const subscription of subscriptions) {
      const sent = ledger.deliveries.get(subscription) ?? []
      const [first] = sent
      if (first === undefined) continue
      const end = subscription === subscriptions.at(-1) ? emitted.length : (sent.at(-1)?.nth ?? 0) + 1
      expect(numbers(sent)).toEqual(numbers(emitted.slice(first.nth, end).filter(selector)))
      for (const { nth } of sent) seen.add(nth)
    }
  }
  const everything = plan.slots.every(({ selector }) => selectors[selector] === undefined)
  if (everything) expect(seen.size).toBe(emitted.length)
}

function numbers(items: readonly Item[]): number[] {
  return items.map(({ nth }) => nth)
}

describe('any dispatcher', () => {
  it(
    'delivers to consumers that stay all that is theirs, in order, as it was asked for, and asks for no more than they did',
    async () => {
      await fc.assert(
        fc.asyncProperty(fanOut, (plan) =>
          run(plan, async (sim, stand) => {
            await stand.finish(sim)
            checkDeliveries(plan, stand)
            if (plan.kind === 'broadcast') {
              for (const [index, seat] of stand.seats.entries()) {
                const selector = selectors[plan.slots[index]?.selector ?? 0] ?? (() => true)
                expect(numbers(stand.sentTo(seat))).toEqual(numbers(stand.emitted.filter(selector)))
              }
            }
            if (plan.middle === null) {
              const wanted = plan.slots.map(({ limits }) => limits.maxDemand)
              // Of a broadcast the first to come may have asked for all of it before the others came.
              const most = plan.kind === 'broadcast' ? Math.max(...wanted) : wanted.reduce((sum, max) => sum + max, 0)
              expect(stand.ledger.mostOwed).toBeLessThanOrEqual(most)
            }
          }),
        ),
        { numRuns },
      )
    },
    TIMEOUT,
  )

  it(
    'loses nothing and stalls never, whoever comes, leaves, dies, and whatever the demand mode',
    async () => {
      await fc.assert(
        fc.asyncProperty(fanOut, moves, (plan, moves) =>
          run(plan, async (sim, stand) => {
            stand.forward()
            for (const move of moves) {
              await sim.advance(move.after)
              await stand.move(move)
            }
            await stand.finish(sim)
            checkDeliveries(plan, stand)

            const { stages } = stand
            for (const stage of [...stages].reverse()) {
              if (stage.alive) await stage.stop()
              // One that is busy with a demand hears of it later.
              await sim.advance(10)
              expect(remains(stages)).toEqual([])
            }
            expect(sim.processes).toEqual([])
            expect(sim.clock.pending).toBe(0)
            expect(currentRuntime().names.size).toBe(0)
          }),
        ),
        { numRuns },
      )
    },
    TIMEOUT,
  )
})
