/**
 * How the leader of a group distributes partitions among its members: as the Java consumers of the same names do, so that members with
 * other clients can be in the same group.
 */

import type { TopicPartition } from '../client/port.ts'

/**
 * - `roundrobin`: all partitions of all topics, one after another, to the members in turn.
 * - `range`: of each topic, neighbours to the same member, so that the same numbers of several topics are together.
 */
export type AssignorName = 'roundrobin' | 'range'

/** Who subscribes to what. */
export interface Subscriber {
  readonly memberId: string
  readonly topics: readonly string[]
}

/** Partitions by member; a member that gets none has an empty list. */
type Distribution = ReadonlyMap<string, readonly TopicPartition[]>
type Assignor = (members: readonly Subscriber[], partitions: readonly TopicPartition[]) => Distribution

export const ASSIGNORS: Readonly<Record<AssignorName, Assignor>> = { roundrobin, range }
export const ASSIGNOR_NAMES: readonly AssignorName[] = ['roundrobin', 'range']

function roundrobin(members: readonly Subscriber[], partitions: readonly TopicPartition[]): Distribution {
  const sorted = byId(members)
  const assigned = emptyFor(sorted)
  let turn = 0
  for (const place of ordered(partitions)) {
    for (let tried = 0; tried < sorted.length; tried++) {
      const member = sorted[turn++ % sorted.length]
      if (member === undefined || !member.topics.includes(place.topic)) continue
      assigned.get(member.memberId)?.push(place)
      break
    }
  }
  return assigned
}

function range(members: readonly Subscriber[], partitions: readonly TopicPartition[]): Distribution {
  const sorted = byId(members)
  const assigned = emptyFor(sorted)
  for (const topic of new Set(ordered(partitions).map((place) => place.topic))) {
    const places = ordered(partitions.filter((place) => place.topic === topic))
    const subscribed = sorted.filter(({ topics }) => topics.includes(topic))
    const least = Math.floor(places.length / subscribed.length)
    const more = places.length % subscribed.length
    let from = 0
    for (const [index, { memberId }] of subscribed.entries()) {
      const to = from + least + (index < more ? 1 : 0)
      assigned.get(memberId)?.push(...places.slice(from, to))
      from = to
    }
  }
  return assigned
}

function emptyFor(members: readonly Subscriber[]): Map<string, TopicPartition[]> {
  return new Map(members.map(({ memberId }) => [memberId, []]))
}

function byId(members: readonly Subscriber[]): readonly Subscriber[] {
  return [...members].sort((a, b) => compare(a.memberId, b.memberId))
}

function ordered(partitions: readonly TopicPartition[]): readonly TopicPartition[] {
  return [...partitions].sort((a, b) => compare(a.topic, b.topic) || a.partition - b.partition)
}

function compare(a: string, b: string): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}
