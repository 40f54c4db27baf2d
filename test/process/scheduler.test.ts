import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { systemClock } from '../../src/process/clock.ts'
import { Deadlines } from '../../src/process/deadlines.ts'
import { INFO, type Tag } from '../../src/process/message.ts'
import { type Behaviour, Process } from '../../src/process/process.ts'
import { systemProgram } from '../../src/process/program.ts'
import { Runtime } from '../../src/process/runtime.ts'
import { nextTurn, TurnScheduler } from '../../src/process/scheduler.ts'

class Handler implements Behaviour {
  readonly #handle: (payload: unknown) => void

  constructor(handle: (payload: unknown) => void) {
    this.#handle = handle
  }

  receive(_tag: Tag, payload: unknown): void {
    this.#handle(payload)
  }

  crashed(thrown: unknown): void {
    throw thrown
  }

  ended(): void {}
}

/** A runtime whose scheduler reads a clock of the test's: time passes only when a message says that it took some. */
class Bench {
  now = 1000
  looks = 0
  turnEnds = 0
  readonly runtime: Runtime

  constructor(budget = 1) {
    this.runtime = new Runtime({
      clock: systemClock,
      deadlines: (clock) => new Deadlines(clock),
      scheduler: (endTurn) =>
        new TurnScheduler(
          budget,
          () => {
            this.looks++
            return this.now
          },
          (now) => {
            this.turnEnds++
            endTurn(now)
          },
        ),
      holdsProgram: false,
      program: systemProgram,
    })
  }

  spawn(handle: (payload: unknown) => void): Process {
    const process = new Process(this.runtime, undefined, 'handler')
    process.behaviour = new Handler(handle)
    return process
  }
}

/** Lets the microtasks of this turn run to their end, without a new turn. */
async function microtasks(): Promise<void> {
  for (let count = 0; count < 50; count++) await undefined
}

describe('the run queue', () => {
  it('is first in, first out; a process stands in it once', async () => {
    const bench = new Bench()
    const order: string[] = []
    const [a, b, c] = ['a', 'b', 'c'].map((label) => bench.spawn((payload) => order.push(`${label}${payload}`)))
    b?.deliver(INFO, 1)
    a?.deliver(INFO, 1)
    c?.deliver(INFO, 1)
    b?.deliver(INFO, 2)
    expect(order).toEqual([])
    await microtasks()
    // The clock is looked at after the first message, so the slice of b is one message long: it stands behind the others.
    expect(order).toEqual(['b1', 'a1', 'c1', 'b2'])
  })

  it('gives others their turn while a process has many messages', async () => {
    const bench = new Bench()
    const order: string[] = []
    const busy = bench.spawn(() => order.push('busy'))
    const other = bench.spawn(() => order.push('other'))
    for (let message = 0; message < 1000; message++) busy.deliver(INFO, message)
    other.deliver(INFO, 'hello')
    await microtasks()
    expect(order).toHaveLength(1001)
    expect(order.indexOf('other')).toBeLessThanOrEqual(64)
  })

  it('lets a process that sends to itself starve nobody', async () => {
    const bench = new Bench()
    let spins = 0
    const order: string[] = []
    const spinner: Process = bench.spawn(() => {
      if (++spins < 10_000) spinner.deliver(INFO, 'again')
    })
    const other = bench.spawn(() => order.push(`other after ${spins}`))
    spinner.deliver(INFO, 'go')
    other.deliver(INFO, 'hello')
    await microtasks()
    expect(order).toHaveLength(1)
    expect(Number(order[0]?.split(' ').at(-1))).toBeLessThanOrEqual(64)
  })
})

