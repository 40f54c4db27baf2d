/**
 * The parts of kafkajs 2.2 that send single requests. It does not export them, since its own consumer, which pushes messages and joins its
 * group again by itself, stands in front; they are as they have been for years, and looked at here and nowhere else.
 */

import type { KafkaSasl } from './port.ts'

export interface KafkajsMessage {
  readonly offset: string
  readonly timestamp: string
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: Readonly<Record<string, Buffer | null | readonly (Buffer | null)[]>>
}

export interface KafkajsFetchedPartition {
  readonly partition: number
  readonly highWatermark: string
  readonly messages: readonly KafkajsMessage[]
}

interface Places<P> {
  readonly topic: string
  readonly partitions: readonly P[]
}

interface Membership {
  readonly groupId: string
  readonly memberId: string
}

export interface KafkajsBroker {
  fetch(request: {
    readonly maxWaitTime: number
    readonly minBytes: number
    readonly maxBytes: number
    readonly isolationLevel: number
    readonly topics: readonly Places<{
      readonly partition: number
      readonly fetchOffset: string
      readonly maxBytes: number
    }>[]
  }): Promise<{
    readonly responses: readonly {
      readonly topicName: string
      readonly partitions: readonly KafkajsFetchedPartition[]
    }[]
  }>
  listOffsets(request: {
    readonly isolationLevel: number
    readonly topics: readonly Places<{ readonly partition: number; readonly timestamp: number | string }>[]
  }): Promise<{ readonly responses: readonly Places<{ readonly partition: number; readonly offset: string }>[] }>
  joinGroup(
    request: Membership & {
      readonly sessionTimeout: number
      readonly rebalanceTimeout: number
      readonly groupProtocols: readonly { readonly name: string; readonly metadata: Buffer }[]
    },
  ): Promise<{
    readonly generationId: number
    readonly groupProtocol: string
    readonly leaderId: string
    readonly memberId: string
    readonly members: readonly { readonly memberId: string; readonly memberMetadata: Buffer }[]
  }>
  syncGroup(
    request: Membership & {
      readonly generationId: number
      readonly groupAssignment: readonly { readonly memberId: string; readonly memberAssignment: Buffer }[]
    },
  ): Promise<{ readonly memberAssignment: Buffer }>
  heartbeat(request: Membership & { readonly groupGenerationId: number }): Promise<unknown>
  leaveGroup(request: Membership): Promise<unknown>
  offsetFetch(request: {
    readonly groupId: string
    readonly topics: readonly Places<{ readonly partition: number }>[]
  }): Promise<{ readonly responses: readonly Places<{ readonly partition: number; readonly offset: string }>[] }>
  offsetCommit(
    request: Membership & {
      readonly groupGenerationId: number
      readonly topics: readonly Places<{ readonly partition: number; readonly offset: string }>[]
    },
  ): Promise<unknown>
}

export interface KafkajsCluster {
  targetTopics: Set<string>
  connect(): Promise<void>
  disconnect(): Promise<void>
  refreshMetadata(): Promise<void>
  findBroker(node: { readonly nodeId: number | string }): Promise<KafkajsBroker>
  findGroupCoordinatorMetadata(group: {
    readonly groupId: string
    readonly coordinatorType: number
  }): Promise<{ readonly coordinator: { readonly nodeId: number } }>
  findTopicPartitionMetadata(topic: string): readonly { readonly partitionId: number; readonly leader: number }[]
}

export interface ClusterOptions {
  readonly brokers: readonly string[]
  readonly clientId: string
  readonly ssl: boolean | object
  readonly sasl: object | undefined
  readonly connectionTimeout: number
  readonly requestTimeout: number
  readonly retry: { readonly retries: number }
}

/** A fetched partition, without control records, aborted transactions, and what lies before the offset. */
type Batch = new (
  topic: string,
  fetchedOffset: string,
  partition: KafkajsFetchedPartition,
) => { readonly messages: readonly KafkajsMessage[]; readonly rawMessages: readonly KafkajsMessage[] }

export interface KafkajsInternals {
  readonly newCluster: (options: ClusterOptions) => KafkajsCluster
  readonly Batch: Batch
}

const silent = { namespace: () => silent, debug() {}, info() {}, warn() {}, error() {} }

/** @param require Of kafkajs. */
export function kafkajsInternals(require: (path: string) => unknown): KafkajsInternals {
  const Cluster = require('kafkajs/src/cluster') as new (options: object) => KafkajsCluster
  const socketFactory = require('kafkajs/src/network/socketFactory') as () => unknown
  return {
    newCluster: (options) =>
      new Cluster({
        ...options,
        logger: silent,
        socketFactory: socketFactory(),
        enforceRequestTimeout: true,
        allowAutoTopicCreation: false,
        metadataMaxAge: 0,
        isolationLevel: 1,
      }),
    Batch: require('kafkajs/src/consumer/batch') as Batch,
  }
}

/** What kafkajs calls a way to say who we are. */
export function kafkajsSasl(sasl: KafkaSasl | undefined): object | undefined {
  if (sasl?.mechanism !== 'oauthbearer') return sasl
  const { mechanism, token } = sasl
  const oauthBearerProvider = async () => ({ value: typeof token === 'string' ? token : await token() })
  return { mechanism, oauthBearerProvider }
}
