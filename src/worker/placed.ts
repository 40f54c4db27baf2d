/**
 * A process that this thread started in another one, as it is here: it waits for the start there, stands for the process
 * while it runs, and ends behind it. Supervisors, names and calls see an ordinary process.
 */

import type { Definition } from '../otp/definition.ts'
import type { GenServer } from '../otp/gen-server.ts'
import { ServerBehaviour } from '../otp/server-behaviour.ts'
import { ignore, type Starting } from '../otp/start.ts'
import type { ExitReason } from '../process/exit-reason.ts'
import type { Process } from '../process/process.ts'
import { stubsOf, useStubs } from '../process/stubs.ts'
import { producerBehind, subscribing } from '../stage/subscription-target.ts'
import { moduleFile } from './module-file.ts'
import { checkArgument } from './packing.ts'
import { typeOf } from './places.ts'
import type { Site } from './site.ts'
import { StandInProcess } from './stand-in.ts'
import type { Birth, Thread } from './thread.ts'
import type { WireType } from './wire.ts'

/** What is to run where. */
export interface Placement {
  readonly module: string | URL
  readonly name: string
  readonly site: () => Site
}

export class PlacedBehaviour extends ServerBehaviour implements Birth {
  readonly standIn: StandInProcess
  readonly #placement: Placement
  readonly #argumentOf: (instance: GenServer) => unknown
  #extra: Readonly<Record<string, unknown>> = {}
  #subscribedTo: readonly Process[] = []
  #starting: Starting | undefined = undefined
  #site: Site | undefined = undefined
  #thread: Thread | undefined = undefined
  #letGo: (() => void) | undefined = undefined

  constructor(
    process: Process,
    definition: Definition,
    placement: Placement,
    argumentOf: (instance: GenServer) => unknown,
  ) {
    super(process, definition)
    if (!(process instanceof StandInProcess)) throw new TypeError(`${process} stands for no other process`)
    this.standIn = process
    // Those of its last start, as long as this one does not tell.
    process.stubs = stubsOf(definition.type)
    this.#placement = placement
    this.#argumentOf = argumentOf
    process.onOriginalGone = (reason) => this.#originalGone(reason)
    process.onFateful = () => this.#thread?.mustAnswer()
  }

  // ---- Start

  override configure(_instance: GenServer, options: Readonly<Record<string, unknown>>): void {
    const { subscribeTo } = options
    if (!Array.isArray(subscribeTo)) {
      this.#extra = options
      return
    }
    // Names are known in this thread only, refs everywhere.
    const wanted = subscribeTo.map((given) => {
      const { to, options: terms } = subscribing<never>(given)
      const producer = producerBehind(this.process, to, terms)
      return { producer, given: { ...terms, to: producer.ref } }
    })
    this.#subscribedTo = wanted.map(({ producer }) => producer)
    this.#extra = { ...options, subscribeTo: wanted.map(({ given }) => given) }
  }

  override begin(instance: GenServer, starting: Starting): void {
    const { runtime } = this.process
    const { module, name, site } = this.#placement
    this.instance = instance
    const arg = this.#argumentOf(instance)
    checkArgument(`arg of ${name}`, arg)
    const file = moduleFile(module)
    this.#starting = starting
    this.#site = site()
    const thread = (this.#thread = this.#site.thread(runtime))
    thread.placed++
    this.process.awaiting = 'init'
    this.#letGo = runtime.hold()
    const { parent, restarts } = this.process
    thread.start(
      {
        module: file,
        name,
        arg,
        extra: this.#extra,
        parent: parent && thread.peer.sendRef(parent.ref),
        restarts,
      },
      this,
    )
  }

  born(type: WireType | undefined): void {
    if (type === undefined || this.standIn.stubs === undefined) return
    useStubs(this.definition.type, this.standIn.stubs)
  }

  started(): void {
    const starting = this.#started()
    starting?.started()
  }

  refused(error: unknown): void {
    const starting = this.#started()
    starting?.refuse(error === 'ignore' ? ignore : error)
  }

  #started(): Starting | undefined {
    const starting = this.#starting
    this.#starting = undefined
    this.process.awaiting = undefined
    this.#letGo?.()
    this.#letGo = undefined
    return starting
  }

  // ---- For those who look at it

  override get flows(): boolean {
    return typeOf(this.process)?.stage !== undefined
  }

  override get upstream(): readonly Process[] {
    const known = this.standIn.original?.peer.producersFor(this.standIn) ?? []
    return [...new Set([...this.#subscribedTo, ...known])]
  }

  override announceDrain(): void {
    super.announceDrain()
    const { original } = this.standIn
    original?.peer.announceDrain(original.id)
  }

  // ---- End

  #originalGone(reason: ExitReason): void {
    // Why it was refused comes behind.
    if (this.#starting !== undefined) return
    const { standIn } = this
    const { original } = standIn
    if (this.#site === undefined || this.#thread === undefined || original === undefined) standIn.endAs(reason)
    else this.#site.originalEnded(this.#thread, { id: original.id, reason }, () => standIn.endAs(reason))
  }

  override ended(reason: ExitReason): void {
    const starting = this.#started()
    const { original, originalEnded } = this.standIn
    if (this.#thread !== undefined) this.#thread.placed--
    if (original !== undefined) original.peer.standInEnded(this.standIn, original.id, originalEnded)
    if (this.#thread !== undefined && !originalEnded) this.#site?.killed(this.#thread)
    starting?.refuse(this.#thread?.reason ?? reason)
  }
}
