/** What pipelines of tests run in workers. */

import { threadId } from 'node:worker_threads'
import { ackImmediately, type Message, type PipelineStage } from 'sluice/broadway'

type Incoming = Message<number, 'default'>

/** Which batcher, and in which thread. */
export function sort(message: Incoming): Message<{ readonly n: number; readonly thread: number }, 'even' | 'odd'> {
  const { data: n } = message
  return message.putData({ n, thread: threadId }).putBatcher(n % 2 === 0 ? 'even' : 'odd')
}

/** Fails in every way, by number. */
export async function fails(message: Incoming): Promise<Incoming> {
  switch (message.data) {
    case 1:
      throw new RangeError('one')
    case 2:
      return message.failed('two')
    case 3:
      return Promise.reject(new TypeError('three'))
    case 4:
      return 'four' as never
    case 5:
      return message.putData((() => 5) as never)
    case 6:
      return await ackImmediately(message)
    default:
      return message
  }
}

/** Never returns for 13. */
export function fussy(message: Message<readonly [n: number, stuck: SharedArrayBuffer], 'default'>): typeof message {
  const [n, stuck] = message.data
  if (n !== 13) return message
  Atomics.store(new Int32Array(stuck), 0, 1)
  for (;;);
}

/** Never answers for those that are doomed, and says that it has them. */
export async function hang(message: Message<Doomed, 'default'>): Promise<typeof message> {
  const { n, doomed, begun } = message.data
  if (doomed) {
    Atomics.store(new Uint8Array(begun), n, 1)
    await new Promise(() => {})
  }
  // Others come between.
  await Promise.resolve()
  return message
}

/** The number of a message, and a byte for each, which is set when it has begun. */
export interface Doomed {
  readonly n: number
  readonly doomed: boolean
  readonly begun: SharedArrayBuffer
}

/** What it is given beside the message. */
export function told(
  message: Incoming,
  context: { readonly rate: number },
  { pipeline, key, index }: PipelineStage,
): Message<unknown, 'default'> {
  return message.putData({ context, pipeline, key, index, metadata: message.metadata, attempts: message.attempts })
}

/** Fails at first. */
export function atLast(message: Incoming): Message<unknown, 'default'> {
  if (message.attempts < 3) throw new RangeError('not yet')
  return message.putData([message.data, message.attempts])
}
