/** One trial of a dispatcher: what both settings, by itself and in real stages, have in common. */

import type { Dispatcher } from '../../stage/dispatchers/dispatcher.ts'
import type { SubscriptionOptions } from '../../stage/subscription-options.ts'
import type { DispatcherKind, Referee } from './referee.ts'
import type { Breach } from './rules.ts'
import type { Step } from './steps.ts'

/** What is tried: made from the options of `checkDispatcher`. */
export interface Candidate extends DispatcherKind {
  make(): Dispatcher
  event(nth: number): unknown
  /** The options of the next subscription, given those of the ones that are there; nothing when nobody can come. */
  subscription(present: readonly SubscriptionOptions<never>[], nth: number): SubscriptionOptions<never> | undefined
}

/** A breach, and what led to it. */
export interface Failure {
  readonly breach: Breach
  readonly trace: readonly string[]
}

/** Where steps are done. What takes effect later has done so after `rest`. */
export interface Place {
  subscribe(options: SubscriptionOptions<never>): void | Promise<void>
  ask(who: number, count: number): void
  leave(who: number, killed: boolean): void
  emit(count: number): void
  info(): void
  /** The producer emits no more. */
  close(): void
  /** Waits until nothing is on its way. */
  rest(): void | Promise<void>
  /** The options of those who are there. */
  readonly present: readonly SubscriptionOptions<never>[]
}

/** More than this come only where each has a place of its own. */
const MOST_CONSUMERS = 8
/** When so many have come, an eager producer waits: consumers that want none of them would keep it busy for ever. */
export const MOST_EVENTS = 2000
const LAST_ROUNDS = 20

/** Does the steps, then lets everybody ask for everything, so that nothing has a reason to wait. */
export async function runTrial(
  candidate: Candidate,
  steps: readonly Step[],
  referee: Referee,
  place: Place,
): Promise<Failure | undefined> {
  let subscriptions = 0
  const subscribe = async (): Promise<boolean> => {
    const options = candidate.subscription(place.present, subscriptions)
    if (options === undefined) return false
    subscriptions++
    await place.subscribe(options)
    return true
  }
  const rest = async (): Promise<void> => {
    await place.rest()
    if (referee.breach === undefined) referee.rests()
  }
  try {
    for (const step of steps) {
      if (step.do === 'rest') await rest()
      else if (step.do === 'subscribe') {
        if (place.present.length < MOST_CONSUMERS) await subscribe()
      } else if (step.do === 'emit') place.emit(step.count)
      else if (step.do === 'info') place.info()
      else if ('who' in step && place.present.length > 0) {
        const who = step.who % place.present.length
        if (step.do === 'ask') place.ask(who, step.count)
        else place.leave(who, step.do === 'kill')
      }
      if (referee.breach !== undefined) break
    }
    await rest()
    // A dispatcher that keeps events needs all for whom it may keep them.
    for (let missing = candidate.keeps ? 2 * MOST_CONSUMERS : 1; missing > place.present.length; missing--) {
      if (referee.breach !== undefined || !(await subscribe())) break
    }
    if (referee.debt > 0) place.emit(referee.debt)
    await rest()
    place.close()
    for (let round = 0; round < LAST_ROUNDS && referee.breach === undefined && referee.open > 0; round++) {
      for (const who of place.present.keys()) place.ask(who, referee.open)
      await rest()
    }
    if (referee.breach === undefined) referee.ends()
  } catch (thrown) {
    referee.threw(thrown)
  }
  const { breach, trace } = referee
  return breach === undefined ? undefined : { breach, trace }
}
