/** Making a flow run: its stages are started for the program, and what became of it is told to who waits. */

import { StartError } from '../otp/errors.ts'
import { launch, planStart, type StartOptions } from '../otp/start.ts'
import { describeReason, type ExitReason } from '../process/exit-reason.ts'
import type { Process } from '../process/process.ts'
import { type Ref, typedRef } from '../process/ref.ts'
import { currentRuntime } from '../process/runtime.ts'
import { readStages, type StreamSource } from '../stage/interop/stream.ts'
import type { Emits } from '../stage/subscription-options.ts'
import { FlowCoordinator } from './coordinator.ts'
import type { StepDefinition } from './definition.ts'
import { FlowError } from './errors.ts'
import type { Eventually, FlowStage } from './operation.ts'
import { planFlow } from './plan.ts'
import type { FlowRunOptions, FlowStreamOptions } from './run-options.ts'
import type { CoordinatorOptions } from './running-flow.ts'
import { deploy } from './workers/deploy.ts'
import type { Deployment } from './workers/deployment.ts'
import { explainedFrom } from './workers/lost-event.ts'
import type { WorkerRun } from './workers/worker-run.ts'

/** Starts the stages of a flow. @throws `StartError`, also `ignore` when all specifications declined. */
export async function startFlow(
  parent: Process,
  link: boolean,
  options: CoordinatorOptions,
  start: StartOptions<FlowCoordinator> = {},
): Promise<Ref<FlowCoordinator>> {
  const plan = planStart(FlowCoordinator, { ...start, arg: () => options })
  return typedRef<FlowCoordinator>(await launch(plan, parent, link, 0))
}

/** Runs a flow to its end; what comes out goes to `sink`, or nowhere. @throws `FlowError` `failed`, `stopped`. */
export async function runDefinition<T>(
  flow: StepDefinition,
  sink: ((events: readonly T[], stage: FlowStage) => Eventually<void>) | undefined,
  options: FlowRunOptions = {},
): Promise<void> {
  const output = sink === undefined ? 'none' : 'events'
  await runTo(flow, sink ?? drop, output, output, options)
}

/** How many events come out of a flow; workers count their own. @throws as `runDefinition`. */
export async function countDefinition(flow: StepDefinition, options: FlowRunOptions = {}): Promise<number> {
  let count = 0
  const add = (counts: readonly unknown[]): void => {
    for (const each of counts) count += Number(each)
  }
  const addAll = (events: readonly unknown[]): void => {
    count += events.length
  }
  await runTo(flow, options.workers === undefined ? addAll : add, 'events', 'count', options)
  return count
}

/** Runs a flow to its end, in this thread or, where it may end in another way, in workers. */
async function runTo<T>(
  flow: StepDefinition,
  sink: (events: readonly T[], stage: FlowStage) => Eventually<void>,
  output: 'events' | 'none',
  ending: WorkerRun['ending'],
  { signal, workers }: FlowRunOptions,
): Promise<void> {
  signal?.throwIfAborted()
  const deployment = await deploy(flow, workers, ending)
  const plan = deployment?.plan ?? planFlow(flow, { kind: 'consumers', output })
  try {
    await runPlan({ plan, deployment, sink }, signal)
  } finally {
    await deployment?.stop()
  }
}

async function runPlan(options: CoordinatorOptions, signal: AbortSignal | undefined): Promise<void> {
  const end = new End()
  const coordinator = await end.started(startFlow(currentRuntime().main, false, { ...options, failed: end.failed }))
  if (coordinator === undefined) return
  const stop = (): void => void coordinator.stop().catch(() => {})
  signal?.addEventListener('abort', stop)
  // It may have been aborted while the stages were started.
  if (signal?.aborted) stop()
  try {
    const reason = await coordinator.done
    signal?.throwIfAborted()
    end.check(reason)
  } finally {
    end.left()
    signal?.removeEventListener('abort', stop)
  }
}

function drop(): void {}

