/** Broadway: the process that stands for a pipeline. It owns all others, and no message goes through it. */

import { GenServer } from '../otp/gen-server.ts'
import { launch, planStart, type StartPlan } from '../otp/start.ts'
import { type ChildOptions, ChildSpec } from '../otp/supervision/child-spec.ts'
import { becomeSupervisor, SupervisedChild } from '../otp/supervision/supervised-child.ts'
import type { ExitReason } from '../process/exit-reason.ts'
import type { Later } from '../process/later.ts'
import { type Name, name } from '../process/name.ts'
import type { Process } from '../process/process.ts'
import { processOf, type Ref, typedRef } from '../process/ref.ts'
import { currentRuntime, mainProcess, type Runtime } from '../process/runtime.ts'
import { Exit } from '../process/signals.ts'
import { guardStop } from '../process/stop.ts'
import { StageError } from '../stage/errors.ts'
import { show } from '../stage/show.ts'
import { channels } from '../telemetry/channels.ts'
import { BroadwayError } from './errors.ts'
import type { BatchMode, Message } from './message.ts'
import type { CheckedPipeline } from './options/checked-options.ts'
import type { Incoming, PipelineOptions, RateLimitingOptions, RateLimitingUpdate } from './options/pipeline-options.ts'
import { prepareForStart } from './options/prepare-for-start.ts'
import { type PipelineConcurrency, sameConcurrency, withConcurrency } from './options/read-concurrency.ts'
import { readOptions } from './options/read-options.ts'
import { readRateLimitingUpdate } from './options/read-producer.ts'
import {
  type Acknowledged,
  type TestBatchOptions,
  type TestMessageOptions,
  TestMessages,
  type TestOutcome,
} from './test-messages.ts'
import { killAll } from './topology/abandoned.ts'
import type { Allowance } from './topology/allowance.ts'
import { pass } from './topology/barrier.ts'
import { isMessages } from './topology/failing.ts'
import { type Layout, layOut } from './topology/layout.ts'
import { pushInto } from './topology/producer-stage.ts'
import { exchange, finishBehind } from './topology/rebuild.ts'
import { describeTopology, type Topology } from './topology/topology.ts'

/** The data of the messages that a producer or a transformer gives. */
type DataOf<In> = Incoming<In> extends Message<infer Data> ? Data : unknown

/** The pipelines that run, in each runtime. */
const running = new WeakMap<Runtime, Set<Process>>()

/**
 * A pipeline: producers, processors that handle messages one by one, batchers and batch processors that handle them together, and
 * an acknowledgement for every message, whatever happens.
 *
 * @example
 * ```ts
 * import { Broadway } from 'sluice'
 *
 * const numbers = await Broadway.start({
 *   name: 'numbers',
 *   producer: { source: [1, 2, 3] },
 *   processors: { default: { handleMessage: (message) => message.updateData((n) => n * 2) } },
 *   batchers: {
 *     default: {
 *       batchSize: 10,
 *       handleBatch(messages, { trigger }) {
 *         console.log(trigger, messages.map(({ data }) => data))
 *         return messages
 *       },
 *     },
 *   },
 * })
 * await numbers.stop() // flush [ 2, 4, 6 ]
 * ```
 * Elixir: `Broadway`.
 */
export class Broadway<in Data = never, Module = unknown> extends GenServer {
  static override readonly childType: 'worker' | 'supervisor' = 'supervisor'
  /** Its parts have their own deadlines. */
  static override readonly stopTimeout: number = Infinity

  #options: CheckedPipeline
  #layout!: Layout
  #main!: SupervisedChild
  #stoppedAt: number | undefined = undefined
  /** Settled when nobody changes the concurrency. */
  #resized: Promise<void> = Promise.resolve()
  /** Its stages are being exchanged: it cannot stop in between. */
  #exchanging: Promise<void> | undefined = undefined
  #ending = false
  readonly #tests: TestMessages

  /** What `Broadway.start`, `startLink` and `child` give it: options that have been read. */
  constructor(options: () => CheckedPipeline) {
    super()
    this.#options = options()
    this.#tests = new TestMessages(this)
  }

