/**
 * Where the stages of a run are: stage `i` of every layer is in worker `i`, so that what goes from one step to the next often stays in
 * its thread. Sources that lie in parts are read in the workers, others in the thread of the program; so are the consumers at the end.
 */

import { extname } from 'node:path'
import type { GenServer } from '../../otp/gen-server.ts'
import type { Ref } from '../../process/ref.ts'
import { inWorker } from '../../worker/in-worker.ts'
import type { Thread } from '../../worker/thread.ts'
import { type WorkerSlot, Workers } from '../../worker/workers.ts'
import type { StepDefinition } from '../definition.ts'
import { FlowError } from '../errors.ts'
import type { LayerInput } from '../layer-options.ts'
import { type Fingerprint, fingerprintOf, firstDifference } from '../module/fingerprint.ts'
import type { Group, Plan } from '../plan.ts'
import type { FlowHost, InWorker, SplitReader, WorkerLayerStage } from './flow-host.ts'
import { checkCanRun } from './runnable.ts'
import { planRun, type WorkerRun } from './worker-run.ts'

/** The module that workers load, of the same kind as this file: a source, or built. */
const hostModule = new URL(`./flow-host${extname(import.meta.url)}`, import.meta.url)

let runs = 0

interface Classes {
  readonly host: typeof FlowHost
  readonly stage: typeof WorkerLayerStage
  readonly reader: typeof SplitReader
}

/** The classes that run in a worker, which need not be made anew for each flow. */
const classes = new WeakMap<WorkerSlot, Classes>()

/** The modules of flows that were loaded in a worker. */
const loaded = new WeakMap<Thread, Set<string>>()

export class Deployment {
  readonly run: WorkerRun
  readonly plan: Plan
  readonly #workers: Workers
  /** They were started for this run. */
  readonly #owned: boolean
  /** Of each process that reads parts of a source, its worker. */
  readonly #readers = new WeakMap<Ref, number>()
  /** What was started in workers. */
  readonly #started = new Map<Ref, Ref<InWorker>>()
  readonly #stages = new Map<Ref, Ref<WorkerLayerStage>>()
  /** What must be well before the sources are let go. */
  readonly #needed: Promise<unknown>[] = []

  /** @throws `FlowError` `bad_flow` for a flow that cannot run in workers. */
  constructor(flow: StepDefinition, workers: number | Workers, ending: WorkerRun['ending']) {
    const origin = checkCanRun(flow)
    const size = typeof workers === 'number' ? workers : workers.size
    this.run = { id: ++runs, origin, workers: size, ending }
    this.plan = planRun(flow, this.run)
    this.#owned = typeof workers === 'number'
    this.#workers = typeof workers === 'number' ? new Workers({ size }) : workers
  }

