import { defineFlow, Flow, FlowError, runFlow } from 'sluice/flow'
import { describe, expect, it } from 'vitest'
import { definitionOf } from '../../../src/flow/any-flow.ts'
import { remainders, three } from '../../support/flow-modules/counts.ts'
import { inSimulation, rejection } from '../../support/flows.ts'

const counts = [
  [0, 3],
  [1, 4],
  [2, 3],
]
const inOrder = (pairs: readonly (readonly [number, number])[]) => pairs.toSorted(([a], [b]) => a - b)

describe('a flow of a module', () => {
  it('runs with its parameters and gives all events', async () => {
    await inSimulation(async () => {
      expect(inOrder(await runFlow(remainders, { last: 10, by: 3 }))).toEqual(counts)
      expect(await runFlow(three)).toEqual([10, 20, 30])
      expect(await runFlow(three, undefined, { signal: new AbortController().signal })).toEqual([10, 20, 30])
    })
  })

  it('is a flow that can be run as any other', async () => {
    await inSimulation(async () => {
      const flow = remainders.flow({ last: 10, by: 3 })
      expect(inOrder(await flow.toArray())).toEqual(counts)
      expect(await flow.count()).toBe(3)
      expect(await three.flow().first()).toBe(10)
    })
  })

  it('knows which flow of which module it is, until something is added', () => {
    const flow = remainders.flow({ last: 10, by: 3 })
    const { url } = remainders
    expect(url).toMatch(/counts\.ts$/)
    expect(definitionOf(flow).origin).toMatchObject({ url, place: 0, params: { last: 10, by: 3 } })
    // Tests run on what Vite made of the sources.
    expect(definitionOf(flow).origin?.bundled).toBe(true)
    expect(definitionOf(three.flow()).origin).toMatchObject({ url, place: 1 })
    expect(definitionOf(flow.shuffle().map((pair) => pair)).origin).toBeUndefined()
    expect(definitionOf(Flow.from([1])).origin).toBeUndefined()
  })

  it('gets a copy of its parameters, as in another thread', async () => {
    const list = defineFlow(import.meta, ({ numbers }: { readonly numbers: readonly number[] }) => Flow.from(numbers))
    const numbers = [1, 2]
    const flow = list.flow({ numbers })
    numbers.push(3)
    await inSimulation(async () => expect(await flow.toArray()).toEqual([1, 2]))
  })
})

describe('parameters', () => {
  const any = defineFlow(import.meta, (given: { readonly value: unknown }) => Flow.from([given.value]))
  class Money {
    readonly cents = 1
  }
  const circle: { self?: unknown; list: unknown[] } = { list: [] }
  circle.self = circle
  circle.list.push(circle)

  it.each([
    ['params.value is a function', () => 1],
    ['params.value is a symbol', Symbol('s')],
    ['params.value.filters[1] is a function', { filters: [1, () => 1] }],
    ["params.value.get('by') is a function", new Map([['by', () => 1]])],
    ['an element of params.value is a function', new Set([() => 1])],
    ['a key of params.value is a Money', new Map([[new Money(), 1]])],
    ['params.value.price is a Money, which cannot be copied', { price: new Money() }],
    ['params.value.at is a URL', { at: new URL('file:///a') }],
    ['params.value is a Promise', Promise.resolve(1)],
  ])('are refused where %s', (message, value) => {
    expect(() => any.flow({ value })).toThrow(
      expect.objectContaining({ name: 'FlowError', code: 'bad_options', message: expect.stringContaining(message) }),
    )
  })

  it.each([
    [undefined],
    [1n],
    [new Date(5)],
    [/a/u],
    [new Uint8Array([1, 2])],
    [new Map([['a', [1]]])],
    [new Set([1])],
    [Object.create(null)],
    [circle],
  ])('may be %o', (value) => {
    expect(definitionOf(any.flow({ value })).origin?.params).toEqual({ value })
  })
})

describe('defineFlow', () => {
  it('refuses what is no import.meta, no function, and a function that gives no flow', async () => {
    expect(() => defineFlow({} as never, () => Flow.from([1]))).toThrow('expected import.meta of the module first')
    expect(() => defineFlow(import.meta, 5 as never)).toThrow('defineFlow: expected a function, got 5')
    const wrong = defineFlow(import.meta, () => [1, 2] as never)
    expect(await rejection(runFlow(wrong))).toMatchObject({
      code: 'bad_flow',
      message: expect.stringMatching(/defineFlow in .*flow-module\.test\.ts returned an array of 2, not a flow/),
    })
    expect(await rejection(runFlow(Flow.from([1]) as never))).toBeInstanceOf(FlowError)
  })
})
