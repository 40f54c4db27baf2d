/** Partitions as most requests of Kafka want them: below their topics. */

import type { TopicPartition } from './port.ts'

export function byTopic<T extends TopicPartition, P>(
  places: readonly T[],
  toPartition: (place: T) => P,
): readonly { readonly topic: string; readonly partitions: P[] }[] {
  const topics = new Map<string, P[]>()
  for (const place of places) {
    const partitions = topics.get(place.topic)
    if (partitions === undefined) topics.set(place.topic, [toPartition(place)])
    else partitions.push(toPartition(place))
  }
  return [...topics].map(([topic, partitions]) => ({ topic, partitions }))
}
