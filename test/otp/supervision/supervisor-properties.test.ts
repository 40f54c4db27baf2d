import fc from 'fast-check'
import { child, type Ref, type Strategy, Supervisor, supervise } from 'sluice'
import { channels, type SupervisorRestart } from 'sluice/telemetry'
import { type Simulation, simulate } from 'sluice/testing'
import { describe, expect, it } from 'vitest'
import { Worker } from '../../support/workers.ts'

const numRuns = process.env['CI'] ? 1000 : 100
const strategies = ['one_for_one', 'rest_for_one', 'one_for_all'] as const
const restarts = ['permanent', 'transient', 'temporary'] as const

describe('one supervisor, one end at a time', () => {
  interface Model {
    readonly id: string
    readonly restart: (typeof restarts)[number]
    runs: boolean
    starts: number
  }

  /** What the end of a child does to the children, by the book. */
  function ended(children: readonly Model[], index: number, orderly: boolean, strategy: Strategy): readonly Model[] {
    const child = children[index]
    if (child === undefined || !child.runs) return children
    child.runs = false
    if (child.restart === 'temporary') return children.filter((each) => each !== child)
    if (child.restart === 'transient' && orderly) return children
    const from = strategy === 'one_for_all' ? 0 : index
    const to = strategy === 'one_for_one' ? index + 1 : children.length
    const falls = (at: number) => at >= from && at < to
    const left = children.filter((each, at) => !falls(at) || each.restart !== 'temporary')
    for (const each of left.filter((kept) => falls(children.indexOf(kept)))) {
      each.runs = true
      each.starts++
    }
    return left
  }

  it('starts and forgets exactly whom its strategy says', async () => {
    const end = fc.record({ index: fc.nat(4), reason: fc.constantFrom('normal', 'shutdown', 'boom') })
    const plan = fc.record({
      seed: fc.nat(),
      strategy: fc.constantFrom(...strategies),
      kinds: fc.array(fc.constantFrom(...restarts), { minLength: 1, maxLength: 5 }),
      ends: fc.array(end, { maxLength: 8 }),
    })
    await fc.assert(
      fc.asyncProperty(plan, ({ seed, strategy, kinds, ends }) =>
        simulate({ seed }).run(async (sim) => {
          const starts = new Map<string, number>()
          const specs = kinds.map((restart, index) => {
            const id = `w${index}`
            const init = () => void starts.set(id, (starts.get(id) ?? 0) + 1)
            return child(Worker, { id, restart, arg: { id, init } })
          })
          let model: readonly Model[] = kinds.map((restart, index) => ({
            id: `w${index}`,
            restart,
            runs: true,
            starts: 1,
          }))
          const supervisor = await supervise({ strategy, children: specs })
          for (const { index, reason } of ends) {
            const known = await supervisor.call.whichChildren()
            const ref = known[index]?.ref
            if (typeof ref === 'object') (ref as Ref<Worker>).cast.leave(reason)
            // Far enough apart for the intensity.
            await sim.advance(5001)
            model = ended(model, index, reason !== 'boom', strategy)
            const shown = await supervisor.call.whichChildren()
            expect(shown.map(({ id, ref }) => [id, typeof ref])).toEqual(
              model.map(({ id, runs }) => [id, runs ? 'object' : 'undefined']),
            )
            for (const each of model) expect([each.id, starts.get(each.id)]).toEqual([each.id, each.starts])
          }
        }),
      ),
      { numRuns },
    )
  })
})

