import { AssignerProtocol, PartitionAssigners } from 'kafkajs'
import { describe, expect, it } from 'vitest'
import { ASSIGNORS } from '../../src/kafka/group/assignors.ts'
import {
  decodeAssignment,
  decodeSubscription,
  encodeAssignment,
  encodeSubscription,
} from '../../src/kafka/group/group-protocol.ts'

const { MemberMetadata, MemberAssignment } = AssignerProtocol
const partitions = (topic: string, count: number) =>
  Array.from({ length: count }, (_, partition) => ({ topic, partition }))
const shown = (distribution: ReturnType<(typeof ASSIGNORS)['range']>) =>
  Object.fromEntries(
    [...distribution].map(([id, list]) => [id, list.map((at) => `${at.topic}${at.partition}`).join(' ')]),
  )

describe('what members of a group tell each other', () => {
  it('is understood by other clients, and theirs by us', () => {
    const topics = ['orders', 'größen']
    expect(MemberMetadata.decode(encodeSubscription(topics))?.topics).toEqual(topics)
    const userData = Buffer.from('whatever')
    expect(decodeSubscription(MemberMetadata.encode({ version: 1, topics, userData }))).toEqual(topics)
    const assigned = [...partitions('a', 3), { topic: 'b', partition: 7 }]
    expect(MemberAssignment.decode(encodeAssignment(assigned))?.assignment).toEqual({ a: [0, 1, 2], b: [7] })
    const theirs = MemberAssignment.encode({ version: 1, assignment: { a: [0, 1, 2], b: [7] }, userData })
    expect(decodeAssignment(theirs)).toEqual(assigned)
    expect(decodeAssignment(Buffer.alloc(0))).toEqual([])
    expect(PartitionAssigners.roundRobin).toBeDefined()
  })
})

describe('partitions', () => {
  const both = ['a', 'b']
  const members = [
    { memberId: 'y', topics: both },
    { memberId: 'x', topics: both },
  ]

  it('are given to members in turn', () => {
    const distribution = ASSIGNORS.roundrobin(members, [...partitions('b', 3), ...partitions('a', 3)])
    expect(shown(distribution)).toEqual({ x: 'a0 a2 b1', y: 'a1 b0 b2' })
  })

  it('of each topic are given in ranges', () => {
    const distribution = ASSIGNORS.range(members, [...partitions('b', 2), ...partitions('a', 3)])
    expect(shown(distribution)).toEqual({ x: 'a0 a1 b0', y: 'a2 b1' })
  })

  it.each(['roundrobin', 'range'] as const)('go only to members that subscribe to their topic: %s', (name) => {
    const three = [...members, { memberId: 'z', topics: ['c'] }]
    const distribution = ASSIGNORS[name](three, [...partitions('a', 2), ...partitions('c', 2), ...partitions('d', 1)])
    expect(shown(distribution)).toEqual({ x: 'a0', y: 'a1', z: 'c0 c1' })
  })

  it('fewer than members leave some without', () => {
    expect(shown(ASSIGNORS.range(members, partitions('a', 1)))).toEqual({ x: 'a0', y: '' })
    expect(shown(ASSIGNORS.roundrobin(members, partitions('a', 1)))).toEqual({ x: 'a0', y: '' })
  })
})
