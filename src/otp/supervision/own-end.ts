/** Why a supervisor ended by itself: its exit reason is `shutdown` in any case. */

import { type ExitReason, isOrderly } from '../../process/exit-reason.ts'
import type { Process } from '../../process/process.ts'

/** A child needed too many restarts, or the significant children are done: in order, or one of them with a failure. */
export type OwnEnd = 'gave up' | 'significant child ended' | 'significant child failed'

const ends = new WeakMap<Process, OwnEnd>()

/** A supervisor decides to end; the first decision counts. */
export function noteOwnEnd(supervisor: Process, end: OwnEnd): void {
  if (!ends.has(supervisor)) ends.set(supervisor, end)
}

/** Why a supervisor decided to end; `undefined` for those that did not, and for other processes. */
export function ownEndOf(process: Process): OwnEnd | undefined {
  return ends.get(process)
}

/** A process did not end in order, or it is a supervisor that only seems to. */
export function hasFailed(process: Process | undefined, reason: ExitReason): boolean {
  const own = process && ends.get(process)
  return !isOrderly(reason) || own === 'gave up' || own === 'significant child failed'
}
