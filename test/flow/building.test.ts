import { child, Producer } from 'sluice'
import { Flow, FlowError, Window } from 'sluice/flow'
import { describe, expect, it } from 'vitest'
import { add, append, double, inSimulation, list, numbers, rejection, src, zero } from '../support/flows.ts'

class Nothing extends Producer<number> {
  override handleDemand() {}
}

/** What a misuse that the compiler refuses as well says at run time. */
function refusal(build: () => unknown): string {
  try {
    build()
  } catch (error) {
    if (error instanceof FlowError) return `${error.code}: ${error.message}`
    throw error
  }
  throw new Error('it was expected to throw')
}

describe('a flow is a value', () => {
  it('F1 can be iterated again and again, and building on it does not change it', async () => {
    await inSimulation(async () => {
      const base = src([1, 2, 3])
      const doubled = base.map(double)
      expect(await doubled.toArray()).toEqual([2, 4, 6])
      const again: number[] = []
      for await (const event of doubled) again.push(event)
      expect(again).toEqual([2, 4, 6])
      expect(await base.toArray()).toEqual([1, 2, 3])
    })
  })

  it('F2 does nothing before it runs', async () => {
    await inSimulation(async (sim) => {
      const seen: string[] = []
      const open = () => {
        seen.push('opened')
        return [1]
      }
      src(open)
        .map(() => seen.push('mapped'))
        .partition({ stages: 2 })
        .reduce(zero, add)
      await sim.settle()
      expect(seen).toEqual([])
      expect(sim.processes).toEqual([])
    })
  })

  it('F8 is counted and searched by iterating', async () => {
    await inSimulation(async () => {
      expect(await src([1, 4, 5]).count()).toBe(3)
      expect(await src([1, 4, 5]).includes(4)).toBe(true)
      expect(await src([1, 4, 5]).includes(2)).toBe(false)
    })
  })
})