  /** Ends the workers that are its own. */
  async stop(): Promise<void> {
    if (this.#owned) await this.#workers.stop()
  }

  // ---- Classes in workers

  /** All workers have loaded the module before: a stage that is started behind a host finds its plan. */
  get warm(): boolean {
    return this.workers.every((worker) => this.#loadedIn(worker)?.has(this.run.origin.url) === true)
  }

  get workers(): readonly number[] {
    return Array.from({ length: this.run.workers }, (_, worker) => worker)
  }

  host(worker: number): typeof FlowHost {
    return this.#classesIn(worker).host
  }

  /** A host has started in each worker. */
  hosted(hosts: readonly Ref<FlowHost>[]): void {
    for (const worker of this.workers) this.#loadedIn(worker)?.add(this.run.origin.url)
    const fingerprints = Promise.all(hosts.map((host) => host.with({ timeout: Infinity }).call.fingerprint()))
    this.needs(fingerprints.then((given) => this.#compare(given)))
  }

  /** The flow cannot begin before this is done, and not at all when it fails. */
  needs(done: Promise<unknown>): void {
    this.#needed.push(done)
    // Whoever waits for all of them hears of it.
    done.catch(() => {})
  }

  /** Starts a stage of a layer, which has no subscriptions yet. */
  async startStage(owner: GenServer, place: number, index: number): Promise<Ref> {
    const stage = await owner.startLink(this.#classesIn(index).stage, { arg: { run: this.run.id, place, index } })
    this.#started.set(stage, stage)
    this.#stages.set(stage, stage)
    return stage
  }

  /** Has a stage subscribe to those before it. */
  connect(stage: Ref, inputs: readonly (readonly LayerInput[])[]): void {
    const before = inputs.flat().flatMap(({ to }) => this.#started.get(to) ?? [])
    this.#stages.get(stage)?.cast.connect(inputs, before)
  }

  /**
   * All threads have the same flow, and the parts of the sources are known.
   *
   * @throws `FlowError` `different_module`, which names the first difference; what a source throws that is asked for its parts.
   */
  async checked(): Promise<void> {
    for (const done of this.#needed) await done
  }

  /** All is checked, and all stages have the subscriptions of those behind them. @throws as `checked`. */
  async ready(): Promise<void> {
    const stages = [...this.#stages.values()]
    // One that fails meanwhile fails the flow.
    const subscribed = Promise.allSettled(stages.map((stage) => stage.with({ timeout: Infinity }).call.subscribed()))
    await this.checked()
    await subscribed
  }

  reader(worker: number): typeof SplitReader {
    return this.#classesIn(worker).reader
  }

  #classesIn(worker: number): Classes {
    const on = this.#workers.at(worker)
    const known = classes.get(on)
    if (known !== undefined) return known
    const made: Classes = {
      host: inWorker<typeof FlowHost>(hostModule, 'FlowHost', { on }),
      stage: inWorker<typeof WorkerLayerStage>(hostModule, 'WorkerLayerStage', { on }),
      reader: inWorker<typeof SplitReader>(hostModule, 'SplitReader', { on }),
    }
    classes.set(on, made)
    return made
  }

  // ---- Who is where

  /** A layer is in workers, unless it is the consumers at the end. */
  isRemote(place: number): boolean {
    return (
      this.plan.groups[place]?.kind === 'layer' && (this.run.ending === 'producers' || !this.plan.last.includes(place))
    )
  }

  /** How many workers read the parts of a source: no more than have a stage to read for, where each has its own reader. */
  readersOf(place: number): number {
    const [layer] = this.#consumersOf(place)
    return this.#isLocal(place) ? Math.min(layer?.stages ?? Infinity, this.run.workers) : this.run.workers
  }

  /** A process in a worker reads parts of a source. */
  reads(reader: Ref<SplitReader>, worker: number): void {
    this.#readers.set(reader, worker)
    this.#started.set(reader, reader)
  }

  /**
   * Which of the stages of an input a stage takes its events from, of a layer that is in workers: of the readers of parts only the one
   * in its own thread, where it does not matter which stage gets which event.
   */
  producersFor(input: number, index: number, producers: readonly Ref[]): readonly Ref[] {
    if (!this.#isLocal(input)) return producers
    const own = index % this.run.workers
    return producers.filter((producer) => (this.#readers.get(producer) ?? own) === own)
  }

  /** Its events go to any stage of a layer in workers. */
  #isLocal(place: number): boolean {
    const group = this.plan.groups[place]
    const consumers = this.#consumersOf(place)
    return group?.kind === 'iterables' && group.dispatch.kind === 'demand' && consumers.length === 1
  }

  #consumersOf(place: number): readonly Extract<Group, { readonly kind: 'layer' }>[] {
    return this.plan.groups.flatMap((group, at) =>
      group.kind === 'layer' && group.inputs.includes(place) && this.isRemote(at) ? [group] : [],
    )
  }

  #loadedIn(worker: number): Set<string> | undefined {
    const thread = this.#workers.at(worker).current
    if (thread === undefined) return undefined
    const modules = loaded.get(thread) ?? new Set()
    loaded.set(thread, modules)
    return modules
  }

  // ---- Whether all have the same flow

  #compare(fingerprints: readonly Fingerprint[]): void {
    const { bundled, url } = this.run.origin
    const own = fingerprintOf(this.plan)
    for (const [worker, fingerprint] of fingerprints.entries()) {
      const there = `in worker ${worker}`
      const first = fingerprints[0] ?? fingerprint
      const difference =
        firstDifference(own, fingerprint, { here: 'in the program', there, texts: !bundled }) ??
        firstDifference(first, fingerprint, { here: 'in worker 0', there })
      if (difference === undefined) continue
      throw new FlowError(
        'different_module',
        `${url} defines another flow in each thread: ${difference}. A flow may depend on nothing but its parameters: not on the time, the environment, or whether it is in a worker`,
      )
    }
  }
}
