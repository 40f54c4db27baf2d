/** Memory that is handed to another thread instead of being copied. */

import type { TransferListItem } from 'node:worker_threads'
import { WorkerError } from './errors.ts'

const marked = new WeakMap<object, readonly TransferListItem[]>()
/** Nobody pays for looking, as long as nothing was ever marked. */
let anyMarked = false

/**
 * Marks an event, or an argument or reply of a call, so that its memory moves when it is sent to another thread, instead of
 * being copied; the sender can use it no longer. In the same thread nothing happens. Without a list the buffer of a typed
 * array moves, or the `ArrayBuffer` or `MessagePort` itself.
 *
 * @example
 * ```ts
 * import { transfer } from 'sluice/worker'
 *
 * const samples = transfer(new Float64Array(1_000_000))
 * ```
 */
export function transfer<T extends object>(value: T, list: readonly TransferListItem[] = ownMemory(value)): T {
  anyMarked = true
  marked.set(value, list)
  return value
}

function ownMemory(value: object): readonly TransferListItem[] {
  if (ArrayBuffer.isView(value)) return value.buffer instanceof ArrayBuffer ? [value.buffer] : []
  return value instanceof ArrayBuffer ? [value] : []
}

/** What has moved: it is not here any more, and would arrive empty. */
const gone = new WeakSet<object>()

/**
 * What is to move with the parts of a frame, and with their parts; from now on it has gone.
 *
 * @throws `WorkerError` `not_cloneable` when some of it has gone before.
 */
export function takeTransfers(frame: readonly unknown[]): readonly TransferListItem[] | undefined {
  if (!anyMarked) return undefined
  let found: Set<TransferListItem> | undefined
  for (const value of frame.flat()) {
    const items = typeof value === 'object' && value !== null ? marked.get(value) : undefined
    if (items === undefined) continue
    found ??= new Set()
    for (const item of items) {
      if (gone.has(item)) {
        const text = `${kindOf(value)} was to be sent, whose memory has moved to another thread before: transfer what is sent once`
        throw new WorkerError('not_cloneable', text)
      }
      found.add(item)
    }
  }
  for (const item of found ?? []) gone.add(item)
  return found && [...found]
}

function kindOf(value: unknown): string {
  return typeof value === 'object' && value !== null ? `a ${value.constructor?.name ?? 'object'}` : String(value)
}