describe('the time budget', () => {
  it('belongs to the turn: many small drains together use it up, and the rest waits for the next turn', async () => {
    const bench = new Bench(1)
    const handled: number[] = []
    const process = bench.spawn((payload) => {
      bench.now += 0.1
      handled.push(Number(payload))
    })
    // Each message comes in a microtask of its own, so each has a drain of its own.
    for (let message = 0; message < 100; message++) {
      process.deliver(INFO, message)
      await undefined
      await undefined
    }
    const inFirstTurn = handled.length
    expect(inFirstTurn).toBeGreaterThanOrEqual(10)
    expect(inFirstTurn).toBeLessThan(25)
    await microtasks()
    expect(handled).toHaveLength(inFirstTurn)
    await nextTurn()
    expect(handled.length).toBeGreaterThan(inFirstTurn)
    expect(handled.length).toBeLessThan(50)
    while (handled.length < 100) await nextTurn()
    expect(handled).toEqual(Array.from({ length: 100 }, (_, index) => index))
  })

  it('lets I/O through while processes never run out of work', async () => {
    const bench = new Bench(1)
    let handled = 0
    let stopped = false
    const spinner: Process = bench.spawn(() => {
      handled++
      bench.now += 0.01
      if (!stopped) spinner.deliver(INFO, 'again')
    })
    spinner.deliver(INFO, 'go')
    const here = fileURLToPath(import.meta.url)
    for (let file = 0; file < 5; file++) expect(await readFile(here, 'utf8')).toContain('lets I/O through')
    const afterReads = handled
    expect(afterReads).toBeGreaterThan(100)
    stopped = true
    await nextTurn()
    await nextTurn()
    expect(handled).toBeLessThanOrEqual(afterReads + 500)
  })

  it('is shared by what awaited promises set going again', async () => {
    const bench = new Bench(1)
    let handled = 0
    const process: Process = bench.spawn(() => {
      handled++
      bench.now += 0.2
      process.await(Promise.resolve(), () => process.deliver(INFO, 'again'))
    })
    process.deliver(INFO, 'go')
    await microtasks()
    expect(handled).toBeGreaterThanOrEqual(5)
    expect(handled).toBeLessThan(15)
    process.kill()
  })

  it('does not count nor delay ordinary promises', async () => {
    const bench = new Bench(1)
    const process = bench.spawn(() => {
      bench.now += 10
    })
    process.deliver(INFO, 'the whole budget')
    process.deliver(INFO, 'of the next turn')
    await undefined
    await undefined
    let turns = 0
    const turn = nextTurn().then(() => {
      turns++
    })
    for (let count = 0; count < 1000; count++) await undefined
    expect(turns).toBe(0)
    await turn
  })

  it('reads the clock seldom while messages are cheap, and often when they turn out dear', async () => {
    const bench = new Bench(1)
    const process = bench.spawn((cost) => {
      bench.now += Number(cost)
    })
    for (let message = 0; message < 10_000; message++) process.deliver(INFO, 0)
    while (!process.mailbox.empty) await nextTurn()
    expect(bench.looks).toBeLessThan(200)

    let handled = 0
    const dear = bench.spawn(() => {
      handled++
      bench.now += 1
    })
    for (let message = 0; message < 10_000; message++) dear.deliver(INFO, 'dear')
    await microtasks()
    // The first slice may be long, since it was cheap so far; then a turn ends after a few messages.
    await nextTurn()
    await nextTurn()
    await nextTurn()
    await nextTurn()
    const before = handled
    await nextTurn()
    expect(handled).toBeGreaterThan(before)
    expect(handled - before).toBeLessThanOrEqual(4)
    dear.kill()
  })
})

describe('the end of a turn', () => {
  it('comes once per turn in which something ran, and not when nothing did', async () => {
    const bench = new Bench(1)
    const process = bench.spawn(() => {})
    await nextTurn()
    await nextTurn()
    const idle = bench.turnEnds
    process.deliver(INFO, 1)
    process.deliver(INFO, 2)
    await microtasks()
    process.deliver(INFO, 3)
    await nextTurn()
    expect(bench.turnEnds).toBe(idle + 1)
    await nextTurn()
    expect(bench.turnEnds).toBe(idle + 1)
  })

  it('can be asked for', async () => {
    const bench = new Bench(1)
    let called = 0
    bench.runtime.atTurnEnd(() => called++)
    expect(called).toBe(0)
    await nextTurn()
    expect(called).toBe(1)
    await nextTurn()
    expect(called).toBe(1)
  })
})
