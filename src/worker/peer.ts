/**
 * Another thread, as this one knows it: the line to it, the processes here that stand for its own, the calls on their way.
 */

import { StartError } from '../otp/errors.ts'
import { type Call, isCall } from '../process/call.ts'
import { ProcessError } from '../process/errors.ts'
import type { ExitReason } from '../process/exit-reason.ts'
import { CAST, DRAIN, EXIT, INFO, isCast, isCastOne, type Method, payloadOf, STOP, Tag } from '../process/message.ts'
import type { Process } from '../process/process.ts'
import { Exit } from '../process/signals.ts'
import { standsForStage } from '../stage/distant-stages.ts'
import { nameOfRequest, requestNamed } from '../stage/stage-requests.ts'
import { isProtocol } from '../stage/subscription.ts'
import type { WorkerError } from './errors.ts'
import { Line, type LineEnd } from './line.ts'
import type { Places } from './places.ts'
import { Remembered } from './remembered.ts'
import { RemoteCall } from './remote-call.ts'
import { StageTraffic } from './stage-traffic.ts'
import { type Original, StandInBehaviour, StandInProcess } from './stand-in.ts'
import type { Frame, PlaceId, ProcessFrame, WireEnd, WireRef } from './wire.ts'
import { receivedReason, sendable } from './wire-error.ts'

/** Takes the frames that are not for processes. */
export interface Control {
  received(frame: Frame): void
  postReceived?(): void
}

export class Peer implements LineEnd {
  readonly place: PlaceId
  readonly line: Line
  /** Something came. */
  onPost: (() => void) | undefined = undefined
  readonly #places: Places
  readonly #control: Control | undefined
  readonly #standIns = new Map<number, StandInProcess>()
  readonly #ended = new Remembered<StandInProcess>()
  readonly #stages: StageTraffic
  /** Processes here whose end is to be told there. */
  readonly #watched = new Set<number>()
  /** Calls to processes there. */
  readonly #calls = new Map<number, Call>()
  #lastCall = 0
  /** Calls to processes here. */
  readonly #asked = new Map<number, RemoteCall>()
  #closed: ExitReason | undefined = undefined

  constructor(places: Places, place: PlaceId, control?: Control) {
    this.#places = places
    this.place = place
    this.#control = control
    this.line = new Line(this)
    this.#stages = new StageTraffic(this, places)
  }

  toString(): string {
    return this.place === 0 ? 'the main thread' : `worker ${this.place}`
  }

