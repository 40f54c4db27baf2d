/** The worker threads of a runtime: their numbers, the ports between them, and whether their work keeps the program alive. */

import { MessageChannel, type MessagePort } from 'node:worker_threads'
import type { ExitReason } from '../process/exit-reason.ts'
import type { Runtime } from '../process/runtime.ts'
import { WorkerError } from './errors.ts'
import type { Peer } from './peer.ts'
import { keepPlaces, Places, placesOf } from './places.ts'
import type { Thread } from './thread.ts'
import type { Frame, PlaceId } from './wire.ts'
import { sendable } from './wire-error.ts'

export class Threads {
  readonly places: Places
  readonly #threads = new Map<PlaceId, Thread>()
  /** What others are told of those that have ended. */
  readonly #ends = new Map<PlaceId, Frame>()
  /** Pairs of workers that have a port, the smaller number first. */
  readonly #connected = new Set<string>()
  #last: PlaceId = 0

  constructor(places: Places) {
    this.places = places
  }

  /** A new thread: gives it a number and a line. */
  add(thread: Thread): { readonly peer: Peer; readonly port: MessagePort } {
    const place = ++this.#last
    const { port1, port2 } = new MessageChannel()
    const peer = this.places.add(place, thread)
    peer.line.open(port1)
    this.#threads.set(place, thread)
    return { peer, port: port2 }
  }

  /** A worker knows a process of another one: they get a port of their own. */
  connect(from: Thread, to: PlaceId): void {
    const other = this.#threads.get(to)
    if (other === undefined) {
      return from.peer.line.send(this.#ends.get(to) ?? ['closed', to, 'noproc', undefined])
    }
    const pair = [from.peer.place, to].sort((a, b) => a - b).join(' ')
    if (this.#connected.has(pair)) return
    this.#connected.add(pair)
    const { port1, port2 } = new MessageChannel()
    from.peer.line.send(['connected', to, port1], port1)
    other.peer.line.send(['connected', from.peer.place, port2], port2)
  }

  /** A thread has ended: so have its processes, for everyone. */
  ended(thread: Thread, reason: ExitReason): void {
    const { last, peer } = thread
    const { place } = peer
    const closed: Frame = ['closed', place, sendable(reason), last && { id: last.id, reason: sendable(last.reason) }]
    this.#threads.delete(place)
    this.#ends.set(place, closed)
    for (const other of this.#threads.values()) other.peer.line.send(closed)
    this.places.closed(place, reason)
    this.holdBusy()
  }

  /** Threads with work keep the program alive, and so does what is on its way between them. */
  holdBusy(): void {
    let onTheirWay = 0
    for (const thread of this.#threads.values()) onTheirWay += thread.sentToOthers - thread.receivedFromOthers
    for (const thread of this.#threads.values()) thread.hold(!thread.quiet || onTheirWay > 0)
  }
}

const known = new WeakMap<Runtime, Threads>()

/** @throws `WorkerError` `bad_options` inside a worker. */
export function threadsOf(runtime: Runtime): Threads {
  const existing = known.get(runtime)
  if (existing !== undefined) return existing
  if (placesOf(runtime) !== undefined) {
    const text = 'a worker cannot start workers: start the process from the main thread, and send its ref'
    throw new WorkerError('bad_options', text)
  }
  const threads = new Threads(keepPlaces(new Places(runtime, 0, () => {})))
  known.set(runtime, threads)
  return threads
}