describe('building a flow refuses', () => {
  it('F3 a flow as a source', () => {
    expect(refusal(() => Flow.from(src([1])))).toMatch(/bad_options: passing a flow.*partition.*merge/)
  })

  it('F4 no sources', () => {
    expect(refusal(() => Flow.fromAll([]))).toMatch(/non-empty array of iterables/)
    expect(refusal(() => Flow.fromStages([]))).toMatch(/non-empty array of running producers/)
    expect(refusal(() => Flow.fromSpecs([]))).toMatch(/non-empty array of child specifications/)
    expect(refusal(() => Flow.from(5 as never))).toMatch(/expected something that can be iterated.*got 5/)
  })

  it('F5 to go through no stages', () => {
    expect(refusal(() => src([1]).throughStages([]))).toMatch(/throughStages expects a non-empty array/)
    expect(refusal(() => src([1]).throughSpecs([]))).toMatch(/throughSpecs expects a non-empty array/)
  })

  it('F6 to partition what is no flow', () => {
    expect(refusal(() => Flow.partition([]))).toMatch(
      /expected one flow or a non-empty array of flows, got an empty array/,
    )
    expect(refusal(() => Flow.shuffle([]))).toMatch(/one flow or a non-empty array of flows/)
    expect(refusal(() => Flow.merge([], 'broadcast'))).toMatch(/one flow or a non-empty array of flows/)
    expect(refusal(() => Flow.partition(42 as never))).toMatch(/one flow or a non-empty array of flows, got 42/)
    expect(refusal(() => src([1]).merge('loudly' as never))).toMatch(/expected 'demand', 'broadcast' or a function/)
  })

  it.each([0, -1, 1.5])('F7 stages: %s', (stages) => {
    expect(refusal(() => src([1], { stages }))).toMatch(/stages of from: expected a whole number >= 1/)
    expect(refusal(() => src([1]).partition({ stages }))).toMatch(/stages of partition/)
  })

  it('F10 a minDemand that is not less than maxDemand, and options that it does not know', () => {
    expect(refusal(() => src([1], { maxDemand: 1, minDemand: 1 }))).toMatch(/minDemand.*less than maxDemand/)
    const misspelt: object = { maxDemnad: 1 }
    expect(refusal(() => Flow.from([1], misspelt))).toMatch(/from has no option maxDemnad/)
  })

  it('F60 two reducers', () => {
    // @ts-expect-error: it does not compile either
    expect(refusal(() => src([1]).reduce(zero, add).reduce(zero, add))).toMatch(/already has a reducer.*onTrigger/)
  })

  it('F61 onTrigger without a reducer', () => {
    // @ts-expect-error: it does not compile either
    expect(refusal(() => src([1]).onTrigger(() => [[], 0]))).toMatch(/a reducer must come first/)
  })

  it('F62 mapBatch behind another operation', () => {
    const batch = (events: readonly number[]) => events
    expect(refusal(() => src([1]).map(double).mapBatch(batch))).toMatch(/must open its step, and map comes before/)
    // @ts-expect-error: it does not compile either
    expect(refusal(() => src([1]).reduce(zero, add).mapBatch(batch))).toMatch(/already has a reducer/)
  })

  it('F63 to map what a reducer emits', () => {
    const emitted = src([1]).reduce(zero, add).emit('state')
    // @ts-expect-error: it does not compile either
    expect(refusal(() => emitted.map(double))).toMatch(/map cannot stand here.*onTrigger.*partition/)
    // @ts-expect-error: it does not compile either
    expect(refusal(() => emitted.flatMap((x: number) => [x]))).toMatch(/flatMap cannot stand here.*onTrigger/)
  })

  it('F64 an accumulator that is no function', () => {
    // @ts-expect-error: it does not compile either
    expect(refusal(() => src([1]).reduce(0, add))).toMatch(/accumulator must be given as a function.*\(\) => 0/)
  })

  it('F65 emission without a reducer, or decided twice', () => {
    const summed = src([1]).reduce(zero, add)
    // @ts-expect-error: it does not compile either
    expect(refusal(() => src([1]).emit('state'))).toMatch(/a reducer must come first/)
    expect(refusal(() => summed.emit('state').emit('nothing'))).toMatch(/has already said/)
    const triggered = summed.onTrigger((sum) => [[sum], sum])
    expect(refusal(() => triggered.onTrigger((sum) => [[sum], sum]))).toMatch(/has already said/)
    expect(refusal(() => summed.emit('loudly' as never))).toMatch(/expected 'events', 'state' or 'nothing', got loudly/)
  })

  it('F67 uniq behind a reducer, and onTrigger behind uniq alone', () => {
    // @ts-expect-error: it does not compile either
    expect(refusal(() => src([1]).reduce(zero, add).uniq())).toMatch(/uniq cannot stand here/)
    const unique = src([1]).uniq()
    // @ts-expect-error: it does not compile either
    expect(refusal(() => unique.onTrigger(() => [[], 0]))).toMatch(/a reducer must come first/)
  })

  it('F90 a key or a hash that is none, also with one stage', () => {
    expect(refusal(() => src([1]).partition({ key: {} as never }))).toMatch(
      /key of partition: expected one of a function/,
    )
    expect(refusal(() => src([1]).partition({ hash: 'even' as never }))).toMatch(
      /hash of partition: expected a function/,
    )
    expect(refusal(() => src([1]).partition({ stages: 2, key: { elem: -1 } }))).toMatch(/key of partition/)
  })

  it('F112 departition and takeSort without a reducer, and to take none', () => {
    // @ts-expect-error: it does not compile either
    expect(refusal(() => src([1]).departition(list, append, (all: unknown) => all))).toMatch(
      /a reducer must come first/,
    )
    // @ts-expect-error: it does not compile either
    expect(refusal(() => src([1]).takeSort(3))).toMatch(/a reducer must come first/)
    expect(
      refusal(() =>
        src([1])
          .reduce(list<number>, append)
          .takeSort(0),
      ),
    ).toMatch(/whole number >= 1, got 0/)
  })
})

