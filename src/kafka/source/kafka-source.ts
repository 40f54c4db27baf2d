/** Topics of Kafka as the producer of a pipeline. */

import { Message } from '../../broadway/message.ts'
import type { PreparedPipeline } from '../../broadway/options/prepare-for-start.ts'
import { pipelineOf } from '../../broadway/topology/producer-stage.ts'
import type { SourceStats } from '../../connector/source-stats.ts'
import { serverOf } from '../../otp/gen-server.ts'
import type { Later } from '../../process/later.ts'
import type { Process } from '../../process/process.ts'
import { Producer } from '../../stage/producer.ts'
import type { Cancellation } from '../../stage/stage.ts'
import type { KafkaConnection, KafkaRecord, TopicPartition } from '../client/port.ts'
import { connectTo } from '../connection/connecting.ts'
import {
  type CheckedSourceOptions,
  type KafkaMetadata,
  type KafkaSourceOptions,
  readSourceOptions,
  readTopics,
} from '../options/source-options.ts'
import type { AssignedPartition } from './assigned-partition.ts'
import { Consumption } from './consumption.ts'
import { kafkaAcknowledger } from './kafka-acknowledger.ts'
import { partsOf, preparePipeline } from './prepare-pipeline.ts'

/** How a source stands. */
export interface KafkaSourceStats extends SourceStats {
  /** Partitions that its group has assigned to it. */
  readonly partitions: readonly TopicPartition[]
}

const NOTHING = Buffer.alloc(0)

/**
 * A producer that consumes topics of Kafka as a member of a group, as messages of a Broadway pipeline with a `Buffer` as their data. The
 * group distributes the partitions of the topics among its members: the sources of all pipelines with the same `groupId`, in this
 * program and in others. Messages of a partition go to one processor, one after another, and to one batch processor; so more
 * processors than partitions are of no use.
 *
 * What is acknowledged is committed, whether it was handled or has failed, since a partition cannot skip a message: what is not to be
 * forgotten goes elsewhere in `handleFailed` or `deadLetter`. What the pipeline loses, by a crash or the end of the program, is
 * read again.
 *
 * Elixir: `BroadwayKafka.Producer`.
 */
export class KafkaSource extends Producer<Message<Buffer, string, KafkaMetadata>> {
  readonly #options: CheckedSourceOptions
  readonly #process: Process | undefined
  #topics: readonly string[]
  #connection: KafkaConnection | undefined = undefined
  #consumption: Consumption | undefined = undefined
  /** Asked for before there was a connection. */
  #demand = 0
  #isLeaving = false
  /** Read in this turn. */
  #batch: Message<Buffer, string, KafkaMetadata>[] = []

  /** The messages of a partition have to keep their order: pipelines with this producer get their `partitionBy` from it. */
  static prepareForStart(options: object): PreparedPipeline {
    return preparePipeline(KafkaSource.name, options)
  }

  /** @throws `KafkaError` `bad_options`. */
  constructor(options: KafkaSourceOptions) {
    super()
    const checked = readSourceOptions(new.target.name, options)
    this.#options = checked
    this.#topics = checked.topics
    const process = serverOf(this)?.process
    this.#process = process
    if (process === undefined) return
    process.onEnd(() => void this.#abandon())
    // The pipeline starts also when the cluster is not there yet.
    this.continue('connect')
  }

  /** @throws `KafkaError` `missing_package`. */
  override async init(): Promise<void> {
    await this.#options.connection.load?.()
  }

  /** Subscribes to other topics: the group distributes partitions anew. Elixir: `BroadwayKafka.Producer.update_topics`. */
  updateTopics(topics: readonly string[]): void {
    this.#topics = readTopics(this.constructor.name, topics)
    this.#consumption?.resubscribe()
  }

  /**
   * Replies how it stands, for a check of health, or to know how far behind it is: `waiting` messages are in its partitions, and were not
   * given to the pipeline. They are counted by their offsets, and so are gaps between them, as transactions and compaction leave them.
   */
  stats(): Later<KafkaSourceStats> {
    return this.later(async () => {
      const waiting = await this.#consumption?.waiting()
      const consumption = this.#consumption
      return {
        connected: consumption !== undefined,
        waiting,
        unanswered: consumption?.underWay ?? 0,
        partitions: consumption?.partitions ?? [],
      }
    })
  }

  override handleContinue(_step: 'connect'): void {
    const process = this.#process
    if (process === undefined) return
    connectTo(process, this.#target, this.#options.backoff).then(
      (connection) => connection !== undefined && this.#connected(process, connection),
      (error: unknown) => serverOf(this)?.crashed(error),
    )
  }

  override handleDemand(demand: number): void {
    if (this.#consumption === undefined) this.#demand += demand
    else this.#consumption.ask(demand)
  }

  /** Reads no more; what was emitted is handled, and committed. */
  override handleDrain(): void {
    this.#isLeaving = true
    this.#consumption?.stop()
  }

  override async terminate(): Promise<void> {
    this.#isLeaving = true
    await this.#consumption?.close()
    await this.#disconnect()
  }

  /** A consumer that died has taken messages with it. */
  override handleCancel({ kind, reason }: Cancellation): undefined {
    if (kind === 'down' && reason !== 'normal') this.#consumption?.lostSome()
  }

  /** It died: others in the group need not wait until that is noticed. */
  async #abandon(): Promise<void> {
    await this.#consumption?.abandon()
    await this.#disconnect().catch(() => {})
  }

  async #disconnect(): Promise<void> {
    const connection = this.#connection
    this.#connection = undefined
    await connection?.close()
  }

  get #target() {
    const { connection, sharedClient } = this.#options
    const shared = partsOf(pipelineOf(this)?.options.given)?.shared
    if (!sharedClient || shared === undefined) return connection
    return { ...connection, findClient: async () => shared(await connection.findClient()) }
  }

  #connected(process: Process, connection: KafkaConnection): void {
    if (this.#isLeaving) return void connection.close().catch(() => {})
    this.#connection = connection
    const pipeline = pipelineOf(this)
    const allocators = partsOf(pipeline?.options.given)?.allocators ?? []
    this.#consumption = new Consumption(process, {
      options: this.#options,
      connection,
      topics: () => this.#topics,
      inARow: pipeline?.options.processors.maxDemand ?? 1000,
      assigned: (partitions) => {
        for (const allocator of allocators) allocator.allocate(pipeline?.index ?? 0, partitions)
      },
      emit: (partition, records) => {
        for (const record of records) this.#batch.push(toMessage(partition, record))
      },
      emitted: () => this.emit(this.#batch.splice(0)),
      crashed: (error) => serverOf(this)?.crashed(error),
    })
    this.#consumption.ask(this.#demand)
  }
}

function toMessage(partition: AssignedPartition, record: KafkaRecord): Message<Buffer, string, KafkaMetadata> {
  const { offset, key, value, timestamp, headers } = record
  const { topic, partition: number } = partition
  const tombstone = value === undefined
  return new Message(value ?? NOTHING, {
    acknowledger: kafkaAcknowledger,
    ackRef: partition,
    ackData: offset,
    batchKey: partition.key,
    metadata: { topic, partition: number, offset, key, timestamp, headers, tombstone },
  })
}
