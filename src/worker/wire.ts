/**
 * What goes from one thread to another: frames. Several that belong to the same moment are posted together. A process is a
 * number of its own thread, a call and a subscription are numbers that the asking side has chosen.
 */

import type { MessagePort } from 'node:worker_threads'
import type { Logger } from '../process/logger.ts'
import type { StageInfo } from '../stage/stage-info.ts'
import type { SubscriptionOptions } from '../stage/subscription-options.ts'
import type { PackedNumbers } from './packed-numbers.ts'

/** The number of a thread; the one that starts the others is 0. */
export type PlaceId = number

/** What the other side has to know of a class to make stubs for it. */
export interface WireType {
  readonly name: string
  readonly messages: readonly string[]
  readonly childType: 'worker' | 'supervisor'
  readonly callTimeout: number
  readonly stopTimeout: number
  /** What kind of stage it is, if any. */
  readonly stage: StageInfo['kind'] | undefined
}

/** A ref on its way. */
export interface WireRef {
  readonly place: PlaceId
  readonly id: number
  /** Name and number. */
  readonly label: string
  /** `undefined` for a process without messages. */
  readonly type: WireType | undefined
}

/** An error on its way: the clone of an error loses its code and its class. */
export interface WireError {
  readonly name: string
  readonly message: string
  readonly stack: string | undefined
  readonly cause: WireReason | undefined
  /** Its other properties, as far as they can be sent. */
  readonly more: Readonly<Record<string, unknown>>
}

/** An exit reason on its way. */
export type WireReason =
  | string
  | { readonly error: WireError }
  | { readonly shutdown: unknown }
  | { readonly value: unknown }

/** How a process has ended. */
export interface WireEnd {
  readonly id: number
  readonly reason: WireReason
}

/** Where in a frame something stood that cannot be cloned, and what it is to become again. */
export interface Patch {
  readonly path: readonly (string | number)[]
  readonly ref?: WireRef
  readonly error?: WireError
}

/** What a worker has to know to start a process. */
export interface StartRequest {
  readonly module: string
  readonly name: string
  readonly arg: unknown
  /** The options that only this kind of process takes. */
  readonly extra: Readonly<Record<string, unknown>>
  /** Whom it is linked to. */
  readonly parent: WireRef | undefined
  readonly restarts: number
}

/** To a process. */
export type ProcessFrame =
  | readonly [op: 'send', id: number, message: unknown]
  | readonly [op: 'cast', id: number, method: string, args: readonly unknown[]]
  | readonly [op: 'call', id: number, call: number, method: string, args: readonly unknown[]]
  | readonly [op: 'signal', id: number, from: WireRef, fromIsDead: boolean, reason: WireReason]
  | readonly [op: 'stop', id: number, drain: boolean, reason: WireReason]
  | readonly [op: 'drainAnnounced', id: number]
  | readonly [op: 'kill', id: number]

/** About a process, or a call to one. */
type NewsFrame =
  | readonly [op: 'reply', call: number, value: unknown]
  | readonly [op: 'failed', call: number, error: WireReason]
  | readonly [op: 'abandoned', call: number]
  | readonly [op: 'watch', id: number]
  | readonly [op: 'gone', id: number, reason: WireReason]

/** Between producers and consumers. A subscription has the number that the consumer's side gave it. */
export type StageFrame =
  | readonly [
      op: 'subscribe',
      producer: number,
      subscription: number,
      consumer: WireRef,
      options: SubscriptionOptions<never>,
      replaced: { readonly subscription: number; readonly reason: WireReason } | undefined,
    ]
  | readonly [op: 'ask', subscription: number, demand: number]
  | readonly [op: 'cancel', subscription: number, reason: WireReason]
  | readonly [op: 'events', subscription: number, events: readonly unknown[] | PackedNumbers]
  | readonly [op: 'cancelled', subscription: number, reason: WireReason]

/** Between the thread that starts workers and a worker. */
export type ControlFrame =
  | readonly [op: 'start', request: number, start: StartRequest, loader: string | undefined]
  | readonly [op: 'born', request: number, ref: WireRef]
  | readonly [op: 'started', request: number]
  | readonly [op: 'refused', request: number, error: WireReason]
  | readonly [op: 'connect', to: PlaceId]
  | readonly [op: 'connected', to: PlaceId, port: MessagePort]
  | readonly [op: 'closed', place: PlaceId, reason: WireReason, last: WireEnd | undefined]
  | readonly [
      op: 'log',
      level: keyof Logger,
      fields: Readonly<Record<string, unknown>>,
      error: WireReason | undefined,
      text: string,
    ]
  | readonly [op: 'busy']
  | readonly [op: 'idle', received: number, sentToOthers: number, receivedFromOthers: number]
  | readonly [op: 'ping', number: number]
  | readonly [op: 'pong', number: number]
  | readonly [op: 'end']

export type Frame = ProcessFrame | NewsFrame | StageFrame | ControlFrame

/** What is posted: frames, some of them with something to put back into them. */
export type Parcel = Frame | readonly [op: 'patched', frame: Frame, patches: readonly Patch[]]
