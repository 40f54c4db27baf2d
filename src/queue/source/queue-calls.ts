/** Calls to a queue, wherever it is. */

import type { CallOptions } from '../../process/call.ts'
import { asName, isName } from '../../process/name.ts'
import type { Calls } from '../../process/ref.ts'
import type { Queue } from '../queue.ts'
import type { QueueTarget } from './source-options.ts'

/** The calls of a queue; one with a name is looked up at each of them. */
export function callsOf<T>(target: QueueTarget<T>, options: CallOptions): Calls<Queue<T>> {
  return isName<Queue<T>>(target) ? asName(target).with(options).call : target.with(options).call
}