  /** The thread has ended: its processes are dead. It may have ended with the `last` of them. */
  close(reason: ExitReason, last?: WireEnd): void {
    if (this.#closed !== undefined) return
    this.line.receiveRest()
    this.#closed = reason
    this.line.close()
    for (const call of this.#asked.values()) call.abandon()
    this.#asked.clear()
    for (const [id, standIn] of [...this.#standIns]) {
      standIn.endAs(id === last?.id ? receivedReason(last.reason) : reason)
    }
    this.#standIns.clear()
    this.#calls.clear()
    this.#stages.close()
  }

  // ---- Stand-ins

  /** The process here that stands for one there. */
  standIn({ id, label, type }: WireRef): StandInProcess {
    const known = this.#standIns.get(id) ?? this.#ended.get(id)
    if (known !== undefined) return known
    const standIn = new StandInProcess(this.#places.runtime, undefined, label)
    standIn.behaviour = new StandInBehaviour(standIn)
    this.adopt(standIn, { peer: this, id, type })
    if (this.#closed === undefined) this.line.send(['watch', id])
    else standIn.endAs(this.#closed)
    return standIn
  }

  /** A process here is to stand for one there, whose end will be told. */
  adopt(standIn: StandInProcess, original: Original): void {
    const { type } = original
    if (type !== undefined) standIn.stubs = this.#places.stubsOf(type)
    if (type?.stage !== undefined) standsForStage(standIn, type.stage)
    this.#standIns.set(original.id, standIn)
    standIn.standFor(original)
  }

  /** A stand-in has ended: with the process there, or because it was killed here. */
  standInEnded(standIn: StandInProcess, id: number, originalEnded: boolean): void {
    this.#standIns.delete(id)
    this.#ended.keep(id, standIn)
    for (const [number, call] of this.#calls) if (call.target === standIn) this.#calls.delete(number)
    this.#stages.standInEnded(standIn)
    if (!originalEnded) this.line.send(['kill', id])
  }

  // ---- To processes there

  /** Sends a message on to the process that a stand-in stands for. */
  forward(standIn: StandInProcess, { id }: Original, tag: Tag, payload: unknown): void {
    const { line } = this
    if (isCall(tag)) this.#call(standIn, id, tag, payloadOf(tag, payload))
    else if (isCastOne(tag)) line.send(['cast', id, nameOf(tag.subject), [payload]])
    else if (isCast(tag)) line.send(['cast', id, nameOf(tag.subject), payloadOf(tag, payload)])
    else if (tag === EXIT && payload instanceof Exit) this.#signal(id, payload)
    else if (tag === STOP) line.send(['stop', id, false, sendable(payload)])
    else if (tag === DRAIN) line.send(['stop', id, true, sendable(payload)])
    else if (isProtocol(tag)) this.#stages.forward(id, tag, payload)
    else if (tag === INFO) line.send(['send', id, payload])
  }

  /** The producers here whose events a process there takes. */
  producersFor(standIn: StandInProcess): readonly Process[] {
    return this.#stages.producersFor(standIn)
  }

  /** The process there will be drained. */
  announceDrain(id: number): void {
    this.line.send(['drainAnnounced', id])
  }

  #call(standIn: StandInProcess, id: number, call: Call, args: readonly unknown[]): void {
    standIn.promise(call)
    const request = nameOfRequest(call.subject)
    if (request === undefined && standIn.stubs?.messages.has(call.method) !== true) {
      const text = `${standIn} has no message ${call.method}; in another thread a process has those of its class only`
      this.#failed(call, new ProcessError('not_a_message', text))
      return
    }
    const number = ++this.#lastCall
    this.#calls.set(number, call)
    call.onGivenUp = () => {
      this.#answered(number)
      this.line.send(['abandoned', number])
    }
    this.line.send(['call', id, number, request ?? call.method, args])
  }

  #signal(id: number, { from, reason }: Exit): void {
    this.line.send(['signal', id, this.#places.sendable(from), !from.alive, sendable(reason)])
  }

  #answered(number: number): Call | undefined {
    const call = this.#calls.get(number)
    this.#calls.delete(number)
    call?.target.answered(call)
    return call
  }

  #failed(call: Call | undefined, error: unknown): void {
    call?.target.answered(call)
    call?.failed(error)
  }

  // ---- From there

  readonly sendRef: LineEnd['sendRef'] = (ref) => this.#places.sendable(ref)
  readonly receiveRef: LineEnd['receiveRef'] = (ref) => this.#places.received(ref).ref

  postReceived(): void {
    this.onPost?.()
    this.#control?.postReceived?.()
  }

  received(frame: Frame): void {
    switch (frame[0]) {
      case 'send':
      case 'cast':
      case 'call':
      case 'signal':
      case 'stop':
      case 'drainAnnounced':
      case 'kill':
        return this.#forProcess(frame)
      case 'watch':
        return this.watch(frame[1])
      case 'gone':
        return this.#gone(frame[1], receivedReason(frame[2]))
      case 'reply':
        return this.#answered(frame[1])?.reply(frame[2])
      case 'failed':
        return this.#failed(this.#answered(frame[1]), receivedReason(frame[2]))
      case 'abandoned':
        return this.#abandoned(frame[1])
      case 'subscribe':
      case 'ask':
      case 'cancel':
      case 'events':
      case 'cancelled':
        return this.#stages.received(frame)
      default:
        this.#control?.received(frame)
    }
  }

  #forProcess(frame: ProcessFrame): void {
    const process = this.#places.shared(frame[1])
    // It has ended, which was told.
    if (process === undefined) return
    switch (frame[0]) {
      case 'send':
        return process.deliver(INFO, frame[2])
      case 'cast': {
        const method = messageOf(process, frame[2])
        if (method !== undefined) process.deliver(new Tag(CAST, method), frame[3])
        return
      }
      case 'call':
        return this.#called(process, frame[2], frame[3], frame[4])
      case 'signal':
        return this.#signalled(process, frame[2], frame[3], receivedReason(frame[4]))
      case 'stop':
        process.stopping = process.stopTimed = true
        return process.deliver(frame[2] ? DRAIN : STOP, receivedReason(frame[3]))
      case 'drainAnnounced':
        return this.#places.announceDrain(process)
      case 'kill':
        return process.kill()
    }
  }

  #called(process: Process, number: number, method: string, args: readonly unknown[]): void {
    const handler = messageOf(process, method)
    const failed = (error: unknown): void => {
      this.#asked.delete(number)
      this.line.send(['failed', number, sendable(error)])
    }
    if (handler === undefined) {
      return failed(new ProcessError('not_a_message', `${process} has no message ${method}`))
    }
    const replied = (value: unknown): void => {
      this.#asked.delete(number)
      this.line.send(['reply', number, value])
    }
    const call = new RemoteCall(process, method, handler, { replied, failed })
    this.#asked.set(number, call)
    process.deliver(call, args)
  }

  #abandoned(number: number): void {
    this.#asked.get(number)?.abandon()
    this.#asked.delete(number)
  }

  /** An exit signal. When its sender has died, and there is a link, the end of its stand-in will bring the same one. */
  #signalled(process: Process, wire: WireRef, fromIsDead: boolean, reason: ExitReason): void {
    const from = this.#places.received(wire)
    if (fromIsDead && process.links.includes(from)) return
    process.signal(from, reason)
  }

  /** Tells the other thread of the end of a process here. */
  watch(id: number): void {
    const process = this.#places.shared(id)
    if (process === undefined) return this.line.send(['gone', id, 'noproc'])
    if (this.#watched.has(id)) return
    this.#watched.add(id)
    process.onEnd((reason) => {
      this.#watched.delete(id)
      this.line.send(['gone', id, sendable(reason)])
    })
  }

  #gone(id: number, reason: ExitReason): void {
    const standIn = this.#standIns.get(id)
    if (standIn === undefined) return
    if (standIn.onOriginalGone === undefined) standIn.endAs(reason)
    else standIn.onOriginalGone(reason)
  }

  // ---- What could not be sent

  lost(frame: Frame, error: WorkerError): Frame | undefined {
    switch (frame[0]) {
      case 'call':
        this.#failed(this.#answered(frame[2]), error)
        return undefined
      case 'reply':
        return ['failed', frame[1], sendable(error)]
      case 'start':
        this.#control?.received([
          'refused',
          frame[1],
          sendable(new StartError('bad_options', error.message, { cause: error })),
        ])
        return undefined
      case 'events':
      case 'subscribe':
        return this.#stages.lost(frame, error)
      default: {
        const { logger } = this.#places.runtime
        logger.error({ to: `${this}`, err: error }, `a message to ${this} was dropped: ${error.message}`)
        return undefined
      }
    }
  }
}

/** How another thread finds what is to be run. */
function nameOf(method: Method): string {
  return nameOfRequest(method) ?? method.name
}

function messageOf(process: Process, name: string): Method | undefined {
  return process.stubs?.messages.get(name) ?? requestNamed(name)
}
