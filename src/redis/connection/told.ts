/** What is told of answers. */

import type { Message } from '../../broadway/message.ts'
import type { Process } from '../../process/process.ts'
import { channels } from '../../telemetry/channels.ts'

/** Says in telemetry how many messages were answered for in which way. */
export function told(process: Process, counts: Readonly<Record<'ack' | 'retry' | 'dead_letter', number>>): void {
  for (const answer of ['ack', 'retry', 'dead_letter'] as const) {
    const messages = counts[answer]
    if (messages === 0) continue
    if (channels.redisAck.hasSubscribers) channels.redisAck.publish({ process: `${process}`, answer, messages })
  }
}

/** Why a message failed, as text. */
export function reasonOf({ status }: Message): string {
  if (status === 'ok') return ''
  const { reason } = status
  return reason instanceof Error ? reason.message || reason.name : String(reason)
}
