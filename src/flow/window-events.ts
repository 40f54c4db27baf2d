/** What one firing of a window emitted, on its way to the stage that puts the partitions of a window together again. */

import type { WindowId } from './window/window.ts'

export class WindowEvents {
  readonly id: WindowId
  readonly events: readonly unknown[]
  /** The partition sends no more of this window. */
  readonly closes: boolean
  /** Stands for the window where no other partition has a part of it. */
  readonly alone: object | undefined

  constructor(id: WindowId, events: readonly unknown[], closes: boolean, alone: object | undefined) {
    this.id = id
    this.events = events
    this.closes = closes
    this.alone = alone
  }
}
