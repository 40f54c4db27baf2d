/** Options of what makes a flow run. */

import type { StartOptions } from '../otp/start.ts'
import type { ChildOptions } from '../otp/supervision/child-spec.ts'
import type { Dispatcher } from '../stage/dispatchers/dispatcher.ts'
import type { OptionReader } from '../stage/option-reader.ts'
import type { SubscriptionOptions } from '../stage/subscription-options.ts'
import type { Workers } from '../worker/workers.ts'
import type { FlowCoordinator } from './coordinator.ts'
import { flowOptions } from './option-reader.ts'
import type { ThroughSpec, ThroughStage } from './through.ts'

/** Options of a flow that runs by itself. */
export interface StartFlowOptions extends Omit<StartOptions<FlowCoordinator>, 'timeout'> {
  /** `accumulate` starts the stages and holds the sources back until `coordinator.cast.forward()`. Default `forward`. */
  readonly demand?: 'forward' | 'accumulate' | undefined
  /** The flow is linked to the program: it ends with it, and it with the flow when that is killed. Default true. */
  readonly link?: boolean | undefined
  /** Runs the flow, which is one of a module, in worker threads: so many that start and end with it, or `new Workers({ size })`. */
  readonly workers?: number | Workers | undefined
}

/** Options of a flow whose events others consume. */
export interface IntoOptions extends StartFlowOptions {
  /** Who gets which event. Default by demand. */
  readonly dispatcher?: (() => Dispatcher) | undefined
  /** Milliseconds for a consumer to answer to a subscription. Default 5000. */
  readonly subscribeTimeout?: number | undefined
}

/** Options of a flow that is the child of a supervisor. */
export interface FlowChildOptions<T> extends ChildOptions, Omit<IntoOptions, 'link'> {
  /** Consumers that run, for its events: their names, so that each start finds those that run then. Default: none. */
  readonly intoStages?: readonly ThroughStage<T, unknown>[] | undefined
  /** Consumers that are started with it, for its events. Default: none. */
  readonly intoSpecs?: readonly ThroughSpec<T, unknown>[] | undefined
}

/** Options of what waits for a flow. */
export interface FlowRunOptions {
  /** Stops the flow; what waits for it rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined
  /**
   * Runs the flow in worker threads: so many that are started for it, or `new Workers({ size })`, which can run one flow after another.
   * The flow is a function of a module (`defineFlow`). Steps that do not say how many `stages` they have get one for each worker.
   * Default: all in this thread.
   */
  readonly workers?: number | Workers | undefined
}

/** Options of a loop over the events of a flow; `maxDemand` and `minDemand` are those of the loop. */
export interface FlowStreamOptions extends FlowRunOptions, Pick<SubscriptionOptions, 'maxDemand' | 'minDemand'> {}

/** @throws `FlowError` `bad_options`. */
export function checkRunOptions(what: string, options: unknown, more: readonly string[] = []): void {
  const read = flowOptions(what, options, ['signal', 'workers', ...more])
  const signal = read.get('signal')
  if (signal !== undefined && !(signal instanceof AbortSignal)) throw read.bad('signal', 'an AbortSignal')
  checkWorkers(read)
}

/** @throws `FlowError` `bad_options`. */
export function checkWorkers(read: OptionReader): void {
  const workers = read.get('workers')
  if (workers === undefined || isWorkers(workers)) return
  if (!Number.isSafeInteger(workers) || Number(workers) < 1) {
    throw read.bad('workers', 'how many, a whole number >= 1, or new Workers({ size })')
  }
}

/** By what it can do: the class would load worker threads. */
function isWorkers(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'size' in value && 'at' in value && 'stop' in value
}
