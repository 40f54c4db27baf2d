/** Notes which messages of a partition are done. */

import type { Acknowledger } from '../../broadway/acknowledger.ts'
import { KafkaError } from '../errors.ts'
import type { AssignedPartition } from './assigned-partition.ts'

export const kafkaAcknowledger: Acknowledger<AssignedPartition, number> = {
  ack(partition, successful, failed) {
    const offsets: number[] = []
    for (const { ackData } of successful) offsets.push(Number(ackData))
    for (const { ackData } of failed) offsets.push(Number(ackData))
    partition.done(offsets)
    if (!partition.gone) return
    const { key, owner } = partition
    throw new KafkaError(
      'revoked',
      `${offsets.length} messages of partition ${key} were handled after ${owner.name} had lost it: its owner gets them again`,
    )
  },
}
