/** The locks of a registry: per key one process at a time, in the order of asking. Locks have nothing to do with entries. */

import type { DeadlineList, Expiring } from '../../process/deadlines.ts'
import { ProcessError } from '../../process/errors.ts'
import type { Process } from '../../process/process.ts'
import { describeKey } from './registry-table.ts'

export class RegistryLocks {
  readonly #process: Process
  /** Per key who has the lock, then who waits for it. */
  readonly #queues = new Map<unknown, Turn[]>()

  constructor(process: Process) {
    this.#process = process
    process.onEnd(() => this.#close())
  }

  /** Waits for the lock of a key, runs `work` and lets go. A process that dies loses its place, or the lock. */
  async run<R>(owner: Process, key: unknown, work: () => R): Promise<Awaited<R>> {
    if (!owner.alive) throw new ProcessError('bad_argument', `${owner} has ended, it cannot take a lock`)
    const turn = new Turn(owner)
    const queue = this.#queues.get(key)
    if (queue === undefined) this.#queues.set(key, [turn])
    else queue.push(turn)
    const leave = (): void => this.#leave(key, turn)
    owner.onEnd(leave)
    try {
      if (queue !== undefined) await turn.comes()
      // Killed after the lock was given, before it could be used.
      if (!owner.alive) return await new Promise<never>(() => {})
      return await work()
    } finally {
      owner.offEnd(leave)
      leave()
    }
  }

  #leave(key: unknown, turn: Turn): void {
    const queue = this.#queues.get(key)
    const place = queue?.indexOf(turn) ?? -1
    if (queue === undefined || place < 0) return
    queue.splice(place, 1)
    turn.leave()
    if (queue.length === 0) this.#queues.delete(key)
    // Who has it already does not mind.
    else queue[0]?.grant()
  }

  #close(): void {
    for (const [key, queue] of this.#queues) {
      const text = `the lock ${describeKey(key)} of ${this.#process} was not given: the registry has ended`
      for (const turn of queue) turn.refuse(new ProcessError('noproc', text))
    }
    this.#queues.clear()
  }
}

/** A place in the queue for a lock. It waits without a deadline, but counts as waiting. */
class Turn implements Expiring {
  previousDeadline: Expiring | undefined = undefined
  nextDeadline: Expiring | undefined = undefined
  deadlineList: DeadlineList | undefined = undefined
  deadline = 0
  readonly #owner: Process
  #settle: { readonly grant: () => void; readonly refuse: (error: Error) => void } | undefined = undefined

  constructor(owner: Process) {
    this.#owner = owner
  }

  /** Resolves when it has the lock; never, when the process dies before. */
  comes(): Promise<void> {
    const { runtime } = this.#owner
    runtime.deadlines.add(this, Infinity)
    runtime.scheduler.markTurn()
    return new Promise((grant, refuse) => {
      this.#settle = { grant, refuse }
    })
  }

  grant(): void {
    this.#take()?.grant()
  }

  refuse(error: Error): void {
    this.#take()?.refuse(error)
  }

  leave(): void {
    this.#take()
  }

  expire(): void {}

  #take(): { readonly grant: () => void; readonly refuse: (error: Error) => void } | undefined {
    const settle = this.#settle
    if (settle === undefined) return undefined
    this.#settle = undefined
    this.#owner.runtime.deadlines.remove(this)
    return settle
  }
}
