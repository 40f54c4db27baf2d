/** The two sides of a join, in one of its stages: batches come from either, and whose batch is in hand decides whom it meets. */

import type { Ref } from '../../process/ref.ts'
import { Subscription } from '../../stage/subscription.ts'
import type { Intake } from '../intake.ts'
import type { Join } from './join.ts'

export class Sides implements Intake {
  readonly join: Join
  readonly #left: ReadonlySet<Ref>
  /** The batch in hand is from the left. */
  left = true

  /** `left` are the stages that the left events come from. */
  constructor(join: Join, left: readonly Ref[]) {
    this.join = join
    this.#left = new Set(left)
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
