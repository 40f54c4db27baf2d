import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { AssignedPartition } from '../../src/kafka/source/assigned-partition.ts'
import { OffsetTracker } from '../../src/kafka/source/offset-tracker.ts'

const range = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, index) => from + index)

/** A partition whose messages have been emitted; and where the group is to go on after each acknowledgement that says so. */
function partitionOf(offsets: readonly number[]) {
  const commits: number[] = []
  const owner = { name: 'source', advanced: (at: AssignedPartition) => commits.push(at.committable), settled() {} }
  const partition = new AssignedPartition(owner, { topic: 't', partition: 0, leader: 1 }, offsets[0] ?? 0)
  const record = { key: undefined, value: Buffer.alloc(0), timestamp: 0, headers: {} }
  const records = offsets.map((offset) => ({ ...record, offset }))
  partition.read({ topic: 't', partition: 0, records, next: (offsets.at(-1) ?? 0) + 1, error: 0 })
  partition.take(offsets.length)
  return { partition, commits }
}

describe('the offsets of a partition', () => {
  it('B163 what is done in order can be committed, up to the next that is not', () => {
    const { partition, commits } = partitionOf(range(10, 19))
    partition.done([10, 13, 14])
    expect(commits).toEqual([11])
    partition.done([11, 12, 15, 16, 17, 18, 19])
    expect(commits).toEqual([11, 20])
    expect(partition.offsets.size).toBe(0)
  })

  it('B163 what is missing in a compacted topic is no hole', () => {
    const { partition, commits } = partitionOf([11, 13, 15, 17, 19])
    partition.done([11, 15])
    expect(commits).toEqual([13])
    partition.done([13])
    expect(commits).toEqual([13, 17])
  })

  it('B163 what was done before, or is not under way, changes nothing', () => {
    const { partition, commits } = partitionOf([10, 12, 14])
    partition.done([9, 11, 15])
    partition.done([12, 12])
    expect(commits).toEqual([])
    expect(partition.offsets.size).toBe(2)
    partition.done([10])
    partition.done([10, 12])
    expect(commits).toEqual([14])
  })

  it('B163 what was read and not emitted is not committed', () => {
    const { partition, commits } = partitionOf([0, 1, 2])
    const record = { key: undefined, value: Buffer.alloc(0), timestamp: 0, headers: {} }
    partition.read({ topic: 't', partition: 0, records: [{ ...record, offset: 5 }], next: 9, error: 0 })
    partition.done([0, 1, 2])
    expect(commits).toEqual([5])
    partition.take(1)
    partition.done([5])
    expect(commits).toEqual([5, 9])
  })

  it('B163 in whatever groups they are acknowledged, they end drained, and no commit is behind a hole', () => {
    const offsets = fc.uniqueArray(fc.integer({ min: 10, max: 99 }), { minLength: 1 })
    fc.assert(
      fc.property(
        offsets,
        fc.infiniteStream(fc.nat()),
        fc.array(fc.integer({ min: 1, max: 7 })),
        (given, random, sizes) => {
          const sorted = [...given].sort((a, b) => a - b)
          const left = new Set(sorted)
          const { partition, commits } = partitionOf(sorted)
          const shuffled = sorted.map((offset) => [random.next().value, offset] as const).sort(([a], [b]) => a - b)
          while (shuffled.length > 0) {
            const group = shuffled.splice(0, sizes.shift() ?? 5).map(([, offset]) => offset)
            for (const offset of group) left.delete(offset)
            const before = commits.length
            partition.done(group)
            const oldest = Math.min(...left, (sorted.at(-1) ?? 0) + 1)
            if (commits.length > before) expect(commits.at(-1)).toBe(oldest)
            expect(partition.committable).toBe(oldest)
            expect(partition.offsets.size).toBe(left.size)
          }
          expect(partition.offsets.first).toBeUndefined()
          expect(commits.at(-1)).toBe((sorted.at(-1) ?? 0) + 1)
        },
      ),
    )
  })

  it('B163 a long way does not grow', () => {
    const tracker = new OffsetTracker()
    for (const offset of range(1, 100_000)) {
      tracker.emitted(offset)
      if (offset > 100) tracker.done([offset - 100])
    }
    expect(tracker.size).toBe(100)
    expect(tracker.first).toBe(99_901)
  })
})
