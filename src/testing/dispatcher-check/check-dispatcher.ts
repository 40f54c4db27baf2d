/** Tries a dispatcher out: random consumers, demands and events, by itself and in real stages, against the rules of all. */

import { currentRuntime } from '../../process/runtime.ts'
import type { Dispatcher } from '../../stage/dispatchers/dispatcher.ts'
import { StageError } from '../../stage/errors.ts'
import type { SubscriptionOptions } from '../../stage/subscription-options.ts'
import { defaultSeed, seededRandom } from '../random.ts'
import { simulate } from '../simulation.ts'
import { tryAlone } from './alone.ts'
import { DispatcherCheckError, type Setting } from './rules.ts'
import { tryStaged } from './staged.ts'
import { randomSteps, type Step, shortest } from './steps.ts'
import type { Candidate, Failure } from './trial.ts'

export interface DispatcherCheckOptions<Out> {
  /** Whether an event goes to one consumer, or to each that is there and wants it. Default `once`. */
  readonly delivers?: 'once' | 'to_all' | undefined
  /** It may keep events that it took, for a consumer that has not asked yet. Default false. */
  readonly keeps?: boolean | undefined
  /** Makes event number `nth`; each has to be another one. Default the number. */
  event?(nth: number): Out
  /**
   * The options of the next subscription, given those of the subscriptions that are there; `undefined` when nobody can
   * come now. Default none.
   */
  subscription?(present: readonly SubscriptionOptions<never>[], nth: number): SubscriptionOptions<never> | undefined
  /** Whether a consumer may get an event. Default what its `selector` says, if it has one. */
  wants?(event: Out, options: SubscriptionOptions<never>): boolean
  /** Whether an event is for nobody, so that it is taken and goes nowhere. Default false. */
  drops?(event: Out): boolean
  /** Only events with the same answer have to stay in order. Default all the same. */
  lane?(event: Out): unknown
  /** How many times it is tried by itself; a tenth as often in real stages. Default 500. */
  readonly runs?: number | undefined
  /** Steps of a trial at most. Default 40. */
  readonly longest?: number | undefined
  /** Number of the first trial: the same again does the same. Default another each time, or as `SLUICE_SEED` says; told when a rule is broken. */
  readonly seed?: number | undefined
}

/** Trials by itself for one in real stages, which takes longer. */
const STAGED_EVERY = 10

/**
 * Tries a dispatcher out. Consumers come, ask, and go or crash, events and infos come, in random order and number. Whatever
 * happens, each event has to reach those that it must, once, in order, and nobody who has not asked; demand that a consumer
 * left behind has to be inherited, and nothing may wait that somebody wants.
 *
 * @throws `DispatcherCheckError` with the rule that was broken, and the shortest way there that was found.
 *
 * @example
 * ```ts
 * import { BroadcastDispatcher, FairDispatcher } from 'sluice'
 * import { checkDispatcher } from 'sluice/testing'
 *
 * await checkDispatcher(() => new FairDispatcher())
 * await checkDispatcher(() => new BroadcastDispatcher(), { delivers: 'to_all' })
 * ```
 */
export async function checkDispatcher<Out = number>(
  make: () => Dispatcher<Out>,
  options: DispatcherCheckOptions<Out> = {},
): Promise<void> {
  const { runs = 500, longest = 40, seed: first = defaultSeed() } = options
  const candidate = candidateOf(make, options)
  const sample = make()
  if (sample === make()) {
    const text = 'it is the same object each time: give a function that makes a new one'
    throw new DispatcherCheckError(sample.constructor.name, { rule: 'shared', text }, first, 'by itself', [])
  }
  for (let seed = first; seed < first + runs; seed++) {
    const random = seededRandom(seed)
    const steps = randomSteps(random, longest)
    const eager = random() < 0.5
    const inSettings: [Setting, (steps: readonly Step[]) => Promise<Failure | undefined>][] = [
      ['by itself', (steps) => simulate({ seed }).run(() => tryAlone(candidate, steps, eager, currentRuntime()))],
    ]
    if ((seed - first) % STAGED_EVERY === 0) {
      inSettings.push(['in real stages', (steps) => tryStaged(candidate, steps, eager, seed)])
    }
    for (const [setting, attempt] of inSettings) {
      const failure = await attempt(steps)
      if (failure === undefined) continue
      const { rule } = failure.breach
      const { breach, trace } = await shortest(steps, failure, async (fewer) => {
        const found = await attempt(fewer)
        return found?.breach.rule === rule ? found : undefined
      })
      throw new DispatcherCheckError(sample.constructor.name, breach, seed, setting, trace)
    }
  }
}

function candidateOf<Out>(make: () => Dispatcher<Out>, options: DispatcherCheckOptions<Out>): Candidate {
  const given: DispatcherCheckOptions<unknown> = options
  const { delivers = 'once', keeps = false } = given
  if (delivers !== 'once' && delivers !== 'to_all') {
    throw new StageError(
      'bad_options',
      `delivers of checkDispatcher: expected 'once' or 'to_all', got ${String(delivers)}`,
    )
  }
  return {
    toAll: delivers === 'to_all',
    keeps,
    make,
    event: (nth) => given.event?.(nth) ?? nth,
    subscription: (present, nth) => (given.subscription === undefined ? {} : given.subscription(present, nth)),
    wants: (event, subscription) => given.wants?.(event, subscription) ?? selects(subscription, event),
    drops: (event) => given.drops?.(event) ?? false,
    lane: (event) => given.lane?.(event),
  }
}

function selects({ selector }: SubscriptionOptions<never>, event: unknown): boolean {
  return selector === undefined || Reflect.apply(selector, undefined, [event]) === true
}
