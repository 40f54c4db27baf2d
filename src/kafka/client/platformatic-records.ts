/** What a broker sends of a partition, as messages. */

import type { RecordsBatch } from '@platformatic/kafka'
import type { KafkaHeaders, KafkaRecord } from './port.ts'

type Batch = Pick<
  RecordsBatch,
  'firstOffset' | 'firstTimestamp' | 'attributes' | 'producerId' | 'lastOffsetDelta' | 'records'
>

/** Bits of the attributes of a batch. Source: https://kafka.apache.org/documentation/#recordbatch */
const APPEND_TIME = 0b1000
const TRANSACTIONAL = 0b1_0000
const CONTROL = 0b10_0000
/** The type of a control record that ends a transaction without success. */
const ABORT = 0

const NO_HEADERS: KafkaHeaders = Object.freeze({})
const EMPTY = Buffer.alloc(0)

/** Leaves out what lies before `offset`, and what belongs to transactions that were aborted. */
export function readBatches(
  batches: readonly Batch[],
  aborted: readonly { readonly producerId: bigint; readonly firstOffset: bigint }[],
  offset: number,
): { readonly records: readonly KafkaRecord[]; readonly next: number } {
  const records: KafkaRecord[] = []
  let next = offset
  const begins = [...aborted].sort((a, b) => Number(a.firstOffset - b.firstOffset))
  /** Producers whose transaction will turn out to be aborted. */
  const open = new Set<bigint>()
  for (const batch of batches) {
    const first = Number(batch.firstOffset)
    next = Math.max(next, first + batch.lastOffsetDelta + 1)
    while (begins[0] !== undefined && Number(begins[0].firstOffset) < next) {
      const begun = begins.shift()
      if (begun !== undefined) open.add(begun.producerId)
    }
    if ((batch.attributes & CONTROL) !== 0) {
      if (batch.records[0]?.key?.readInt16BE(2) === ABORT) open.delete(batch.producerId)
    } else if ((batch.attributes & TRANSACTIONAL) === 0 || !open.has(batch.producerId))
      read(batch, first, offset, records)
  }
  return { records, next }
}

function read(batch: Batch, first: number, offset: number, records: KafkaRecord[]): void {
  const begun = Number(batch.firstTimestamp)
  const appended = 'maxTimestamp' in batch ? Number(batch.maxTimestamp) : begun
  for (const { offsetDelta, timestampDelta, key, value, headers } of batch.records) {
    if (first + offsetDelta < offset) continue
    records.push({
      offset: first + offsetDelta,
      key: key ?? undefined,
      value: value ?? undefined,
      timestamp: (batch.attributes & APPEND_TIME) === 0 ? begun + Number(timestampDelta) : appended,
      headers: headersOf(headers),
    })
  }
}

function headersOf(entries: readonly (readonly [Buffer | null, Buffer | null])[]): KafkaHeaders {
  if (entries.length === 0) return NO_HEADERS
  const headers: Record<string, Buffer | readonly Buffer[]> = {}
  for (const [name, value] of entries) {
    const key = String(name ?? '')
    const before = headers[key]
    const one = value ?? EMPTY
    if (before === undefined) headers[key] = one
    else headers[key] = Buffer.isBuffer(before) ? [before, one] : [...before, one]
  }
  return headers
}
