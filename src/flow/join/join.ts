/** Joins: the events of two flows that have the same key, brought together. Here what a join is, and its types. */

import { stablePartition } from '../../otp/stable-hash.ts'
import type { Eventually, FlowStage } from '../operation.ts'
import type { Route, StepOptions } from '../step-options.ts'

/** Which events without a partner make a row, with `null` in its place: none, those of the left, of the right, of both sides. */
export type JoinMode = 'inner' | 'left_outer' | 'right_outer' | 'full_outer'

/** Options of the stages of a join. */
export type JoinOptions = Omit<StepOptions, 'window'>

/** A left event as the function of a join gets it. */
export type JoinedLeft<Mode extends JoinMode, L> = Mode extends 'right_outer' | 'full_outer' ? L | null : L

/** A right event as the function of a join gets it. */
export type JoinedRight<Mode extends JoinMode, R> = Mode extends 'left_outer' | 'full_outer' ? R | null : R

/** The key of an event of a join; for what cannot be a key, what the compiler says. */
export type JoinKey<K> = [K] extends [PromiseLike<unknown>]
  ? 'the key of a join cannot be a promise: the function of a key is not async'
  : [K] extends [NoKey]
    ? 'this cannot be the key of a join: take a string, a number or another plain value from it'
    : K

/** The key of the right side, which must be able to equal one of the left. */
export type SameJoinKey<Left, Right> = [Extract<Left, Right> | Extract<Right, Left>] extends [never]
  ? 'the keys of both sides of a join must be of one type, or they never are equal'
  : JoinKey<Right>

type NoKey = Date | symbol | ((...args: never) => unknown) | ReadonlyMap<unknown, unknown> | ReadonlySet<unknown>

/** What a join does; for this layer. */
export interface Join {
  readonly mode: JoinMode
  leftKey(event: unknown): unknown
  rightKey(event: unknown): unknown
  join(left: unknown, right: unknown, stage: FlowStage): Eventually<unknown>
}

/** How the events of one side find their stage. */
export function keyRoute(keyOf: (event: unknown) => unknown): Route {
  return (partitions) => (event) => {
    const key = keyOf(event)
    // With one place to go only what might be no key needs a look.
    if (partitions === 1 && (typeof key === 'string' || typeof key === 'number')) return 0
    return stablePartition(key, partitions)
  }
}
