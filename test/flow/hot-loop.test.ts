import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import fc from 'fast-check'
import { Flow, range } from 'sluice/flow'
import { describe, expect, it } from 'vitest'
import { compose, pushAll } from '../../src/flow/compose.ts'
import { HotLoop } from '../../src/flow/hot-loop.ts'
import type { Operation } from '../../src/flow/operation.ts'
import { inSimulation } from '../support/flows.ts'

const MANY = 20_000
const stage = { index: 0, total: 1, signal: new AbortController().signal }

describe('the loop of a step that has had many events', () => {
  const kind = fc.constantFrom('map', 'filter', 'reject', 'flatMap', 'uniq')
  /** An operation, and of which events its answer is a promise. */
  const operation = fc.tuple(kind, fc.constantFrom(0, 1, 3))

  /** Writes down what it is called with, so that the order of all calls counts. */
  const operationOf = (kind: string, place: number, later: number, calls: string[]): Operation => {
    const answer = (event: unknown, value: unknown) => {
      calls.push(`${place}(${event})`)
      return later > 0 && Number(event) % later === 0 ? Promise.resolve(value) : value
    }
    switch (kind) {
      case 'map':
        return { kind, run: (event) => answer(event, Number(event) + place) }
      case 'filter':
      case 'reject':
        return { kind, run: (event) => answer(event, Number(event) % 4 === place ? '' : event) }
      case 'flatMap':
        return { kind, run: (event) => answer(event, [event, event]) }
      default:
        return { kind: 'uniq', key: (event) => event }
    }
  }

  it('does what the functions do, in the same order, whatever is a promise', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(operation, { maxLength: 5 }), fc.array(fc.nat(20)), async (chosen, events) => {
        const calls: string[] = []
        const through: unknown[] = []
        const operations = chosen.map(([kind, later], place) => operationOf(kind, place, later, calls))
        const last = (event: unknown) => void through.push(event)
        const loop = new HotLoop(operations, stage, last)
        await loop.feed(new Array(MANY).fill(21.5))
        calls.length = through.length = 0
        await loop.feed(events)
        const observed = [[...calls], [...through]]
        calls.length = through.length = 0
        await pushAll(compose(operations, stage, last), events)
        expect(observed).toEqual([calls, through])
      }),
      { numRuns: 50 },
    )
  })

  it('is used, and begins before the last of the events', async () => {
    let stack = ''
    const numbers = Flow.from(range(1, MANY)).map((n) => {
      if (n === MANY) stack = new Error('here').stack ?? ''
      return n
    })
    expect(await numbers.count()).toBe(MANY)
    expect(stack).toContain('sluice:flow-step-')
  })

  it('is used behind a flatMap, too', async () => {
    const stacks = new Set<boolean>()
    let count = 0
    const look = () => {
      if (count++ % 1_000 === 0) stacks.add(new Error('here').stack?.includes('sluice:flow-step-') === true)
    }
    const numbers = Flow.from(range(1, MANY / 500)).flatMap((n) => new Array<number>(500).fill(n))
    expect(await numbers.map(look).count()).toBe(MANY)
    expect(stacks).toEqual(new Set([false, true]))
  })

  it('fails as the functions do', async () => {
    const failing = Flow.from(range(1, MANY)).map((n) => {
      if (n === MANY) throw new Error('the last one')
      return n
    })
    await inSimulation(async () => {
      const cause = expect.objectContaining({ message: 'the last one' })
      for (const _run of [1, 2]) await expect(failing.run()).rejects.toMatchObject({ code: 'failed', cause })
    })
  })

  it('waits for a promise among many events', async () => {
    const waited = Flow.from(range(1, MANY))
      .map((n) => (n % 5_000 === 0 ? Promise.resolve(-n) : n))
      .filter((n) => (n === -10_000 ? Promise.resolve(false) : n < 0))
    expect(await waited.toArray()).toEqual([-5_000, -15_000, -20_000])
  })

  it('is done without where code made of text is forbidden', async () => {
    const program = `
      import { Flow, range } from 'sluice/flow'
      let allowed = true
      try { new Function('') } catch { allowed = false }
      const count = await Flow.from(range(1, ${MANY})).map((n) => n + 1).filter((n) => n % 2 === 0).count()
      console.log(JSON.stringify({ allowed, count }))`
    const flags = ['--disallow-code-generation-from-strings', '--input-type=module', '--eval', program]
    const { stdout } = await promisify(execFile)(process.execPath, flags)
    expect(JSON.parse(stdout)).toEqual({ allowed: false, count: MANY / 2 })
  })
})
