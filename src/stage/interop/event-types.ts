/** The types of emitters and of what they emit. */

import type { EventEmitter } from 'node:events'

/** A Node `EventEmitter`, as far as it is needed. */
export interface NodeEmitter {
  on(event: string, listener: (...values: unknown[]) => void): unknown
  off(event: string, listener: (...values: unknown[]) => void): unknown
}

/** An `EventTarget`, as far as it is needed: a WebSocket, an AbortSignal, an element of a page. */
export interface EmittingTarget {
  addEventListener(event: string, listener: (event: unknown) => void): void
  removeEventListener(event: string, listener: (event: unknown) => void): void
}

/** Anything that emits events: a Node `EventEmitter` or an `EventTarget`. What is both is an emitter. */
export type AnyEmitter = NodeEmitter | EmittingTarget

/** The events that `EventEmitter<{ tick: [number] }>` declares; `never` for one that declares none. */
type Declared<S> =
  S extends EventEmitter<infer Events>
    ? Events extends readonly unknown[]
      ? never
      : string extends keyof Events
        ? never
        : Events
    : never

/** The names of the events: those declared, or any. */
export type EventName<S> = [Declared<S>] extends [never] ? string : Extract<keyof Declared<S>, string>

/** What the listeners of an event are given. */
export type EventValues<S, Name extends string> = S extends NodeEmitter
  ? [Declared<S>] extends [never]
    ? unknown[]
    : Name extends keyof Declared<S>
      ? Extract<Declared<S>[Name], unknown[]>
      : unknown[]
  : // `onmessage` of a WebSocket tells what a `message` is.
    S extends { readonly [Handler in `on${Name}`]: ((event: infer E) => unknown) | null }
    ? [event: E]
    : [event: Event]
