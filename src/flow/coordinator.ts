/**
 * A flow that runs: one process that starts the stages of a plan in order, lets the sources go when everything is subscribed,
 * and ends when they end. It owns what it started; stages that were given to it it never starts nor stops.
 */

import { fresh } from '../otp/argument.ts'
import { StartError } from '../otp/errors.ts'
import { ignore, launch } from '../otp/start.ts'
import { ChildSpec } from '../otp/supervision/child-spec.ts'
import { stopChild } from '../otp/supervision/stop-child.ts'
import { SupervisedChild } from '../otp/supervision/supervised-child.ts'
import { answerForChildren } from '../process/answering.ts'
import { type ExitReason, isOrderly } from '../process/exit-reason.ts'
import { DRAIN } from '../process/message.ts'
import type { Process } from '../process/process.ts'
import { processOf, type Ref, typedRef } from '../process/ref.ts'
import { Down, Exit } from '../process/signals.ts'
import { ConsumingBehaviour } from '../stage/consuming-behaviour.ts'
import { IterableProducer } from '../stage/interop/iterable-producer.ts'
import { type Emitted, Producer } from '../stage/producer.ts'
import { StageBehaviour } from '../stage/stage-behaviour.ts'
import { kindOfStage } from '../stage/stage-kind.ts'
import { asyncSubscribe, setDemand, syncSubscribe } from '../stage/subscribe.ts'
import type { Subscription } from '../stage/subscription.ts'
import type { Emits, Handles, SubscribeTo } from '../stage/subscription-options.ts'
import { processAt } from '../stage/subscription-target.ts'
import type { Through } from './definition.ts'
import { makeDispatcher } from './dispatchers.ts'
import { type LayerInput, layerStageOptions, partitionOf, type StagePlace } from './layer-options.ts'
import { LastStage, LayerStage } from './layer-stage.ts'
import type { Group, Layer } from './plan.ts'
import { countFor } from './progress/progress.ts'
import type { RunCounts } from './progress/run-counts.ts'
import type { CoordinatorOptions } from './running-flow.ts'
import { openingOf } from './source-opening.ts'
import { SplitSource } from './splits/split-source.ts'
import type { Deployment } from './workers/deployment.ts'
import { explained, isLostEvent } from './workers/lost-event.ts'
import type { SplitFeed } from './workers/split-feed.ts'
import { allDone, startHosts, startReaders } from './workers/start-in-workers.ts'

/** One stage that the coordinator started. */
interface Owned {
  readonly ref: Ref
  /** Place of its group; consumers come after all groups. */
  readonly place: number
  /** The specification that it was started from. */
  readonly spec: ChildSpec | undefined
}

/**
 * The process of a flow that runs. It ends with `normal` when the flow has ended, with the reason that it was stopped with, with
 * `shutdown` when a stage has failed; as the child of a supervisor with the reason of the failure. A consumer that subscribes to it, with
 * `cancel: 'transient'`, is subscribed to each stage that the events come out of.
 */
export class FlowCoordinator extends Producer<unknown> {
  #options: CoordinatorOptions
  /** Where its stages are, as long as it runs. */
  #deployed: Deployment | undefined = undefined
  /** What the stages count, when somebody wants to know how far they are. */
  #counts: RunCounts | undefined = undefined
  /** The stages of each group, ours or not. */
  readonly #groups: (readonly Ref[])[] = []
  readonly #owned = new Map<Ref, Owned>()
  /** Running producers that were made to keep their demand, and have not been let go yet. */
  readonly #held = new Set<Ref>()
  /** Whose end is the end of the flow. */
  readonly #watched = new Set<Ref>()
  /** What hands out the parts of sources, to those who read them in other threads. */
  readonly #feeds: Ref<SplitFeed>[] = []
  /** Places whose stages were told to finish, because nothing comes any more. */
  readonly #drained = new Set<number>()

  constructor(options: () => CoordinatorOptions) {
    super()
    this.#options = options()
  }

