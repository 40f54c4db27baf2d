import { describe, expect, it } from 'vitest'
import { readBatches } from '../../src/kafka/client/platformatic-records.ts'

type Batch = Parameters<typeof readBatches>[0][number]

const TRANSACTIONAL = 16
const CONTROL = 32
const APPEND_TIME = 8

/** A batch of a producer, with messages from an offset on. */
function batch(producer: number, first: number, count: number, attributes = TRANSACTIONAL): Batch {
  return {
    firstOffset: BigInt(first),
    lastOffsetDelta: count - 1,
    firstTimestamp: 1000n,
    attributes,
    producerId: BigInt(producer),
    records: Array.from({ length: count }, (_, offsetDelta) => ({
      length: 0,
      attributes: 0,
      timestampDelta: BigInt(offsetDelta),
      offsetDelta,
      key: null,
      value: Buffer.from(String(first + offsetDelta)),
      headers: [],
    })),
  }
}

/** What ends a transaction: its key has a version and a type. */
function ending(producer: number, offset: number, type: 'abort' | 'commit'): Batch {
  const [record] = batch(producer, offset, 1).records
  const key = Buffer.from([0, 0, 0, type === 'abort' ? 0 : 1])
  if (record === undefined) throw new Error('a batch without records')
  return { ...batch(producer, offset, 1, TRANSACTIONAL | CONTROL), records: [{ ...record, key }] }
}

const aborted = (producer: number, first: number) => ({ producerId: BigInt(producer), firstOffset: BigInt(first) })
const offsetsOf = (...given: Parameters<typeof readBatches>) =>
  readBatches(...given).records.map(({ offset }) => offset)

describe('what a broker sends', () => {
  it('begins at the offset that was asked for, though a batch may begin before', () => {
    const { records, next } = readBatches([batch(-1, 10, 5, 0)], [], 12)
    expect(records.map(({ offset, timestamp, value }) => [offset, timestamp, String(value)])).toEqual([
      [12, 1002, '12'],
      [13, 1003, '13'],
      [14, 1004, '14'],
    ])
    expect(next).toBe(15)
  })

  it('of transactions is read when they were committed; the next fetch begins behind what was left out', () => {
    const batches = [
      batch(1, 0, 2),
      batch(2, 2, 2),
      batch(3, 4, 1, 0),
      ending(1, 5, 'abort'),
      ending(2, 6, 'commit'),
      batch(1, 7, 2),
      ending(1, 9, 'commit'),
    ]
    const { records, next } = readBatches(batches, [aborted(1, 0)], 0)
    expect(records.map(({ offset }) => offset)).toEqual([2, 3, 4, 7, 8])
    expect(next).toBe(10)
  })

  it('may be one aborted transaction after another, of the same producer', () => {
    const batches = [batch(1, 0, 1), ending(1, 1, 'abort'), batch(1, 2, 1), ending(1, 3, 'abort'), batch(1, 4, 1)]
    expect(offsetsOf(batches, [aborted(1, 2), aborted(1, 0)], 0)).toEqual([4])
    expect(offsetsOf([], [], 7)).toEqual([])
    expect(readBatches([], [], 7).next).toBe(7)
  })

  it('may be timed by the broker', () => {
    const stamped = { ...batch(-1, 0, 2, APPEND_TIME), maxTimestamp: 7000n }
    expect(readBatches([stamped], [], 0).records.map(({ timestamp }) => timestamp)).toEqual([7000, 7000])
  })

  it('has headers by name, the same one maybe several times', () => {
    const [record] = batch(-1, 0, 1, 0).records
    if (record === undefined) throw new Error('a batch without records')
    const headers = [
      ['a', '1'],
      ['b', '2'],
      ['a', '3'],
      ['a', '4'],
    ].map(([name = '', value = '']): [Buffer, Buffer] => [Buffer.from(name), Buffer.from(value)])
    const { records } = readBatches([{ ...batch(-1, 0, 1, 0), records: [{ ...record, headers }] }], [], 0)
    expect(records[0]?.headers).toEqual({ a: ['1', '3', '4'].map((text) => Buffer.from(text)), b: Buffer.from('2') })
  })
})
