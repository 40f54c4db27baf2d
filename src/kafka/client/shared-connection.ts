/** One connection for several sources: made by the first, closed by the last. */

import type { KafkaClient, KafkaConnection } from './port.ts'

/** Makes a client whose connections are one. */
export type SharedConnection = (client: KafkaClient) => KafkaClient

export function shareConnection(): SharedConnection {
  let connecting: Promise<KafkaConnection> | undefined
  let users = 0
  return (client) => ({
    async connect(target) {
      users++
      connecting ??= client.connect(target)
      const mine = connecting
      let connection: KafkaConnection
      try {
        connection = await mine
      } catch (error) {
        users--
        if (connecting === mine) connecting = undefined
        throw error
      }
      let isClosed = false
      return {
        partitions: (topics) => connection.partitions(topics),
        offset: (place, position) => connection.offset(place, position),
        fetch: (leader, from, limits) => connection.fetch(leader, from, limits),
        group: (groupId, patience) => connection.group(groupId, patience),
        produce: (records) => connection.produce(records),
        async close() {
          if (isClosed) return
          isClosed = true
          if (--users > 0) return
          connecting = undefined
          await connection.close()
        },
      }
    },
  })
}
