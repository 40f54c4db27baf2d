/** A server that does what it is told, and tells what it hears: an owner for tasks. */

import { GenServer, type Ref } from 'sluice'
import { settlement } from './settlement.ts'

export class Owner extends GenServer {
  readonly #heard: Ref

  constructor(heard: Ref) {
    super()
    this.#heard = heard
  }

  /** Runs a function as this process. */
  do<T>(work: (self: Owner) => T): T {
    return work(this)
  }

  override handleInfo(message: unknown): void {
    this.#heard.send(message)
  }
}

/** A promise in the hands of the test. */
export interface Gate<T = void> {
  readonly opened: Promise<T>
  open(value: T): void
  fail(error: unknown): void
}

export function gate<T = void>(): Gate<T> {
  let open: (value: T) => void = () => {}
  let fail: (error: unknown) => void = () => {}
  const opened = new Promise<T>((resolve, reject) => {
    open = resolve
    fail = reject
  })
  return { opened, open, fail }
}

/** What a promise is rejected with. */
export async function failure(promise: Promise<unknown>): Promise<unknown> {
  const { error, value } = await settlement(promise)
  return error ?? new Error(`it was to fail, and gave ${String(value)}`)
}

/** Runs a function as an owner; typed, which a message with a type parameter is not. */
export async function within<T>(owner: Ref<Owner>, work: (self: Owner) => T): Promise<Awaited<T>> {
  return (await owner.call.do(work)) as Awaited<T>
}
