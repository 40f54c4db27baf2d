/**
 * A line to another thread: frames are collected while processes run, and posted together when they are through. It may be
 * used before its port is there.
 */

import { type MessagePort, receiveMessageOnPort, type TransferListItem } from 'node:worker_threads'
import { WorkerError } from './errors.ts'
import { pack, type ReceiveRef, type SendRef, unpack } from './packing.ts'
import { takeTransfers } from './transfer.ts'
import type { Frame, Parcel } from './wire.ts'

/** Whoever uses a line. */
export interface LineEnd {
  readonly sendRef: SendRef
  readonly receiveRef: ReceiveRef
  received(frame: Frame): void
  /** A frame could not be sent; gives what is sent in its place, in the order of the others. */
  lost(frame: Frame, error: WorkerError): Frame | undefined
  /** All frames of one post have been received. */
  postReceived?(): void
}

const settled = Promise.resolve()
const NONE: readonly TransferListItem[] = []

export class Line {
  /** How often something was posted, and received. */
  posted = 0
  arrived = 0
  /** Called when something is about to be sent. */
  onSend: (() => void) | undefined = undefined
  readonly #end: LineEnd
  #port: MessagePort | undefined = undefined
  #frames: Frame[] = []
  /** What moves with a frame, instead of being copied. */
  #moving = new Map<Frame, readonly TransferListItem[]>()
  #flushing = false
  #closed = false

  constructor(end: LineEnd) {
    this.#end = end
  }

  /** The port is there: what waits is sent. It does not keep the program alive. */
  open(port: MessagePort): void {
    this.#port = port
    port.on('message', this.#received)
    port.unref()
    if (this.#frames.length > 0) this.#flushSoon()
  }

  /** Sends a frame; a port in it is `port`. What else is to move with it is marked. */
  send(frame: Frame, moved?: MessagePort | ArrayBuffer): void {
    if (this.#closed) return
    try {
      const moving = moved === undefined ? takeTransfers(frame) : [moved]
      if (moving !== undefined) this.#moving.set(frame, moving)
    } catch (error) {
      if (!(error instanceof WorkerError)) throw error
      const instead = this.#end.lost(frame, error)
      return instead === undefined ? undefined : this.send(instead)
    }
    this.#frames.push(frame)
    this.onSend?.()
    if (this.#port !== undefined) this.#flushSoon()
  }

  /** The other side has ended: what it has sent before is received now, in front of the news of its end, which came another way. */
  receiveRest(): void {
    const port = this.#port
    if (port === undefined) return
    for (let rest = receiveMessageOnPort(port); rest !== undefined; rest = receiveMessageOnPort(port)) {
      this.#received(rest.message)
    }
  }

  /** Nothing is sent or received any more. */
  close(): void {
    this.#closed = true
    this.#frames = []
    this.#moving.clear()
    this.#port?.close()
    this.#port = undefined
  }

  #flushSoon(): void {
    if (this.#flushing) return
    this.#flushing = true
    void settled.then(this.#flush)
  }

  readonly #flush = (): void => {
    this.#flushing = false
    const frames = this.#frames
    const moving = this.#moving
    if (frames.length === 0 || this.#closed) return
    this.#frames = []
    if (moving.size > 0) this.#moving = new Map()
    try {
      this.#post(frames, [...moving.values()].flat())
    } catch {
      // Refs are among what cannot be cloned, and there is something wrong with few frames, if any.
      this.#postPacked(frames, moving)
    }
  }

  #post(parcels: readonly Parcel[], transfers: readonly TransferListItem[]): void {
    this.#port?.postMessage(parcels, transfers)
    this.posted++
  }

  #postPacked(frames: readonly Frame[], moving: ReadonlyMap<Frame, readonly TransferListItem[]>): void {
    const packed: { readonly frame: Frame; readonly parcel: Parcel }[] = []
    for (const frame of frames) {
      try {
        packed.push({ frame, parcel: pack(frame, this.#end.sendRef) })
      } catch (error) {
        if (!(error instanceof WorkerError)) throw error
        const sent = this.#end.lost(frame, error)
        if (sent !== undefined) packed.push({ frame: sent, parcel: sent })
      }
    }
    try {
      const parcels = packed.map(({ parcel }) => parcel)
      const transfers = packed.flatMap(({ frame }) => moving.get(frame) ?? NONE)
      if (parcels.length > 0) this.#post(parcels, transfers)
    } catch (thrown) {
      const instead: Frame[] = []
      for (const { frame } of packed) {
        const sent = this.#end.lost(frame, unknownReason(thrown))
        if (sent !== undefined) instead.push(sent)
      }
      if (instead.length > 0) this.#post(instead, NONE)
    }
  }

  readonly #received = (parcels: readonly Parcel[]): void => {
    this.arrived++
    for (const parcel of parcels) {
      if (this.#closed) return
      this.#end.received(parcel[0] === 'patched' ? unpack(parcel[1], parcel[2], this.#end.receiveRef) : parcel)
    }
    this.#end.postReceived?.()
  }
}

function unknownReason(thrown: unknown): WorkerError {
  const text = `it could not be sent to another thread: ${thrown instanceof Error ? thrown.message : String(thrown)}`
  return new WorkerError('not_cloneable', text, { cause: thrown })
}
