/**
 * The loop over the events of a batch. It begins as the functions of `compose`, which serve all flows of a program: the engine makes
 * code fast by what it has seen it do, and those have seen a bit of everything, so each is a call for each event. A step that has had
 * many events gets a loop of its own, made of text, in which the engine sees the functions of that step only and makes them one piece:
 * twice as fast when a program has one flow, 3 times when it has several. No word of users is in that text. Where the program forbids
 * code made of text (`--disallow-code-generation-from-strings`), the functions go on.
 */

import { isPromise } from '../otp/server-behaviour.ts'
import { compose, type Feed, type Push, pushAll, pushRest, spread } from './compose.ts'
import type { FlowStage, MapOperation, Operation } from './operation.ts'

type Events = readonly unknown[]

/** Goes on with a batch: the operation of that place, or what comes behind all of them, answered to one event with a promise. */
type Later = (
  events: Events,
  index: number,
  place: number,
  event: unknown,
  pending: PromiseLike<unknown>,
) => Promise<void>

/** Makes the loop of one accumulator. */
type LoopMaker = (
  isPending: typeof isPromise,
  later: Later,
  last: Push,
  stage: FlowStage,
  ...functions: readonly MapOperation['run'][]
) => Feed

/** Events after which a loop of its own pays for a step: to make it takes as long as some hundred events. */
const MANY = 10_000

/** What the stages and the windows of a step share. */
interface StepCode {
  /** Operations at the beginning that make one event of an event, or none. */
  readonly simple: readonly MapOperation[]
  /** What stands behind them, if anything, and what behind that. */
  readonly next: Operation | undefined
  readonly after: readonly Operation[]
  readonly loop: LoopCode
}

/** The code, and with it what the engine has learned. */
interface LoopCode {
  /** How many events it has had. */
  events: number
  maker: LoopMaker | undefined
}

/** By the operations of a step, which are the same object in each run of a flow. */
const codes = new WeakMap<readonly Operation[], StepCode>()

/** By the name of a step, and what kinds of operations it has. */
const loops = new Map<string, LoopCode>()
const names = new WeakMap<readonly Operation[], string>()

/**
 * Gives the operations of a step a name. A flow of a module is made anew for each run, of other functions with the same texts: its
 * steps go on with the code of those that had the same name.
 */
export function nameStep(operations: readonly Operation[], name: string): void {
  if (operations.length > 0) names.set(operations, name)
}

function loopOf(name: string | undefined, simple: readonly MapOperation[]): LoopCode {
  if (name === undefined) return { events: 0, maker: undefined }
  const key = `${name}: ${simple.map(({ kind }) => kind).join()}`
  const known = loops.get(key) ?? { events: 0, maker: undefined }
  loops.set(key, known)
  return known
}

function codeOf(operations: readonly Operation[]): StepCode {
  const known = codes.get(operations)
  if (known !== undefined) return known
  const each = operations.filter(({ kind }) => PER_EVENT.includes(kind))
  const end = each.findIndex((operation) => !isSimple(operation))
  const simple = (end < 0 ? each : each.slice(0, end)).filter(isSimple)
  const [next, ...after] = each.slice(simple.length)
  const name = names.get(operations)
  if (name !== undefined) nameStep(after, `${name} behind ${simple.length}`)
  const code: StepCode = { simple, next, after, loop: loopOf(name, simple) }
  codes.set(operations, code)
  return code
}

export class HotLoop {
  /** Sends one event through the operations. */
  readonly push: Push
  readonly #code: StepCode
  readonly #stage: FlowStage
  /** What comes behind the simple operations. */
  readonly #rest: Push
  #own: Feed | undefined = undefined

  /** The seen-sets of `uniq` are new. */
  constructor(operations: readonly Operation[], stage: FlowStage, last: Push) {
    this.#stage = stage
    this.#code = codeOf(operations)
    const { simple, next, after } = this.#code
    this.#rest = next === undefined ? last : behind(next, stage, new HotLoop(after, stage, last))
    this.push = compose(simple, stage, this.#rest)
  }

  /** Sends events through the operations, one after another; a promise when they are not through on return. */
  feed(events: Events): void | PromiseLike<void> {
    if (this.#own !== undefined) return this.#own(events)
    const { simple, loop } = this.#code
    const before = loop.events
    loop.events += events.length
    if (loop.events > MANY && simple.length > 0) {
      if (before <= MANY) loop.maker = makerOf(simple)
      this.#own = loop.maker?.(isPromise, this.#later, this.#rest, this.#stage, ...simple.map(({ run }) => run))
    }
    return pushAll(this.push, events)
  }

  readonly #later: Later = (events, index, place, event, pending) => {
    const { simple } = this.#code
    const operation = simple[place]
    if (operation === undefined) return pushRest(this.push, events, index + 1, pending)
    // What it answered to this event is known.
    const answered = { ...operation, run: () => pending }
    const through = compose([answered, ...simple.slice(place + 1)], this.#stage, this.#rest)(event)
    return pushRest(this.push, events, index + 1, through)
  }
}

/** An operation that is not simple, in front of the loop of those behind it. */
function behind(operation: Operation, stage: FlowStage, loop: HotLoop): Push {
  // What one event has become is a batch as well.
  return operation.kind === 'flatMap'
    ? spread(operation, stage, (events) => loop.feed(events))
    : compose([operation], stage, loop.push)
}

const SIMPLE = ['map', 'filter', 'reject']
const PER_EVENT = [...SIMPLE, 'flatMap', 'uniq', 'uniqBy']

function isSimple(operation: Operation): operation is MapOperation {
  return SIMPLE.includes(operation.kind)
}

/**
 * Each has a name, by which the engine tells it from others of the same text, and profilers show it; what begins with `sluice:` no
 * crash report takes for code of the user.
 */
let named = 0

function makerOf(operations: readonly MapOperation[]): LoopMaker | undefined {
  const lines = operations.flatMap(({ kind }, place) => [
    `const result${place} = run${place}(event, stage)`,
    `if (isPending(result${place})) return later(events, index, ${place}, event, result${place})`,
    kind === 'filter' || kind === 'reject'
      ? `if (${kind === 'filter' ? '!' : ''}result${place}) continue`
      : `event = result${place}`,
  ])
  const text = `
    return function step(events) {
      for (let index = 0; index < events.length; index++) {
        let event = events[index]
        ${lines.join('\n        ')}
        const pending = last(event)
        if (pending !== undefined) return later(events, index, ${operations.length}, event, pending)
      }
    }
    //# sourceURL=sluice:flow-step-${++named}.js`
  try {
    const names = operations.map((_, place) => `run${place}`)
    return new Function('isPending', 'later', 'last', 'stage', ...names, text) as LoopMaker
  } catch (error) {
    if (error instanceof EvalError) return undefined
    throw error
  }
}
