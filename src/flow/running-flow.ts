/** A flow that runs, from outside: what it is started with, and what it can be asked. */

import type { ExitReason } from '../process/exit-reason.ts'
import type { Ref } from '../process/ref.ts'
import type { Emits } from '../stage/subscription-options.ts'
import type { Through } from './definition.ts'
import type { Sink } from './layer-stage.ts'
import type { Plan } from './plan.ts'
import type { Deployment } from './workers/deployment.ts'

/** What a flow is to do when it runs. */
export interface CoordinatorOptions {
  readonly plan: Plan
  /** Its layers are in other threads. */
  readonly deployment?: Deployment | undefined
  /** Gives each start a deployment of its own. */
  readonly deploy?: (() => Promise<Deployment | undefined>) | undefined
  /** The last layer consumes: where its events go. */
  readonly sink?: Sink | undefined
  /** Stages that consume what comes out. */
  readonly consumers?: readonly Through[] | undefined
  /** `accumulate` holds the sources back until `forward` is called. Default `forward`. */
  readonly demand?: 'forward' | 'accumulate' | undefined
  /** Milliseconds for a stage that is not ours to answer to a subscription. Default 5000. */
  readonly subscribeTimeout?: number | undefined
  /** A flow that fails ends with the reason, so that its supervisor knows; otherwise with `shutdown`. */
  readonly supervised?: boolean | undefined
  /** Told why the flow failed, by who waits for it: true when the log need not say it as well. */
  readonly failed?: ((reason: ExitReason) => boolean) | undefined
}

/** A flow that runs, for who started it: what its process can be asked. */
export interface RunningFlow<out T> extends Emits<T> {
  /** Lets the sources go that `demand: 'accumulate'` held back. */
  forward(): void
  /** The stages that the events come out of. */
  stages(): readonly Ref<Emits<T>>[]
  /** All stages, group by group, in the order of their start. */
  groups(): readonly (readonly Ref[])[]
}
