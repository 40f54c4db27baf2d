/**
 * The threads that this one knows, and which of its processes they know. A ref is sent as the number of its thread and its
 * own number in it; each thread has one stand-in for a process of another one.
 */

import { ServerBehaviour } from '../otp/server-behaviour.ts'
import type { ExitReason } from '../process/exit-reason.ts'
import { Process } from '../process/process.ts'
import { processOf, type Ref } from '../process/ref.ts'
import type { Runtime } from '../process/runtime.ts'
import { type Stubs, stubsByName } from '../process/stubs.ts'
import { standsForStage } from '../stage/distant-stages.ts'
import { kindOfStage } from '../stage/stage-kind.ts'
import { type Control, Peer } from './peer.ts'
import { Remembered } from './remembered.ts'
import { StandInProcess } from './stand-in.ts'
import type { PlaceId, WireEnd, WireRef, WireType } from './wire.ts'

export class Places {
  readonly runtime: Runtime
  readonly own: PlaceId
  readonly #peers = new Map<PlaceId, Peer>()
  readonly #connect: (to: PlaceId) => void
  /** Processes of this thread that others know, until they end. */
  readonly #shared = new Map<number, Process>()
  readonly #ended = new Remembered<Process>()
  readonly #stubs = new Map<string, Stubs>()

  /** @param connect Has a port made to a thread that this one has no line to. */
  constructor(runtime: Runtime, own: PlaceId, connect: (to: PlaceId) => void) {
    this.runtime = runtime
    this.own = own
    this.#connect = connect
  }

  // ---- Threads

  /** The thread with this number; a line to it is made when there is none. */
  peer(place: PlaceId): Peer {
    const known = this.#peers.get(place)
    if (known !== undefined) return known
    const peer = this.add(place)
    this.#connect(place)
    return peer
  }

  /** Another thread, which a line will lead to. */
  add(place: PlaceId, control?: Control): Peer {
    const peer = new Peer(this, place, control)
    this.#peers.set(place, peer)
    return peer
  }

  /** A thread has ended. It is not forgotten: refs to its processes may still come. */
  closed(place: PlaceId, reason: ExitReason, last?: WireEnd): void {
    const peer = this.#peers.get(place) ?? this.add(place)
    peer.close(reason, last)
  }

  /** The thread with this number, if a line to it is there or on its way. */
  known(place: PlaceId): Peer | undefined {
    return this.#peers.get(place)
  }

  get peers(): Iterable<Peer> {
    return this.#peers.values()
  }

  // ---- Refs

  sendable(ref: Ref): WireRef {
    const process = processOf(ref)
    if (process instanceof StandInProcess && process.original !== undefined) {
      const { peer, id, type } = process.original
      return { place: peer.place, id, label: process.label, type }
    }
    this.share(process)
    return { place: this.own, id: process.id, label: `${process}`, type: typeOf(process) }
  }

  /** The process that a ref which came from another thread stands for here. */
  received(ref: WireRef): Process {
    if (ref.place !== this.own) return this.peer(ref.place).standIn(ref)
    return this.#shared.get(ref.id) ?? this.#ended.get(ref.id) ?? this.#forgotten(ref)
  }

  /** A process that is dead already, and whose ref comes back when nobody here knew it any more. */
  #forgotten({ label, type }: WireRef): Process {
    const process = new Process(this.runtime, undefined, label)
    process.behaviour = { receive() {}, crashed() {}, ended() {} }
    if (type !== undefined) process.stubs = this.stubsOf(type)
    if (type?.stage !== undefined) standsForStage(process, type.stage)
    process.exit('noproc', 'signalled')
    return process
  }

  /** Others may send messages to a process of this thread. */
  share(process: Process): void {
    if (!process.alive || this.#shared.has(process.id)) return
    this.#shared.set(process.id, process)
    process.onEnd(() => {
      this.#shared.delete(process.id)
      this.#ended.keep(process.id, process)
    })
  }

  shared(id: number): Process | undefined {
    return this.#shared.get(id)
  }

  stubsOf(type: WireType): Stubs {
    const key = JSON.stringify(type)
    let stubs = this.#stubs.get(key)
    if (stubs === undefined) {
      stubs = stubsByName(type.messages, type)
      this.#stubs.set(key, stubs)
    }
    return stubs
  }

  /** A process of this thread will be drained. */
  announceDrain({ behaviour }: Process): void {
    if (behaviour instanceof ServerBehaviour) behaviour.announceDrain()
  }
}

/** What others have to know of a process to send messages to it. */
export function typeOf(process: Process): WireType | undefined {
  const { stubs, behaviour } = process
  if (stubs === undefined) return undefined
  const { childType, callTimeout, stopTimeout } = stubs
  const name = behaviour instanceof ServerBehaviour ? behaviour.definition.name : process.label
  return {
    name,
    messages: [...stubs.messages.keys()],
    childType,
    callTimeout,
    stopTimeout,
    stage: kindOfStage(process),
  }
}

const known = new WeakMap<Runtime, Places>()

/** The places of a runtime, once it has any. */
export function placesOf(runtime: Runtime): Places | undefined {
  return known.get(runtime)
}

export function keepPlaces(places: Places): Places {
  known.set(places.runtime, places)
  return places
}
