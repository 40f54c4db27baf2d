import { ConnectorCheckError, type ConnectorHarness, connectorChecks, simulate } from 'sluice/testing'
import { describe, expect, it } from 'vitest'
import { mistakes } from '../support/broken-connectors.ts'
import { breachOf } from '../support/connector-breach.ts'
import { type PlainServer, plainHarness } from '../support/plain-connector.ts'

const seeds = process.env['CI'] ? 20 : 3

describe('the checks of connectors', () => {
  it('find nothing wrong with one that is right', async () => {
    for (let seed = 1; seed <= seeds; seed++) expect(await breachOf(plainHarness(), seed)).toBeUndefined()
  })

  it.each(Object.entries(mistakes))('find one that %s', async (_what, { harness, rule, says }) => {
    for (const seed of [1, 2]) {
      const error = await breachOf(harness, seed)
      expect(error).toMatchObject({ name: 'ConnectorCheckError', rule, seed, message: expect.stringMatching(says) })
    }
  })

  it('name the connector, the rule, what was expected, what came, and what was done', async () => {
    const error = await breachOf({ ...plainHarness(), redelivers: false }, 7)
    if (!(error instanceof ConnectorCheckError)) throw new Error(`expected a breach, got ${String(error)}`)
    expect(error.message).toBe(
      `PlainSource breaks the rule 'redelivers': expected what failed not to come again, got ${error.seen}. With seed 7:
  1. 20 messages published
  2. pipeline 1 started
  3. pipeline 1 stopped
  4. pipeline 2 started
  5. 5 messages published
  6. pipeline 2 stopped`,
    )
    expect(error).toMatchObject({ expected: 'what failed not to come again', seed: 7 })
    expect(error.seen).toMatch(/^again message \d+, \d+/)
    expect(error.steps).toHaveLength(6)
  })

  it('are those that the harness has functions for', () => {
    const all = plainHarness()
    const { publisher: _1, disrupt: _2, ...few } = all
    const rulesOf = (harness: ConnectorHarness<PlainServer>) => connectorChecks(harness).map(({ rule }) => rule)
    expect(new Set(rulesOf(all)).size).toBe(11)
    expect(rulesOf({ ...few, order: 'none' })).toEqual(
      rulesOf(all).filter((rule) => !['order', 'reconnects', 'publishes'].includes(rule)),
    )
  })

  it('leave nothing behind, also when they find something', async () => {
    for (const harness of [plainHarness(), mistakes['stays away when its line is cut']?.harness ?? plainHarness()]) {
      const closed: PlainServer[] = []
      const noting = { ...harness, close: async (server: PlainServer) => void closed.push(server) }
      for (const { run } of connectorChecks(noting, { seed: 1 })) {
        await simulate({ seed: 1 }).run(async (sim) => {
          const ended = run().catch(() => {})
          await sim.advance(10_000, { foreign: true })
          await ended
          expect(sim.processes.map(String)).toEqual([])
          expect(sim.clock.pending).toBe(0)
        })
      }
      expect(closed).toHaveLength(13)
    }
  })

  it('pass on what the harness throws', async () => {
    const publish = async () => {
      throw new Error('the server is on fire')
    }
    expect(await breachOf({ ...plainHarness(), publish }, 1)).toEqual(new Error('the server is on fire'))
  })
})
