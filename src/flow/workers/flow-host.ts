/** What workers load: the process that has a flow of a module ready for its stages, the stages, and those that read parts of sources. */

import { GenServer } from '../../otp/gen-server.ts'
import type { Later } from '../../process/later.ts'
import type { Ref } from '../../process/ref.ts'
import { BatchSource } from '../../stage/interop/batch-source.ts'
import { IterableProducer } from '../../stage/interop/iterable-producer.ts'
import type { SourceMeter } from '../../stage/interop/source-meter.ts'
import { loadModule } from '../../worker/load-module.ts'
import { typeScriptLoader } from '../../worker/module-file.ts'
import { makeDispatcher } from '../dispatchers.ts'
import { FlowError } from '../errors.ts'
import type { Sides } from '../join/sides.ts'
import { type LayerInput, layerStageOptions, refsOf, subscriptionsTo } from '../layer-options.ts'
import { LayerStage, type ProducingOptions } from '../layer-stage.ts'
import { type Fingerprint, fingerprintOf } from '../module/fingerprint.ts'
import { loadedModule } from '../module/flow-module.ts'
import type { Layer, Plan } from '../plan.ts'
import { SplitSource } from '../splits/split-source.ts'
import type { SplitFeed } from './split-feed.ts'
import { planRun, type WorkerRun } from './worker-run.ts'

/** The plans of the runs in which this thread takes part. */
const plans = new Map<number, Plan>()

function planOf(run: number): Plan {
  const plan = plans.get(run)
  if (plan !== undefined) return plan
  throw new FlowError('stopped', 'the flow was stopped before its stages were started')
}

/** Has the flow of a run ready in one worker, from before its first stage to the end. */
export class FlowHost extends GenServer {
  readonly #run: WorkerRun

  constructor(run: WorkerRun) {
    super()
    this.#run = run
    // Whatever is started behind it finds the plan.
    this.#plan()
  }

  override async init(): Promise<void> {
    const { url, place } = this.#run.origin
    if (plans.has(this.#run.id)) return
    await loadModule(url, typeScriptLoader(url))
    if (this.#plan()) return
    throw new FlowError(
      'different_module',
      `a worker has loaded ${url}, which did not define flow ${place + 1} there: call defineFlow at the top level of the module, in each thread`,
    )
  }

  /** False when the module of the flow was not loaded yet, or has no such flow. */
  #plan(): boolean {
    const { id, origin } = this.#run
    const module = loadedModule(origin.url, origin.place)
    if (module === undefined) return false
    plans.set(id, planRun({ ...module.definition(origin.params), origin }, this.#run))
    return true
  }

  /** What the flow does here. */
  fingerprint(): Fingerprint {
    return fingerprintOf(planOf(this.#run.id))
  }

  override terminate(): void {
    plans.delete(this.#run.id)
  }
}

/** What a stage in a worker is started with. */
export interface WorkerStageStart {
  readonly run: number
  /** Place of its layer in the plan. */
  readonly place: number
  readonly index: number
}

/** What is asked of each stage in a worker before the sources are let go. */
export interface InWorker {
  /** Answers: what was sent before, on the same way, has come. */
  here(): void
}

/** A stage of a layer, with the functions of this thread. */
export class WorkerLayerStage extends LayerStage implements InWorker {
  readonly #layer: Layer
  readonly #sides: Sides | undefined
  #before: readonly Ref<InWorker>[] = []

  constructor({ run, place, index }: WorkerStageStart) {
    const layer = layerOf(run, place)
    const options = producingOptions(layer, place, index)
    super(() => options)
    this.#layer = layer
    this.#sides = options.work.join
  }

  here(): void {}

  /** Subscribes to the stages before it, when all have been started; `before` are those that are in workers. */
  connect(inputs: readonly (readonly LayerInput[])[], before: readonly Ref<InWorker>[]): void {
    this.#before = before
    this.#sides?.leftComesFrom(refsOf(inputs[0]))
    for (const to of subscriptionsTo(this.#layer.step, inputs)) this.subscribe(to)
  }

  /**
   * Answers when its subscriptions have come. Within one thread they would have before anything else: a producer in another one might
   * end before it hears of a consumer.
   */
  subscribed(): Later<void> {
    return this.later(async () => {
      await Promise.all(this.#before.map((stage) => stage.with({ timeout: Infinity }).call.here()))
    })
  }
}

function layerOf(run: number, place: number): Layer {
  const layer = planOf(run).groups[place]
  if (layer?.kind === 'layer') return layer
  throw new FlowError('different_module', `group ${place} of the flow is no layer here`)
}

function producingOptions(layer: Layer, place: number, index: number): ProducingOptions {
  const { bufferSize, bufferKeep } = layer.step.options
  const options = layerStageOptions({ layer, place, index, counts: undefined }, [])
  return { ...options, dispatcher: makeDispatcher(layer.dispatch), bufferSize, bufferKeep }
}

/** What a reader of parts is started with. */
export interface SplitReaderStart {
  readonly run: number
  /** Place of its group in the plan, and which of the sources of that group it reads. */
  readonly place: number
  readonly index: number
  readonly feed: Ref<SplitFeed>
}

/** Reads parts of a source in this thread, as it is given them. */
export class SplitReader extends IterableProducer<unknown> implements InWorker {
  constructor({ run, place, index, feed }: SplitReaderStart) {
    const group = planOf(run).groups[place]
    const source = group?.kind === 'iterables' ? group.iterables[index] : undefined
    if (group?.kind !== 'iterables' || !(source instanceof SplitSource)) {
      throw new FlowError('different_module', `source ${index} of group ${place} of the flow has no parts here`)
    }
    super({
      source: () => new FedSplits(source, feed),
      onCancel: 'stop',
      bufferSize: Infinity,
      dispatcher: makeDispatcher(group.dispatch),
    })
  }

  here(): void {}
}

class FedSplits extends BatchSource<unknown> {
  readonly #source: SplitSource<unknown>
  readonly #feed: Ref<SplitFeed>

  constructor(source: SplitSource<unknown>, feed: Ref<SplitFeed>) {
    super()
    this.#source = source
    this.#feed = feed
  }

  override async *batches(meter?: SourceMeter): AsyncGenerator<readonly unknown[], void, undefined> {
    const feed = this.#feed.with({ timeout: Infinity })
    for (let next = await feed.call.next(); next !== undefined; next = await feed.call.next()) {
      yield* this.#source.open(next.split, meter)
    }
  }
}