  override async init(): Promise<void> {
    this.trapExits(true)
    await this.#deploy()
    const { plan, deployment, demand = 'forward', failed } = this.#options
    // What is wrong with an event says more when it is known where it came from.
    if (failed !== undefined) answerForChildren(this.#process, (reason) => isLostEvent(reason) || failed(reason))
    this.#process.onEnd(this.#process.runtime.hold())
    if (plan.progress !== undefined) this.#counts = countFor(plan.progress, plan, this.#process)
    try {
      if (deployment !== undefined) await this.#startInWorkers(deployment)
      for (const [place, group] of plan.groups.entries()) this.#groups[place] ??= await this.#start(group, place)
      if (this.#last.length === 0) throw ignore
      await this.#startConsumers()
      // Those before them may have declined, or have ended already.
      this.#drainFollowers()
      await (demand === 'forward' ? deployment?.ready() : deployment?.checked())
    } catch (error) {
      await this.#stopAll()
      await this.#deployed?.stop()
      throw error
    }
    if (this.#watched.size === 0) for (const ref of this.#last) this.#watched.add(ref)
    if (demand === 'forward') this.#forward()
  }

  // ---- Messages

  /** Lets the sources go; what was asked of them so far is answered. */
  forward(): void | Promise<void> {
    const { deployment } = this.#options
    if (deployment === undefined) return this.#forward()
    return deployment.ready().then(() => this.#forward())
  }

  /** The stages that the events come out of. */
  stages(): readonly Ref<Emits<unknown>>[] {
    return this.#last.map((ref) => typedRef<Emits<unknown>>(ref))
  }

  /** All stages, group by group, in the order of the plan. */
  groups(): readonly (readonly Ref[])[] {
    return this.#groups
  }

  // ---- Callbacks

  override handleDemand(): undefined {
    // Whoever subscribes is passed on, so this is a stray.
    return undefined
  }

  override handleSubscribe(_peer: 'producer' | 'consumer', subscription: Subscription): undefined {
    const consumer = typedRef<Handles<never>>(subscription.consumer)
    for (const ref of this.#last) {
      asyncSubscribe(consumer, { ...subscription.options, to: typedRef<Emits<never>>(ref) })
    }
    subscription.cancel('normal')
    return undefined
  }

  override handleInfo(message: unknown): Emitted<unknown> {
    if (!(message instanceof Exit || message instanceof Down)) return super.handleInfo(message)
    if (message.from !== undefined) this.#ended(message.from, message.reason)
  }

  /** Its sources give no more, and what has begun is finished, group by group. What is not its own goes on for others. */
  override async handleDrain(): Promise<void> {
    const { groups } = this.#options.plan
    for (let place = 0; place <= groups.length; place++) {
      const ours = [...this.#owned.values()].filter((owned) => owned.place === place)
      for (const { ref } of ours) {
        // A layer ends by itself when its producers have.
        if (groups[place]?.kind === 'layer') this.#letGo(ref)
        else if (ref.alive && !this.#drained.has(place)) processOf(ref).deliver(DRAIN, 'normal')
      }
      await Promise.all(ours.map(({ ref }) => ref.done))
    }
  }

  override async terminate(): Promise<void> {
    await this.#stopAll()
    await this.#deployed?.stop()
  }

  // ---- Start

  /** The groups that are in workers. They are started at the same time, because each start there takes its time, and subscribe then. */
  async #startInWorkers(deployment: Deployment): Promise<void> {
    const { groups } = this.#options.plan
    const hosts = startHosts(this, this.#keep, deployment)
    if (!deployment.warm) await hosts
    const starting = groups.map((group, place) =>
      group.kind === 'iterables' || deployment.isRemote(place) ? this.#start(group, place) : undefined,
    )
    await allDone<unknown>([hosts, ...starting])
    for (const [place, started] of starting.entries()) if (started !== undefined) this.#groups[place] = await started
    for (const [place, layer] of groups.entries()) {
      if (layer.kind !== 'layer' || !deployment.isRemote(place)) continue
      for (const [index, ref] of this.#outOf([place]).entries()) {
        deployment.connect(ref, this.#inputsOf({ layer, place, index, counts: undefined }))
      }
    }
  }

  /** Has it placed in workers, when that is for itself to do. */
  async #deploy(): Promise<void> {
    const deployment = await this.#options.deploy?.()
    if (deployment === undefined) return
    this.#options = { ...this.#options, plan: deployment.plan, deployment }
    this.#deployed = deployment
    // Also when it is killed.
    this.#process.onEnd(() => void deployment.stop())
  }

  async #start(group: Group, place: number): Promise<readonly Ref[]> {
    switch (group.kind) {
      case 'iterables':
        return await this.#startSources(group, place)
      case 'stages': {
        const refs = group.stages.map((stage) => processAt(this.#process, stage).ref)
        for (const ref of refs) {
          this.monitor(ref)
          hold(ref)
          this.#held.add(ref)
        }
        return refs
      }
      case 'specs': {
        const refs: Ref[] = []
        for (const spec of group.specs) {
          const ref = await this.#startSpec(spec, place)
          if (ref === undefined) continue
          hold(ref)
          refs.push(ref)
        }
        return refs
      }
      case 'through':
        return await this.#startThrough(group.through, this.#outOf(group.inputs), place)
      case 'layer':
        return await this.#startLayer(group, place)
    }
  }

  async #startSources(group: Extract<Group, { readonly kind: 'iterables' }>, place: number): Promise<readonly Ref[]> {
    const { deployment } = this.#options
    const started = group.iterables.map(async (source, index): Promise<readonly Ref[]> => {
      if (deployment !== undefined && source instanceof SplitSource) {
        const { feed, readers } = await startReaders(this, this.#keep, deployment, source, place, index)
        this.#feeds.push(feed)
        return readers
      }
      const meter = this.#counts?.source(place)
      const arg = {
        source: openingOf(source),
        onCancel: 'stop' as const,
        demand: 'accumulate' as const,
        bufferSize: Infinity,
        dispatcher: fresh(() => makeDispatcher(group.dispatch)),
        meter: meter && fresh(() => meter),
      }
      return [this.#own(await this.startLink(IterableProducer<unknown>, { arg }), place)]
    })
    return (await Promise.all(started)).flat()
  }

  /** Starts stages in the middle, or takes those that run, and subscribes each to all before it. */
  async #startThrough(through: readonly Through[], producers: readonly Ref[], place: number): Promise<readonly Ref[]> {
    const refs: Ref[] = []
    for (const { stage, options } of through) {
      const ref = stage instanceof ChildSpec ? await this.#startSpec(stage, place) : processAt(this.#process, stage).ref
      if (ref === undefined) continue
      if (!this.#owned.has(ref)) this.monitor(ref)
      refs.push(ref)
      for (const producer of producers) {
        const to: SubscribeTo<unknown> = {
          cancel: 'transient',
          ...options,
          ...partitionOf(producer, refs.length - 1),
          to: typedRef<Emits<unknown>>(producer),
        }
        await syncSubscribe(typedRef<Handles<unknown>>(ref), { ...to, timeout: this.#options.subscribeTimeout })
      }
    }
    return refs
  }

  async #startConsumers(): Promise<void> {
    const { consumers = [] } = this.#options
    const refs = await this.#startThrough(consumers, this.#last, this.#consumersPlace)
    for (const ref of refs) if (this.#owned.has(ref)) this.#watched.add(ref)
  }

  async #startSpec(spec: ChildSpec, place: number): Promise<Ref | undefined> {
    try {
      return this.#own(await launch(spec.plan, this.#process, true, 0), place, spec)
    } catch (error) {
      if (error instanceof StartError && error.code === 'ignore') return undefined
      throw error
    }
  }

  async #startLayer(layer: Layer, place: number): Promise<readonly Ref[]> {
    const start = async (index: number): Promise<Ref> =>
      this.#own(await this.#startStage({ layer, place, index, counts: this.#counts?.stage(place) }), place)
    const indexes = Array.from({ length: layer.stages }, (_, index) => index)
    if (this.#options.deployment?.isRemote(place)) return await allDone(indexes.map(start))
    // What it would take its events from declined to start.
    if (this.#outOf(layer.inputs).length === 0) return []
    const refs: Ref[] = []
    for (const index of indexes) refs.push(await start(index))
    return refs
  }

  #inputsOf({ layer, place, index }: StagePlace): readonly (readonly LayerInput[])[] {
    const { deployment, plan } = this.#options
    return layer.inputs.map((input) => {
      const group = plan.groups[input]
      const producers = this.#groups[input] ?? []
      const dispatch = group !== undefined && 'dispatch' in group ? group.dispatch : undefined
      const own = deployment?.isRemote(place) ? deployment.producersFor(input, index, producers) : producers
      return own.map((to) => ({ to, ...partitionOf(to, index, dispatch) }))
    })
  }

  #startStage(stage: StagePlace): Promise<Ref> {
    const { deployment, sink, plan } = this.#options
    if (deployment?.isRemote(stage.place)) return deployment.startStage(this, stage.place, stage.index)
    const inputs = this.#inputsOf(stage)
    if (sink !== undefined && plan.last.includes(stage.place)) {
      return this.startLink(LastStage, { arg: () => ({ ...layerStageOptions(stage, inputs), sink }) })
    }
    const { dispatch, step } = stage.layer
    const { bufferSize, bufferKeep } = step.options
    const arg = () => ({
      ...layerStageOptions(stage, inputs),
      dispatcher: makeDispatcher(dispatch),
      bufferSize,
      bufferKeep,
    })
    return this.startLink(LayerStage, { arg })
  }

  #forward(): void {
    this.#held.clear()
    for (const feed of this.#feeds) feed.cast.begin()
    for (const source of this.#sources) if (source.alive) setDemand(source, 'forward')
  }

  // ---- End

  /** Of a stage that is not ours only the end of the last ones matters: others are known by what becomes of their consumers. */
  #ended(ref: Ref, reason: ExitReason): void {
    const owned = this.#owned.get(ref)
    this.#owned.delete(ref)
    const watched = this.#watched.delete(ref)
    if (!isOrderly(reason) && (watched || owned !== undefined)) {
      const why = explained(this.#options.plan, owned?.place, reason)
      this.#options.failed?.(why)
      this.#counts?.failed()
      if (this.#options.supervised) this.#fallWith(why)
      else this.stop('shutdown')
      return
    }
    this.#drainFollowers()
    if (!watched) return
    // A consumer that was to run for ever has ended, or nobody is left.
    const permanent = owned?.place === this.#consumersPlace && owned.spec?.restart === 'permanent'
    if ((permanent && !this.#drained.has(this.#consumersPlace)) || this.#watched.size === 0) {
      this.#counts?.finished()
      this.stop('normal')
    }
  }

  /** Ends the subscriptions of a stage to producers that are not ours. */
  #letGo(ref: Ref): void {
    const { behaviour } = processOf(ref)
    if (!(behaviour instanceof ConsumingBehaviour)) return
    for (const subscription of behaviour.inlet.producers) {
      if (!this.#owned.has(subscription.producer)) subscription.cancel('normal')
    }
  }

  /** The stage has reported why it failed, so this is no second crash. */
  #fallWith(reason: ExitReason): void {
    const { behaviour } = this.#process
    if (behaviour instanceof StageBehaviour) behaviour.requestStop(reason, 'signalled')
  }

  /** Stages of the user do not end by themselves when those before them have: those that are ours finish what they hold, and stop. */
  #drainFollowers(): void {
    const { groups, last } = this.#options.plan
    for (const [place, group] of groups.entries()) if (group.kind === 'through') this.#drainBehind(group.inputs, place)
    this.#drainBehind(last, this.#consumersPlace)
  }

  #drainBehind(inputs: readonly number[], place: number): void {
    if (this.#drained.has(place) || this.#outOf(inputs).some((ref) => ref.alive)) return
    this.#drained.add(place)
    for (const owned of this.#owned.values()) {
      if (owned.place === place && owned.ref.alive) processOf(owned.ref).deliver(DRAIN, 'normal')
    }
  }

  /** Stops what is ours, from the end to the sources, so that nobody takes the end of another for the end of its input. */
  async #stopAll(): Promise<void> {
    const owned = [...this.#owned.values()].reverse().sort((one, other) => other.place - one.place)
    this.#owned.clear()
    const waiting: (void | Promise<void>)[] = []
    for (const { ref, spec } of owned) {
      if (!ref.alive) continue
      if (spec === undefined) this.exit(ref, 'shutdown')
      else waiting.push(stopChild(this.#process, processOf(ref), new SupervisedChild(spec)))
    }
    // Producers that are not ours go on for others.
    for (const ref of this.#held) if (ref.alive && isProducer(ref)) setDemand(ref, 'forward')
    await Promise.all(waiting)
  }

  // ---- Stages

  /** As `#own`, for those who start something for it. */
  readonly #keep = (ref: Ref, place: number): Ref => this.#own(ref, place)

  #own(ref: Ref, place: number, spec?: ChildSpec): Ref {
    this.#owned.set(ref, { ref, place, spec })
    return ref
  }

  #outOf(places: readonly number[]): readonly Ref[] {
    return places.flatMap((place) => this.#groups[place] ?? [])
  }

  get #consumersPlace(): number {
    return this.#options.plan.groups.length
  }

  get #last(): readonly Ref[] {
    return this.#outOf(this.#options.plan.last)
  }

  /** The producers where events come from. */
  get #sources(): readonly Ref[] {
    const { groups } = this.#options.plan
    return this.#groups.flatMap((refs, place) =>
      ['iterables', 'stages', 'specs'].includes(groups[place]?.kind ?? '') ? refs.filter(isProducer) : [],
    )
  }

  get #process(): Process {
    return processOf(this.self)
  }
}

/** Makes a producer keep its demand until everybody has subscribed. */
function hold(ref: Ref): void {
  if (isProducer(ref)) setDemand(ref, 'accumulate')
}

function isProducer(ref: Ref): boolean {
  return kindOfStage(processOf(ref)) === 'producer'
}
