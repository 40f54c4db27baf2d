/**
 * What the connector needs of a Kafka client: the requests of the protocol, each sent to the broker that answers it. Groups,
 * offsets and back-pressure are ours, so that another client, or a scripted one in a test, has to do no more than this.
 *
 * A request that fails rejects with a `KafkaRequestError`. No method tries again by itself.
 */

/** Where the cluster is, and who we are; complete. */
export interface KafkaTarget {
  /** `host:port`. */
  readonly brokers: readonly string[]
  readonly clientId: string
  /** True, or options of `tls.connect`. */
  readonly ssl: boolean | object
  readonly sasl: KafkaSasl | undefined
  /** Milliseconds. */
  readonly connectTimeout: number
  /** Milliseconds. */
  readonly requestTimeout: number
}

export type KafkaSasl =
  | {
      readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512'
      readonly username: string
      readonly password: string
    }
  | {
      readonly mechanism: 'oauthbearer'
      /** The token, or a function that gets one each time. */
      readonly token: string | (() => string | Promise<string>)
    }

export interface KafkaClient {
  /** Resolves when a broker has answered. */
  connect(target: KafkaTarget): Promise<KafkaConnection>
}

export interface TopicPartition {
  readonly topic: string
  readonly partition: number
}

/** A partition, and the number of the broker that has it; -1 while there is none. */
export interface PartitionPlace extends TopicPartition {
  readonly leader: number
}

/** An offset of a partition: of the next message to be read. */
export interface PartitionOffset extends TopicPartition {
  readonly offset: number
}

/** A place in a partition: its oldest message, its end, or the first message at or after a time in milliseconds since 1970. */
export type OffsetPosition = 'earliest' | 'latest' | { readonly timestamp: number }

/** Headers by name; an array where a name comes several times. */
export type KafkaHeaders = Readonly<Record<string, Buffer | readonly Buffer[]>>

export interface KafkaRecord {
  readonly offset: number
  readonly key: Buffer | undefined
  /** `undefined` for a tombstone: its key is deleted in a compacted topic. */
  readonly value: Buffer | undefined
  /** Milliseconds since 1970. */
  readonly timestamp: number
  readonly headers: KafkaHeaders
}

export interface FetchLimits {
  /** Bytes that have to be there before the broker answers. */
  readonly minBytes: number
  /** Bytes of each partition at most; more when its first message is larger. */
  readonly maxBytes: number
  /** Milliseconds that the broker waits for `minBytes`. */
  readonly maxWaitTime: number
}

/** What a broker has of one partition. */
export interface Fetched extends TopicPartition {
  /** In order; none with an offset before the one asked for, none of an aborted transaction. */
  readonly records: readonly KafkaRecord[]
  /** Where the next fetch begins. */
  readonly next: number
  /** Kafka's code of an error, 0 for none. */
  readonly error: number
}

export interface JoinRequest {
  readonly memberId: string
  readonly sessionTimeout: number
  readonly rebalanceTimeout: number
  /** Ways to distribute partitions, the best first, with what the leader is to know of this member. */
  readonly protocols: readonly { readonly name: string; readonly metadata: Buffer }[]
}

export interface JoinAnswer {
  readonly memberId: string
  readonly generation: number
  readonly protocol: string
  readonly leader: string
  /** All of them for the leader, none for others. */
  readonly members: readonly { readonly memberId: string; readonly metadata: Buffer }[]
}

export interface Member {
  readonly memberId: string
  readonly generation: number
}

/** The requests of a member of a group, which its coordinator answers. */
export interface KafkaGroup {
  join(request: JoinRequest): Promise<JoinAnswer>
  /** The leader brings what each member is assigned. */
  sync(member: Member, assignments: ReadonlyMap<string, Buffer>, protocol: string): Promise<Buffer>
  heartbeat(member: Member): Promise<void>
  leave(member: Member): Promise<void>
  /** The next offset of each partition for which one was committed. */
  committed(partitions: readonly TopicPartition[]): Promise<readonly PartitionOffset[]>
  commit(member: Member, offsets: readonly PartitionOffset[]): Promise<void>
  /** Lets go of its connections; without a word to the group. */
  close(): Promise<void>
}

/** A message for the cluster; without a partition the client chooses, by the key where there is one. */
export interface ProducedRecord {
  readonly topic: string
  readonly partition: number | undefined
  readonly key: Buffer | undefined
  readonly value: Buffer | undefined
  /** Milliseconds since 1970. */
  readonly timestamp: number | undefined
  readonly headers: KafkaHeaders
}

export interface KafkaConnection {
  /** The partitions of topics, asked anew. */
  partitions(topics: readonly string[]): Promise<readonly PartitionPlace[]>
  /** An offset of a partition; `undefined` when no message is as late as the timestamp. */
  offset(place: TopicPartition, position: OffsetPosition): Promise<number | undefined>
  /** What a broker has from these offsets on. */
  fetch(leader: number, from: readonly PartitionOffset[], limits: FetchLimits): Promise<readonly Fetched[]>
  /** @param patience Milliseconds that the coordinator may let a member wait for the others. */
  group(groupId: string, patience: number): KafkaGroup
  /** Resolves when all replicas have all of them. */
  produce(records: readonly ProducedRecord[]): Promise<void>
  close(): Promise<void>
}
