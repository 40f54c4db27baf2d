/** What one firing of a window emitted, on its way to the stage that puts the partitions of a window together again. */

import type { WindowId } from './window/window.ts'

/** Plain data, so that it can be sent to another thread. */
export interface WindowEvents {
  readonly id: WindowId
  readonly events: readonly unknown[]
  /** The partition sends no more of this window. */
  readonly closes: boolean
  /** Stands for the window where no other partition has a part of it. */
  readonly alone: string | undefined
}

export function isWindowEvents(event: unknown): event is WindowEvents {
  return typeof event === 'object' && event !== null && 'closes' in event && 'events' in event && 'id' in event
}