/** The events of a flow, one by one; every iteration runs it anew, and leaving it stops the flow. */
export function iterateFlow<T>(
  flow: StepDefinition,
  { signal, workers, ...demand }: FlowStreamOptions,
): AsyncIterator<T, undefined, undefined> {
  const end = new End()
  let coordinator: Ref<FlowCoordinator> | undefined
  let owned = false
  let deployment: Deployment | undefined
  const source: StreamSource<T> = {
    async open() {
      deployment = await deploy(flow, workers, 'producers')
      const plan = deployment?.plan ?? planFlow(flow, { kind: 'producers', dispatch: { kind: 'demand' } })
      owned = plan.last.some((place) => ['layer', 'iterables', 'specs'].includes(plan.groups[place]?.kind ?? ''))
      const options: CoordinatorOptions = { plan, deployment, demand: 'accumulate', failed: end.failed }
      coordinator = await end.started(startFlow(currentRuntime().main, false, options))
      const stages = coordinator === undefined ? [] : await lastStagesOf(coordinator, end)
      return stages.map((stage) => ({
        to: typedRef<{ readonly $emits: T }>(stage),
        options: { ...demand, cancel: 'transient' },
      }))
    },
    subscribed: () => coordinator?.cast.forward(),
    async ended() {
      if (coordinator !== undefined && owned) end.check(await coordinator.done)
    },
    async close() {
      if (coordinator?.alive) await coordinator.stop().catch(() => {})
      await deployment?.stop()
      end.left()
    },
    failure(error) {
      const { reason } = error
      if (reason === undefined) return error
      return end.failure(
        deployment === undefined ? reason : explainedFrom(deployment.plan, deployment.plan.last, reason),
      )
    },
  }
  return readStages(source, signal)
}

/** The stages to read; none when the flow has ended before it was asked. */
async function lastStagesOf(coordinator: Ref<FlowCoordinator>, end: End): Promise<readonly Ref<Emits<unknown>>[]> {
  try {
    return await coordinator.call.stages()
  } catch (error) {
    if (coordinator.alive) throw error
    end.check(await coordinator.done)
    return []
  }
}

/** How a flow ended, for who waits for it. */
class End {
  #failure: ExitReason | undefined = undefined
  #told = false
  #left = false

  /** The first failure is told; whatever else fails by itself is left to the log, and so is what nobody waits for any more. */
  readonly failed = (reason: ExitReason): boolean => {
    if (this.#left) return false
    this.#failure ??= reason
    return this.#failure === reason
  }

  /** Nobody waits any more: a failure that nobody has been told of goes to the log. */
  left(): void {
    this.#left = true
    if (this.#failure === undefined || this.#told) return
    const text = `a flow failed, which its reader had left by then: ${describeReason(this.#failure)}`
    currentRuntime().logger.error({ err: this.#failure }, text)
  }

  /** The flow when it has started; `undefined` when it is empty, because all specifications declined. */
  async started(starting: Promise<Ref<FlowCoordinator>>): Promise<Ref<FlowCoordinator> | undefined> {
    try {
      return await starting
    } catch (error) {
      if (error instanceof StartError && error.code === 'ignore') return undefined
      if (this.#failure !== undefined) throw this.failure(this.#failure)
      const cause = error instanceof StartError ? (rootOf(error) ?? error) : error
      if (cause instanceof FlowError && cause.code === 'different_module') throw cause
      throw new FlowError('failed', `the flow did not start: ${String(cause)}`, cause)
    }
  }

  check(reason: ExitReason): void {
    if (this.#failure !== undefined) throw this.failure(this.#failure)
    if (reason !== 'normal')
      throw new FlowError('stopped', `the flow was stopped before its end: ${describeReason(reason)}`)
  }

  failure(reason: ExitReason): FlowError {
    this.#told = true
    return new FlowError('failed', `the flow failed: ${describeReason(reason)}`, reason)
  }
}

/** What the first of a row of start errors was caused by. */
function rootOf(error: StartError): unknown {
  return error.cause instanceof StartError ? rootOf(error.cause) : error.cause
}
