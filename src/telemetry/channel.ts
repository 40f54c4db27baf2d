/** A `diagnostics_channel` whose messages have a type, and whose listeners cannot break what they listen to. */

import type { AsyncLocalStorage } from 'node:async_hooks'
import { channel } from 'node:diagnostics_channel'

export type Listener<T> = (message: T, name: string | symbol) => void

/**
 * One kind of event. A listener that throws is removed, with a warning of the process, and nobody else notices. (One that was
 * subscribed past this object, by `diagnostics_channel.subscribe(name)`, throws an uncaught error, as everywhere in Node.)
 */
export interface TypedChannel<T> {
  readonly name: string
  readonly hasSubscribers: boolean
  publish(message: T): void
  subscribe(listener: Listener<T>): void
  /** False when it was not subscribed, or was removed. */
  unsubscribe(listener: Listener<T>): boolean
  /**
   * For an event that begins something: what is done until its end, whatever it awaits, has the value in the store. So what a
   * database client traces has the right parent.
   */
  bindStore<Store>(store: AsyncLocalStorage<Store>, value: (message: T) => Store): void
  unbindStore<Store>(store: AsyncLocalStorage<Store>): boolean
  /** Publishes, and calls with the stores that are bound. */
  runStores<Result>(message: T, run: () => Result): Result
}

/** What Node's channel is for messages of a type. */
interface NodeChannel<T> {
  readonly hasSubscribers: boolean
  publish(message: T): void
  subscribe(listener: Listener<T>): void
  unsubscribe(listener: Listener<T>): unknown
  bindStore: TypedChannel<T>['bindStore']
  unbindStore: TypedChannel<T>['unbindStore']
  runStores: TypedChannel<T>['runStores']
}

class GuardedChannel<T> implements TypedChannel<T> {
  readonly name: string
  readonly #node: NodeChannel<T>
  readonly #guards = new WeakMap<Listener<T>, Listener<T>>()

  constructor(name: string) {
    this.name = name
    this.#node = channel(name) as unknown as NodeChannel<T>
  }

  get hasSubscribers(): boolean {
    return this.#node.hasSubscribers
  }

  publish(message: T): void {
    this.#node.publish(message)
  }

  subscribe(listener: Listener<T>): void {
    let guard = this.#guards.get(listener)
    if (guard === undefined) {
      guard = (message, name) => {
        try {
          listener(message, name)
        } catch (error) {
          this.unsubscribe(listener)
          process.emitWarning(`a listener of ${this.name} threw, and was removed: ${error}`, 'SluiceWarning')
        }
      }
      this.#guards.set(listener, guard)
    }
    this.#node.subscribe(guard)
  }

  unsubscribe(listener: Listener<T>): boolean {
    const guard = this.#guards.get(listener)
    return guard !== undefined && this.#node.unsubscribe(guard) === true
  }

  bindStore<Store>(store: AsyncLocalStorage<Store>, value: (message: T) => Store): void {
    this.#node.bindStore(store, value)
  }

  unbindStore<Store>(store: AsyncLocalStorage<Store>): boolean {
    return this.#node.unbindStore(store)
  }

  runStores<Result>(message: T, run: () => Result): Result {
    return this.#node.runStores(message, run)
  }
}

/** The channel of a name. */
export function typed<T>(name: string): TypedChannel<T> {
  return new GuardedChannel<T>(name)
}