describe('making a window refuses', () => {
  it('what is no amount', () => {
    const amount = /expected a whole number >= 1, got/
    for (const wrong of [0, -1, 1.5, Number.NaN, '3' as never]) {
      expect(refusal(() => Window.count(wrong))).toMatch(amount)
      expect(refusal(() => Window.global().triggerEvery(wrong))).toMatch(amount)
      expect(refusal(() => Window.periodic(wrong, 'second'))).toMatch(amount)
      expect(refusal(() => Window.global().triggerPeriodically(wrong, 'second'))).toMatch(amount)
    }
  })

  it('an unknown unit', () => {
    const unit = /unknown unit 'seconds', expected 'millisecond', 'second', 'minute' or 'hour'/
    expect(refusal(() => Window.periodic(1, 'seconds' as never))).toMatch(unit)
    expect(refusal(() => Window.global().triggerPeriodically(1, 'seconds' as never))).toMatch(unit)
  })

  it('a time that it cannot find, and lateness that is none', () => {
    const fixed = Window.fixed(1, 'second', (x: number) => x)
    expect(refusal(() => Window.fixed(0, 'second', 'at'))).toMatch(/fixed: expected a whole number >= 1, got 0/)
    expect(refusal(() => Window.fixed(1, 'days' as never, 'at'))).toMatch(/fixed: unknown unit 'days'/)
    expect(refusal(() => Window.fixed(1, 'second', 7 as never))).toMatch(
      /fixed: expected by to be a function of an event, or the name of a property, got 7/,
    )
    expect(refusal(() => fixed.allowedLateness(0.5, 'second'))).toMatch(/allowedLateness: expected a whole number/)
    expect(refusal(() => fixed.allowedLateness(1, 'weeks' as never))).toMatch(/allowedLateness: unknown unit 'weeks'/)
    const options: object = { openlate: true }
    expect(refusal(() => fixed.allowedLateness(1, 'second', options))).toMatch(
      /allowedLateness has no option openlate: did you mean openLate\? Known is openLate/,
    )
    expect(refusal(() => fixed.allowedLateness(1, 'second', { openLate: 'yes' as never }))).toMatch(
      /openLate of allowedLateness: expected a boolean, got 'yes'/,
    )
  })

  it('a second trigger that looks at events', () => {
    const once = /only once per window/
    const triggered = Window.global<number>().triggerEvery(3).triggerPeriodically(1, 'second')
    // @ts-expect-error: it does not compile either
    expect(refusal(() => triggered.triggerEvery(3))).toMatch(once)
    // @ts-expect-error: it does not compile either
    expect(refusal(() => triggered.trigger(zero, (_events, state: number) => ({ state })))).toMatch(once)
    const late = Window.fixed(1, 'second', (x: number) => x)
      .triggerEvery(3)
      .allowedLateness(1, 'second')
    // @ts-expect-error: it does not compile either
    expect(refusal(() => late.triggerEvery(3))).toMatch(once)
    // @ts-expect-error: it does not compile either
    expect(refusal(() => late.trigger(zero, (_events, state: number) => ({ state })))).toMatch(once)
  })

  it('a trigger that is not made of functions', () => {
    const keep = (_events: readonly number[], state: number) => ({ state })
    expect(refusal(() => Window.global<number>().trigger(0 as never, keep))).toMatch(
      /accumulator must be given as a function that makes it, \(\) => 0/,
    )
    expect(refusal(() => Window.global<number>().trigger(zero, 'every' as never))).toMatch(
      /trigger: expected a function of events and a state, got 'every'/,
    )
  })

  it('lateness of what has no watermark', () => {
    // @ts-expect-error: it does not compile either
    expect(refusal(() => Window.count(3).allowedLateness(1, 'second'))).toMatch(/not supported for a count window/)
    // @ts-expect-error: it does not compile either
    expect(refusal(() => Window.global().triggerEvery(3).allowedLateness(1, 'second'))).toMatch(
      /not supported for a global window/,
    )
  })
})

describe('running a flow refuses', () => {
  it('F9 one without a source', async () => {
    await inSimulation(async () => {
      const flow = new Flow({ source: undefined, options: {}, operations: [] })
      expect(await rejection(flow.run())).toMatchObject({
        code: 'bad_flow',
        message: expect.stringContaining('without producers'),
      })
    })
  })

  it('F208 a window on a step that computes nothing', async () => {
    await inSimulation(async () => {
      const window = Window.global()
      const error = { code: 'bad_flow', message: expect.stringContaining('nothing to act on') }
      expect(await rejection(src([1], { window }).toArray())).toMatchObject(error)
      expect(await rejection(src([1]).partition({ window, stages: 2 }).run())).toMatchObject(error)
      expect(await rejection(src([1]).shuffle({ window }).take(1))).toMatchObject(error)
      expect(await rejection(Flow.fromSpecs([child(Nothing)], { window }).start())).toMatchObject(error)
    })
  })

  it('F66 nothing when emit("events") is followed by onTrigger', async () => {
    await inSimulation(async () => {
      const flow = src(numbers(1, 3))
        .reduce(zero, add)
        .emit('events')
        .onTrigger((sum) => [[sum], sum])
      expect(await flow.toArray()).toEqual([6])
    })
  })
})
