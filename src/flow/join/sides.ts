/** The two sides of a join, in one of its stages: batches come from either, and whose batch is in hand decides whom it meets. */

import type { Ref } from '../../process/ref.ts'
import { Subscription } from '../../stage/subscription.ts'
import type { Intake } from '../intake.ts'
import type { Join } from './join.ts'

export class Sides implements Intake {
  readonly join: Join
  #left: ReadonlySet<Ref> = new Set()
  /** The batch in hand is from the left. */
  left = true

  constructor(join: Join) {
    this.join = join
  }

  /** The stages that the left events come from: to be told before any subscribes. */
  leftComesFrom(stages: readonly Ref[]): void {
    this.#left = new Set(stages)
  }

  batch(arrived: readonly unknown[], from: object): readonly unknown[] {
    this.turn(from)
    return arrived
  }

  /** What comes next is from this producer. */
  turn(from: object): void {
    this.left = from instanceof Subscription && this.#left.has(from.producer)
  }

  end(): readonly unknown[] {
    return []
  }
}
