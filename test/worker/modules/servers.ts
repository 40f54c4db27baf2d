/** Servers for tests, which run in workers. */

import { threadId } from 'node:worker_threads'
import { Exit, type ExitReason, GenServer, type Ref } from 'sluice'
import { collectGarbage } from '../../support/gc.ts'

export class Counter extends GenServer {
  static override readonly callTimeout: number = 20_000
  #count: number

  constructor({ from = 0 }: { readonly from?: number } = {}) {
    super()
    this.#count = from
  }

  add(n: number): number {
    this.#count += n
    return this.#count
  }

  async addSlowly(n: number): Promise<number> {
    await Promise.resolve()
    return this.add(n)
  }

  thread(): number {
    return threadId
  }

  /** What it got, as this thread sees it. */
  describe(value: unknown): string {
    return `${Object.prototype.toString.call(value)} ${JSON.stringify(value)}`
  }

  fails(): never {
    throw new RangeError('no more')
  }

  refuses(): unknown {
    return this.later(() => Promise.reject(new RangeError('not this one')))
  }

  givesFunction(): unknown {
    return { nested: [() => 1] }
  }

  leaves(reason: string): string {
    this.stop(reason)
    return 'bye'
  }

  never(): Promise<void> {
    return new Promise(() => {})
  }

  /** Holds up its thread, from when it sets the first number of the gate until the second one is set. */
  stands(gate: SharedArrayBuffer): void {
    const numbers = new Int32Array(gate)
    Atomics.store(numbers, 0, 1)
    Atomics.wait(numbers, 1, 0)
  }
}

/** Tells somebody elsewhere what happens to it. */
export class Reporter extends GenServer {
  readonly #to: Ref

  constructor({ to }: { readonly to: Ref }) {
    super()
    this.#to = to
    to.send({ constructed: this.self })
  }

  override init(): void {
    this.trapExits(true)
  }

  tie(other: Ref): void {
    this.link(other)
  }

  /** Calls a process that may be anywhere. */
  async ask(counter: Ref<Counter>): Promise<number> {
    return (await counter.call.add(1)) + 100
  }

  me(): Ref {
    return this.self
  }

  override handleInfo(message: unknown): void {
    if (message instanceof Exit) this.#to.send({ exit: message.reason, from: message.from })
    else this.#to.send({ got: message })
  }

  override terminate(reason: ExitReason): void {
    this.#to.send({ terminated: reason })
  }
}

/** Holds what it was made with, for as long as it takes. */
export class Waiter extends GenServer {
  override init(): Promise<void> {
    return new Promise(() => {})
  }
}

export class Refuser extends GenServer {
  override init(): void {
    throw new RangeError('not today')
  }
}

/** Holds what it is given, so that it is missed when it is not let go. */
export class Freight extends GenServer {
  readonly #freight: readonly number[]

  constructor({ freight }: { readonly freight: readonly number[] }) {
    super()
    this.#freight = freight
  }

  unload(): number {
    this.stop('normal')
    return this.#freight.length
  }
}

/** Tells how much its thread holds. */
export class Gauge extends GenServer {
  async heap(): Promise<number> {
    await collectGarbage()
    return process.memoryUsage().heapUsed
  }
}

export const nothing = 1

export class NoProcess {
  readonly name = 'no process'
}
