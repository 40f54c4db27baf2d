/**
 * A process that stands for one in another thread. It has no mailbox: what it is sent goes on at once, so that the order of
 * messages and the end of their sender stays what it was. It dies with the other one's reason; who kills it kills the other.
 */

import { isCall } from '../process/call.ts'
import type { ExitReason } from '../process/exit-reason.ts'
import type { Tag } from '../process/message.ts'
import { type Behaviour, Process } from '../process/process.ts'
import type { Runtime } from '../process/runtime.ts'
import type { Peer } from './peer.ts'
import type { WireType } from './wire.ts'

/** The process that it stands for. */
export interface Original {
  readonly peer: Peer
  readonly id: number
  readonly type: WireType | undefined
}

export class StandInProcess extends Process {
  /** `undefined` while the other process is being started. */
  original: Original | undefined = undefined
  /** The other process has ended: nobody needs to be told. */
  originalEnded = false
  /** Called instead of `endAs` when the other process has ended. */
  onOriginalGone: ((reason: ExitReason) => void) | undefined = undefined
  /** Called when somebody has died with whom it is tied: it may have to end, and must be able to. */
  onFateful: (() => void) | undefined = undefined
  /** What was sent before there was anybody to send it to. */
  #early: (readonly [Tag, unknown])[] = []

  constructor(runtime: Runtime, parent: Process | undefined, label: string) {
    super(runtime, parent, label)
    // What an exit signal does, the other process decides.
    this.trap = 'all'
  }

  override deliver(tag: Tag, payload: unknown): void {
    if (!this.alive) return
    if (this.original === undefined) {
      this.#early.push([tag, payload])
      if (isCall(tag)) this.promise(tag)
    } else this.original.peer.forward(this, this.original, tag, payload)
  }

  override deliverNow(tag: Tag, payload: unknown): void {
    this.deliver(tag, payload)
  }

  override signal(from: Process, reason: ExitReason): void {
    super.signal(from, reason)
    if (!from.alive) this.onFateful?.()
  }

  /** The other process is there. */
  standFor(original: Original): void {
    this.original = original
    for (const [tag, payload] of this.#early.splice(0)) this.deliver(tag, payload)
  }

  /** The other process has ended, or its thread. */
  endAs(reason: ExitReason): void {
    this.originalEnded = true
    this.exit(reason, 'signalled')
  }

  override toString(): string {
    const { original } = this
    return original === undefined ? super.toString() : `${this.label} in ${original.peer}`
  }
}

/** What a stand-in does that was made for a ref that came from elsewhere. */
export class StandInBehaviour implements Behaviour {
  readonly #process: StandInProcess

  constructor(process: StandInProcess) {
    this.#process = process
  }

  receive(): void {}

  crashed(): void {}

  ended(): void {
    const { original, originalEnded } = this.#process
    original?.peer.standInEnded(this.#process, original.id, originalEnded)
  }
}