  /**
   * Starts a pipeline that nobody is linked to.
   *
   * @throws `BroadwayError` `bad_options`, before anything starts; `StartError`: `already_started`, `start_failed` when a part does
   * not start, and then nothing is left of it.
   */
  static async start<
    Event,
    Args extends readonly unknown[],
    Module = unknown,
    In = Event,
    Context = undefined,
    Out extends Message = Message,
    Batcher extends string = never,
  >(
    options: PipelineOptions<Event, In, Args, Module, Context, Out, Batcher>,
  ): Promise<Ref<Broadway<DataOf<In>, Module>>> {
    return typedRef(await launch(planOf(options), mainProcess('Broadway.start', IN_A_TREE), false, 0))
  }

  /**
   * Starts a pipeline linked to the program: when it ends with a failure, the failure is thrown as an uncaught error.
   *
   * @throws as `start`. Elixir: `Broadway.start_link`.
   */
  static async startLink<
    Event,
    Args extends readonly unknown[],
    Module = unknown,
    In = Event,
    Context = undefined,
    Out extends Message = Message,
    Batcher extends string = never,
  >(
    options: PipelineOptions<Event, In, Args, Module, Context, Out, Batcher>,
  ): Promise<Ref<Broadway<DataOf<In>, Module>>> {
    return typedRef(await launch(planOf(options), mainProcess('Broadway.startLink', IN_A_TREE), true, 0))
  }

  /**
   * Says how a supervisor is to start a pipeline. Its id is the name, and it has all the time it needs to stop.
   *
   * @throws `BroadwayError` `bad_options`. Elixir: `child_spec` of a module that uses `Broadway`.
   */
  static child<
    Event,
    Args extends readonly unknown[],
    Module = unknown,
    In = Event,
    Context = undefined,
    Out extends Message = Message,
    Batcher extends string = never,
  >(
    options: PipelineOptions<Event, In, Args, Module, Context, Out, Batcher>,
    child: ChildOptions = {},
  ): ChildSpec<Broadway<DataOf<In>, Module>> {
    return new ChildSpec(planOf(options), { id: `${options.name}`, ...child })
  }

  /** The pipelines that run. Elixir: `Broadway.all_running`. */
  static allRunning(): readonly Ref<Broadway>[] {
    return [...(running.get(currentRuntime()) ?? [])].map((process) => typedRef<Broadway>(process.ref))
  }

  // ---- Messages