describe('any tree, any crashes', () => {
  interface Leaf {
    readonly restart: (typeof restarts)[number]
    /** Milliseconds that its start and its end take. */
    readonly slow: number
  }
  interface Branch {
    readonly strategy: Strategy
    readonly children: readonly (Leaf | Branch)[]
  }

  class Tardy extends Worker {
    readonly #ms: number
    constructor({ slow }: { readonly slow: number }) {
      super({ id: 'tardy', init: slow > 0 ? (self) => self.sleep(slow) : () => {} })
      this.#ms = slow
    }
    override async terminate(): Promise<void> {
      if (this.#ms > 0) await this.sleep(this.#ms)
    }
  }

  const { root } = fc.letrec<{ root: Branch; node: Leaf | Branch; leaf: Leaf }>((tie) => ({
    root: fc.record({
      strategy: fc.constantFrom(...strategies),
      children: fc.array(tie('node'), { minLength: 1, maxLength: 4 }),
    }),
    node: fc.oneof({ maxDepth: 2, depthIdentifier: 'tree' }, tie('leaf'), tie('root')),
    leaf: fc.record({ restart: fc.constantFrom(...restarts), slow: fc.constantFrom(0, 0, 20) }),
  }))

  const spec = (node: Leaf | Branch, id: string, maxRestarts: number): ReturnType<typeof child> =>
    'slow' in node
      ? child(Tardy, { id, restart: node.restart, arg: { slow: node.slow } })
      : child(Supervisor, { id, arg: options(node, maxRestarts) })

  const options = ({ strategy, children }: Branch, maxRestarts: number) => ({
    strategy,
    maxRestarts,
    children: children.map((each, index) => spec(each, `${index}`, maxRestarts)),
  })

  /** Every process of a tree, after a check that each supervisor keeps its promises. */
  async function members(supervisor: Ref<Supervisor>, { children }: Branch): Promise<readonly number[]> {
    const shown = await supervisor.call.whichChildren()
    const ids = shown.map(({ id }) => Number(id))
    expect(ids).toEqual(ids.toSorted((a, b) => a - b))
    const found = [supervisor.id]
    for (const [index, node] of children.entries()) {
      const ref = shown.find(({ id }) => id === `${index}`)?.ref
      if ('slow' in node) {
        if (node.restart === 'permanent') expect(ref).toMatchObject({ alive: true })
        if (typeof ref === 'object') found.push(ref.id)
      } else {
        expect(ref).toMatchObject({ alive: true })
        found.push(...(await members(ref as Ref<Supervisor>, node)))
      }
    }
    return found
  }

  /** Nobody restarts more often than it may. */
  function expectIntensity(seen: readonly (SupervisorRestart & { readonly at: number })[], maxRestarts: number) {
    for (const { supervisor, at } of seen) {
      const recent = seen.filter((other) => other.supervisor === supervisor && other.at <= at && at - other.at <= 5000)
      expect(recent.length).toBeLessThanOrEqual(maxRestarts)
    }
  }

  async function check(sim: Simulation, supervisor: Ref<Supervisor>, tree: Branch) {
    // What is under way has ended by then; nothing else happens on its own.
    await sim.advance(1000)
    if (!supervisor.alive) expect(sim.processes.map(String)).toEqual([])
    else expect(sim.processes.map(({ id }) => id)).toEqual((await members(supervisor, tree)).toSorted((a, b) => a - b))
    expect(sim.clock.pending).toBe(0)
  }

  it('every permanent child runs, nobody is an orphan, and nobody restarts more often than it may', async () => {
    const blow = fc.record({
      kind: fc.constantFrom('kill', 'crash', 'shutdown'),
      victim: fc.nat(20),
      pause: fc.constantFrom(0, 0, 5, 10, 6000),
    })
    const bursts = fc.array(fc.array(blow, { minLength: 1, maxLength: 5 }), { maxLength: 4 })
    await fc.assert(
      fc.asyncProperty(fc.nat(), root, fc.integer({ min: 0, max: 4 }), bursts, (seed, tree, maxRestarts, all) =>
        simulate({ seed }).run(async (sim) => {
          const seen: (SupervisorRestart & { readonly at: number })[] = []
          const record = (event: SupervisorRestart) => void seen.push({ ...event, at: sim.now })
          channels.supervisorRestart.subscribe(record)
          try {
            const started = supervise(options(tree, maxRestarts))
            await sim.advance(1000)
            const supervisor = await started
            for (const burst of all) {
              for (const { kind, victim, pause } of burst) {
                const alive = sim.processes.filter((process) => process !== supervisor)
                const ref = alive[victim % Math.max(alive.length, 1)]
                if (kind === 'kill') ref?.kill()
                else if (kind === 'crash') ref?.exit(new Error('boom'))
                else ref?.exit('shutdown')
                await sim.advance(pause)
              }
              await check(sim, supervisor, tree)
            }
            expectIntensity(seen, maxRestarts)
            const stopped = supervisor.alive ? supervisor.stop() : undefined
            await sim.advance(10_000)
            await stopped
            expect(sim.processes.map(String)).toEqual([])
            expect(sim.clock.pending).toBe(0)
            sim.takeUncaught()
          } finally {
            channels.supervisorRestart.unsubscribe(record)
          }
        }),
      ),
      { numRuns },
    )
  })
})
