/**
 * Where the stages of a run are: stage `i` of every layer is in worker `i`, so that what goes from one step to the next often stays in
 * its thread. Sources that lie in parts are read in the workers, others in the thread of the program; so are the consumers at the end.
 */

import { extname } from 'node:path'
import type { GenServer } from '../../otp/gen-server.ts'
import type { Ref } from '../../process/ref.ts'
import { inWorker } from '../../worker/in-worker.ts'
import { Workers } from '../../worker/workers.ts'
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
  readonly #stages: Ref<WorkerLayerStage>[] = []

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

  host(worker: number): typeof FlowHost {
    return inWorker<typeof FlowHost>(hostModule, 'FlowHost', { on: this.#workers.at(worker) })
  }

  /** Starts a stage of a layer. */
  async startStage(
    owner: GenServer,
    place: number,
    index: number,
    inputs: readonly (readonly LayerInput[])[],
  ): Promise<Ref> {
    const before = inputs.flat().flatMap(({ to }) => this.#started.get(to) ?? [])
    const type = inWorker<typeof WorkerLayerStage>(hostModule, 'WorkerLayerStage', { on: this.#workers.at(index) })
    const stage = await owner.startLink(type, { arg: { run: this.run.id, place, index, inputs, before } })
    this.#started.set(stage, stage)
    this.#stages.push(stage)
    return stage
  }

  /** All stages have the subscriptions of those behind them. */
  async subscribed(): Promise<void> {
    // One that fails meanwhile fails the flow.
    await Promise.allSettled(this.#stages.map((stage) => stage.with({ timeout: Infinity }).call.subscribed()))
  }

  reader(worker: number): typeof SplitReader {
    return inWorker<typeof SplitReader>(hostModule, 'SplitReader', { on: this.#workers.at(worker) })
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

  // ---- Whether all have the same flow

  /** @throws `FlowError` `different_module`, which names the first difference. */
  compare(fingerprints: readonly Fingerprint[]): void {
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