  /** The parts of the pipeline. Elixir: `Broadway.topology`. */
  topology(): Topology {
    return describeTopology(this.#options)
  }

  /** The names of its producers, in order. Elixir: `Broadway.producer_names`. */
  producerNames(): readonly Name<Module>[] {
    return this.#layout.producers as readonly Name<Module>[]
  }

  /**
   * Has one of the producers emit messages, as they are: no transformer and no rate limiting. The reply comes when they are
   * emitted, whether somebody has asked for them or not. Elixir: `Broadway.push_messages`.
   *
   * @throws `CallError` `failed` when no producer runs, or something else than messages is given.
   */
  pushMessages(messages: readonly Message<Data>[]): Later<void> {
    return this.later(() => {
      if (isMessages(messages)) return this.#push(messages)
      throw new BroadwayError('bad_message', `pushMessages: expected an array of messages, got ${show(messages)}`)
    })
  }

  /**
   * Waits for what is on its way: the reply comes when all messages that producers have emitted before are acknowledged. Batches that
   * are not complete leave. What producers emit meanwhile is not waited for; they go on.
   *
   * @throws `CallError` `timeout` after 5000 ms; `with({ timeout })` sets another time.
   */
  drain(): Later<void> {
    // Stages that are being exchanged have no more to say.
    return this.later(() => this.#resized.then(() => pass(this.#layout.barrier, processOf(this.self).runtime)))
  }

  /**
   * Sends one message through the pipeline, as one whose batch leaves at once. The reply comes when it has been acknowledged.
   *
   * @throws `CallError` `timeout` when it has not been acknowledged within 5000 ms; `with({ timeout })` sets another time.
   *
   * Elixir: `Broadway.test_message`.
   */
  testMessage(data: Data, options: TestMessageOptions<Data> = {}): Later<TestOutcome> {
    return this.#test([data], options, TEST_MESSAGE_OPTIONS, 'flush', ([ack], configured) => ({
      successful: ack?.successful ?? [],
      failed: ack?.failed ?? [],
      configured,
    }))
  }

  /**
   * Sends messages through the pipeline. The reply comes when all have been acknowledged: one entry for each call of the acknowledger.
   *
   * @throws as `testMessage`. Elixir: `Broadway.test_batch`.
   */
  testBatch(list: readonly Data[], options: TestBatchOptions<Data> = {}): Later<readonly Acknowledged[]> {
    return this.#test(list, options, TEST_BATCH_OPTIONS, 'bulk', (acks) => acks)
  }

  /**
   * What is allowed at present. Elixir: `Broadway.get_rate_limiting`.
   *
   * @throws `BroadwayError` `rate_limiting_not_enabled`, as the cause of a `CallError`.
   */
  getRateLimiting(): Later<RateLimitingOptions> {
    return this.later(() => this.#allowance.settings)
  }

  /**
   * Changes what is allowed: from the next interval on, or at once with `reset`. Elixir: `Broadway.update_rate_limiting`.
   *
   * @throws `BroadwayError` `bad_options`, `rate_limiting_not_enabled`, as the cause of a `CallError`.
   */
  updateRateLimiting(update: RateLimitingUpdate): Later<void> {
    return this.later(() => {
      const { allowedMessages, interval, reset } = readRateLimitingUpdate(update)
      const { settings } = this.#allowance
      this.#allowance.settings = {
        allowedMessages: allowedMessages ?? settings.allowedMessages,
        interval: interval ?? settings.interval,
      }
      if (reset) this.#layout.rateLimiter.cast.beginInterval()
    })
  }

  /**
   * Sets how many processors, and how many batch processors of each batcher there are, while the pipeline runs. The stages behind
   * the producers finish what they have, and are replaced; producers stay, and what they emit meanwhile waits. Messages with the same
   * number of `partitionBy` keep their order. The reply is the new topology; it takes as long as the callbacks that run, and as the
   * retries that wait, so a callback of the pipeline must not wait for it. What is left after `drainTimeout` is killed and reported, as
   * when a pipeline stops.
   *
   * @throws `CallError` `failed`: its cause is a `BroadwayError`, `bad_options` for numbers that make no sense, `stopped` when the
   * pipeline is stopped meanwhile. `timeout` after 5000 ms, and then it goes on; `with({ timeout })` sets another time.
   */
  setConcurrency(concurrency: PipelineConcurrency): Later<Topology> {
    return this.later(() => {
      withConcurrency(this.#options, concurrency)
      const turn = this.#resized.then(() => this.#resize(concurrency))
      this.#resized = turn.then(
        () => {},
        () => {},
      )
      return turn
    })
  }

  // ---- Callbacks

  override async init(): Promise<void> {
    const { children, options } = await prepareForStart(this.#options)
    this.#options = options
    this.#layout = layOut(options, children)
    this.#main = new SupervisedChild(this.#layout.spec)
    const process = becomeSupervisor(this, () => [this.#main])
    process.onEnd(() => killAll(this.#layout.parts, process.runtime, this.#stoppedFor(process.runtime)))
    guardStop(process, (by) => stopInside(process, by))
    const supervisor = await launch(this.#layout.spec.plan, process, true, 0)
    this.#main.process = processOf(supervisor)
    remember(process)
    if (channels.broadwayInit.hasSubscribers) {
      const { given, name } = options
      channels.broadwayInit.publish({ pipeline: `${name}`, id: process.id, options: given, supervisor })
    }
  }

  override handleInfo(message: unknown): void {
    if (this.#tests.handleInfo(message)) return
    if (!(message instanceof Exit)) super.handleInfo(message)
    // Without its parts there is no pipeline.
    else if (message.from === this.#main.process?.ref) this.stop(message.reason)
    // From elsewhere: who sends it does not wait, so that a stage may do it too.
    else if (message.reason !== 'normal') this.stop(message.reason)
  }

  override async terminate(reason: ExitReason): Promise<void> {
    const { process } = this.#main
    this.#ending = true
    if (this.#exchanging !== undefined) await this.#exchanging.catch(() => {})
    if (!process?.alive) return
    this.#stoppedAt = process.runtime.clock.now()
    // A call, so that it has heard of it before it is stopped. Who is dead has nothing to wait for.
    await this.#layout.terminator.call.arm().catch(() => {})
    const ended = process.ref.done
    this.exit(process.ref, reason)
    await ended
  }

  async #resize(concurrency: PipelineConcurrency): Promise<Topology> {
    const options = withConcurrency(this.#options, concurrency)
    if (sameConcurrency(options, this.#options)) return this.topology()
    const { runtime } = processOf(this.self)
    const pause = () => this.sleep(options.resubscribeInterval)
    const { drainTimeout = options.drainTimeout } = concurrency
    let late = false
    const finished = finishBehind(this.#layout, runtime, pause, () => this.#ending || late)
    late = !(await inTime(finished, drainTimeout, runtime))
    if (this.#ending)
      throw new BroadwayError('stopped', `${this.self} is being stopped, its concurrency was not changed`)
    this.#exchanging = this.#exchange(options, runtime, late ? drainTimeout : undefined)
    try {
      await this.#exchanging
    } catch (error) {
      // Nobody would handle its messages any more.
      this.stop(error instanceof Error ? error : new Error(String(error)))
      throw error
    } finally {
      this.#exchanging = undefined
    }
    return this.topology()
  }

  async #exchange(options: CheckedPipeline, runtime: Runtime, late: number | undefined): Promise<void> {
    const layout = layOut(options, [], this.#layout)
    await exchange(this.#layout, layout, runtime, late)
    this.#layout = layout
    this.#options = options
  }

  get #allowance(): Allowance {
    const { allowance } = this.#layout
    if (allowance !== undefined) return allowance
    const text = `${this.self} was started without rate limiting: set producer.rateLimiting`
    throw new BroadwayError('rate_limiting_not_enabled', text)
  }

  #stoppedFor({ clock }: Runtime): number {
    return this.#stoppedAt === undefined ? 0 : clock.now() - this.#stoppedAt
  }

  // ---- Tests

  #test<Outcome>(
    list: readonly Data[],
    options: TestBatchOptions<Data>,
    known: readonly string[],
    otherwise: BatchMode,
    outcome: (acks: readonly Acknowledged[], configured: readonly unknown[]) => Outcome,
  ): Later<Outcome> {
    let test: { readonly messages: readonly Message[]; readonly reply: Later<Outcome> }
    try {
      test = this.#tests.begin(list, options, known, otherwise, outcome)
    } catch (error) {
      const refused = this.later<Outcome>()
      refused.fail(error)
      return refused
    }
    this.#push(test.messages).catch((error) => test.reply.fail(error))
    return test.reply
  }

  async #push(messages: readonly Message[]): Promise<void> {
    const { producers } = this.#layout
    const { runtime } = processOf(this.self)
    const chosen = producers[Math.floor(runtime.random() * producers.length)]
    const producer = chosen?.holder(runtime)
    if (producer === undefined) throw new StageError('noproc', `${chosen} does not run now, nothing was pushed`)
    await pushInto(producer, messages)
  }
}

const IN_A_TREE = 'Broadway.child(options) in a supervisor'
const TEST_MESSAGE_OPTIONS = ['metadata', 'acknowledger']
const TEST_BATCH_OPTIONS = [...TEST_MESSAGE_OPTIONS, 'batchMode']

function planOf(options: unknown): StartPlan {
  const checked = readOptions(options)
  const bears = typeof checked.name === 'string' ? name(Broadway, checked.name) : checked.name
  // Given as a function they are neither copied nor frozen.
  return planStart(Broadway, { arg: () => checked, name: bears })
}

/** The error for who stops a pipeline that waits for it; `undefined` when it is none of its stages. */
function stopInside(pipeline: Process, by: Process): BroadwayError | undefined {
  for (let { parent } = by; parent !== pipeline; parent = parent.parent) {
    if (parent?.stubs?.childType !== 'supervisor') return undefined
  }
  const text = `${by} cannot stop ${pipeline}, to which it belongs: the stop waits until the callback is done. To end it from inside without waiting, pipeline.exit('shutdown')`
  return new BroadwayError('stop_inside', text)
}

/** Whether something is done within so many milliseconds. */
function inTime(done: Promise<void>, ms: number, { clock }: Runtime): Promise<boolean> {
  if (ms === Infinity) return done.then(() => true)
  return new Promise((resolve, reject) => {
    const timer = clock.setTimer(ms, () => resolve(false))
    done.then(() => resolve(true), reject).finally(() => timer.cancel())
  })
}

function remember(pipeline: Process): void {
  let known = running.get(pipeline.runtime)
  if (known === undefined) {
    known = new Set()
    running.set(pipeline.runtime, known)
  }
  known.add(pipeline)
  pipeline.onEnd(() => known.delete(pipeline))
}
