/**
 * What a source does with its connection: it takes over the partitions that its group assigns to it, reads them, commits what is done,
 * and gives them back when the group wants them.
 */

import { Backoff } from '../../connector/backoff.ts'
import { DownstreamWatch } from '../../connector/downstream-watch.ts'
import { failureText, reportFailure } from '../../connector/failure-report.ts'
import type { Process } from '../../process/process.ts'
import { channels } from '../../telemetry/channels.ts'
import type {
  KafkaConnection,
  KafkaGroup,
  KafkaRecord,
  Member,
  PartitionPlace,
  TopicPartition,
} from '../client/port.ts'
import { CODES, codeOf, KafkaRequestError } from '../client/request-error.ts'
import { Membership } from '../group/membership.ts'
import { safeFailure } from '../options/safe-failure.ts'
import type { CheckedSourceOptions } from '../options/source-options.ts'
import { AssignedPartition, type PartitionOwner } from './assigned-partition.ts'
import { Committer } from './committer.ts'
import { Reader } from './reader.ts'

/** Milliseconds that a cluster has to take the last commits, and to hear that a member leaves. */
const LEAVING = 5000

export interface ConsumptionPlan {
  readonly options: CheckedSourceOptions
  readonly connection: KafkaConnection
  /** What the source subscribes to now. */
  readonly topics: () => readonly string[]
  /** Messages of a partition that are emitted in a row. */
  readonly inARow: number
  /** The partitions that the source has from now on. */
  assigned(partitions: readonly TopicPartition[]): void
  emit(partition: AssignedPartition, records: readonly KafkaRecord[]): void
  emitted(): void
  /** It cannot go on. */
  readonly crashed: (error: unknown) => void
}

export class Consumption implements PartitionOwner {
  readonly name: string
  readonly #process: Process
  readonly #plan: ConsumptionPlan
  readonly #group: KafkaGroup
  readonly #membership: Membership
  readonly #reader: Reader
  readonly #watch: DownstreamWatch
  #committer: Committer | undefined = undefined
  /** Partitions that begin where the policy says, and not at their oldest message. */
  readonly #chosen = new Set<string>()
  /** Of the group, when its partitions were assigned to it. */
  #generation = -1
  #partitions: readonly AssignedPartition[] = []
  /** Who waits until nothing is under way. */
  #drained: (() => void) | undefined = undefined
  /** How far partitions were done when they were given back, and in which generation of the group. */
  #given: { readonly generation: number; readonly offsets: ReadonlyMap<string, number> } | undefined = undefined
  /** The oldest messages under way when a stage had died. */
  #suspects: readonly (readonly [AssignedPartition, number])[] = []

  constructor(process: Process, plan: ConsumptionPlan) {
    const { connection, options, topics } = plan
    const { group, backoff, receiveInterval, fetch } = options
    this.name = `${process}`
    this.#process = process
    this.#plan = plan
    this.#group = connection.group(group.groupId, group.rebalanceTimeout)
    this.#watch = new DownstreamWatch(process)
    this.#reader = new Reader(process, {
      connection,
      limits: fetch,
      receiveInterval,
      inARow: plan.inARow,
      backoff,
      emit: plan.emit,
      emitted: plan.emitted,
      reset: (partition) => this.#reset(partition),
      locate: (partitions) => this.#locate(partitions),
      failed: (error, retryIn) => this.#say('cannot read', error, retryIn),
    })
    this.#membership = new Membership(process, {
      group: this.#group,
      options: group,
      backoff: new Backoff(backoff, () => process.runtime.random()),
      topics,
      partitions: (of) => partitionsOf(connection, of),
      assigned: (member, partitions, isOver) => this.#assigned(member, partitions, isOver),
      revoked: () => this.#revoked(),
      lost: (why) => this.#lost(why),
      failed: (error, retryIn) => this.#say(`cannot join group ${group.groupId}`, error, retryIn),
    })
    this.#membership.run().catch(plan.crashed)
    this.#lookLater()
  }

  /** Partitions that it has. */
  get partitions(): readonly TopicPartition[] {
    return this.#partitions.map(({ topic, partition }) => ({ topic, partition }))
  }

  /** Messages that were emitted and are not done. */
  get underWay(): number {
    return this.#partitions.reduce((sum, { offsets }) => sum + offsets.size, 0)
  }

  /** Messages of its partitions that were not emitted; `undefined` when it has not been assigned any, and when nobody answers. */
  async waiting(): Promise<number | undefined> {
    const partitions = this.#partitions
    if (this.#committer === undefined) return undefined
    const { connection } = this.#plan
    try {
      const ends = await Promise.all(partitions.map((partition) => connection.offset(partition, 'latest')))
      // They are somebody else's by now.
      if (this.#partitions !== partitions) return undefined
      // Where they are now, and not where they were: what was emitted meanwhile is under way.
      return partitions.reduce((sum, { next }, index) => sum + Math.max(0, (ends[index] ?? next) - next), 0)
    } catch {
      return undefined
    }
  }

  ask(demand: number): void {
    this.#reader.ask(demand)
  }

  /** The topics are others. */
  resubscribe(): void {
    this.#membership.rejoin()
  }

  /** A consumer died, and messages with it. */
  lostSome(): void {
    this.#watch.lost()
  }

  /** Reads no more; what was emitted goes on. */
  stop(): void {
    this.#reader.stop()
    this.#membership.retire()
  }

  /** Commits what is done, and leaves the group. */
  async close(): Promise<void> {
    this.stop()
    const leaving = async (): Promise<void> => {
      await this.#committer?.flush()
      this.#committer?.close()
      await this.#membership.close()
      await this.#group.close()
    }
    // A cluster that does not answer is not waited for.
    await Promise.race([leaving().catch(() => {}), this.#process.sleep(LEAVING)])
  }

  /** The source is dead: leaves the group at once. */
  async abandon(): Promise<void> {
    this.stop()
    this.#committer?.close()
    this.#forget()
    await this.#membership.close().catch(() => {})
    await this.#group.close().catch(() => {})
  }

  // ---- Of the partitions

  advanced(partition: AssignedPartition): void {
    this.#committer?.note(partition)
  }

  settled(): void {
    if (this.#drained !== undefined && this.underWay === 0) this.#drained()
  }

  // ---- Of the membership

  async #assigned(member: Member, assigned: readonly TopicPartition[], isOver: () => boolean): Promise<void> {
    const { options } = this.#plan
    const backoff = new Backoff(options.backoff, () => this.#process.runtime.random())
    const { offsetCommitOnAck, group } = options
    this.#plan.assigned(assigned)
    while (!isOver()) {
      try {
        const partitions = await this.#takeOver(member, assigned)
        if (isOver()) return
        this.#partitions = partitions
        this.#generation = member.generation
        this.#committer = new Committer(this.#process, {
          group: this.#group,
          member,
          interval: offsetCommitOnAck ? 0 : group.offsetCommitInterval,
          backoff: new Backoff(options.backoff, () => this.#process.runtime.random()),
          stale: (code) => this.#membership.refused(code),
        })
        this.#watch.remember()
        // The end is elsewhere tomorrow: what comes until then would be skipped, if nothing were committed before.
        for (const partition of partitions) if (this.#chosen.has(partition.key)) this.advanced(partition)
        this.#reader.begin(partitions)
        if (channels.kafkaAssigned.hasSubscribers) {
          const { generation } = member
          channels.kafkaAssigned.publish({ process: this.name, generation, partitions: this.partitions })
        }
        return
      } catch (error) {
        const wait = backoff.next()
        this.#say('cannot find out where to begin', error, wait)
        if (wait === undefined) return
        await this.#process.sleep(wait)
      }
    }
  }

  async #takeOver(member: Member, assigned: readonly TopicPartition[]): Promise<readonly AssignedPartition[]> {
    this.#chosen.clear()
    if (assigned.length === 0) return []
    const { connection, options } = this.#plan
    const { beginOffset, offsetResetPolicy } = options
    const topics = new Set(assigned.map(({ topic }) => topic))
    const leaders = leadersOf(await connection.partitions([...topics]))
    const committed = beginOffset === 'reset' ? [] : await this.#group.committed(assigned)
    const begins = new Map(committed.map((each) => [keyOf(each), each.offset]))
    // Nobody else had these in between, so what was done counts, also when it could not be committed while the group was busy.
    const isNext = this.#given?.generation === member.generation - 1 && beginOffset === 'assigned'
    for (const [key, offset] of isNext ? (this.#given?.offsets ?? []) : [])
      begins.set(key, Math.max(offset, begins.get(key) ?? 0))
    return Promise.all(
      assigned.map(async (place) => {
        const key = keyOf(place)
        const { topic, partition } = place
        const known = begins.get(key)
        if (known === undefined && offsetResetPolicy !== 'earliest') this.#chosen.add(key)
        const begin = known ?? (await this.#resolve(place, offsetResetPolicy))
        return new AssignedPartition(this, { topic, partition, leader: leaders.get(key) ?? -1 }, begin)
      }),
    )
  }

  /** An offset by the policy; the end when no message is as late as that. */
  async #resolve(place: TopicPartition, policy: CheckedSourceOptions['offsetResetPolicy']): Promise<number> {
    const { connection } = this.#plan
    return (await connection.offset(place, policy)) ?? (await connection.offset(place, 'latest')) ?? 0
  }

  async #reset(partition: AssignedPartition): Promise<number> {
    const { offsetResetPolicy } = this.#plan.options
    const offset = await this.#resolve(partition, offsetResetPolicy)
    this.#process.runtime.logger.warn(
      { process: this.name, partition: partition.key, from: partition.position, to: offset },
      `partition ${partition.key} has no offset ${partition.position} (any more); ${this.name} goes on at ${offset}, as offsetResetPolicy says`,
    )
    return offset
  }

  async #locate(partitions: readonly AssignedPartition[]): Promise<void> {
    const topics = new Set(partitions.map(({ topic }) => topic))
    if (topics.size === 0) return
    const leaders = leadersOf(await this.#plan.connection.partitions([...topics]))
    for (const partition of partitions) partition.leader = leaders.get(partition.key) ?? -1
  }

  /** Nothing is read or committed until all that is under way is done; then that is committed. */
  async #revoked(): Promise<void> {
    const process = this.#process
    const begun = process.runtime.clock.now()
    const revoked = this.partitions
    this.#committer?.pause()
    this.#reader.end()
    const underWay = this.underWay
    if (underWay > 0) await this.#drain()
    const left = this.underWay
    if (left > 0) {
      process.runtime.logger.warn(
        { process: this.name, messages: left },
        `${left} messages of ${this.name} took too long when its group wanted their partitions: they are handled again by their next owner`,
      )
    }
    const committer = this.#committer
    await committer?.flush()
    committer?.close()
    const offsets = new Map(this.#partitions.map((partition) => [partition.key, partition.committable]))
    if (offsets.size > 0) this.#given = { generation: this.#generation, offsets }
    this.#forget()
    if (channels.kafkaRevoked.hasSubscribers) {
      const duration = process.runtime.clock.now() - begun
      channels.kafkaRevoked.publish({ process: this.name, partitions: revoked, messages: underWay, left, duration })
    }
  }

  async #drain(): Promise<void> {
    const { rebalanceTimeout, heartbeatInterval } = this.#plan.options.group
    // The others wait for this member, though not for ever.
    const patience = Math.max(rebalanceTimeout / 2, rebalanceTimeout - 2 * heartbeatInterval)
    await new Promise<void>((resolve) => {
      const timer = this.#process.setTimer(patience, resolve)
      this.#drained = () => {
        timer.cancel()
        resolve()
      }
    })
    this.#drained = undefined
  }

  #lost(why: string): void {
    const process = this.#process
    if (this.#partitions.length > 0) {
      process.runtime.logger.warn(
        { process: this.name },
        `${this.name} lost its partitions: ${why}; ${this.underWay} messages that it still handles come again`,
      )
    }
    this.#committer?.close()
    this.#reader.end()
    this.#forget()
    this.#given = undefined
    this.#drained?.()
  }

  #forget(): void {
    for (const partition of this.#partitions) partition.gone = true
    this.#partitions = []
    this.#committer = undefined
    this.#suspects = []
  }

  // ---- What the pipeline loses

  #lookLater(): void {
    const ms = this.#watch.after(this.#plan.options.redeliverLostAfter)
    this.#process.setTimer(ms, () => this.#look(), false)
  }

  /** Messages that were under way when a stage died, and still are: their partition is read again from there. */
  #look(): void {
    const again = this.#suspects.filter(([partition, first]) => !partition.gone && partition.offsets.first === first)
    if (again.length > 0) this.#readAgain(again.map(([partition]) => partition))
    this.#suspects = this.#watch.look() ? this.#partitions.flatMap(oldest) : []
    this.#watch.remember()
    this.#lookLater()
  }

  #readAgain(lost: readonly AssignedPartition[]): void {
    this.#process.runtime.logger.warn(
      { process: this.name, partitions: lost.map(({ key }) => key) },
      `messages of ${this.name} were lost when a stage died: ${lost.map(({ key, offsets }) => `${key} from ${offsets.first}`).join(', ')} on they are read again`,
    )
    this.#partitions = this.#partitions.map((partition) => {
      if (!lost.includes(partition)) return partition
      partition.gone = true
      return new AssignedPartition(this, partition, partition.committable)
    })
    this.#reader.begin(this.#partitions)
  }

  #say(what: string, error: unknown, retryIn: number | undefined): void {
    const { secrets, shown } = this.#plan.options.connection
    reportFailure(this.#process, `${what} (${shown})`, safeFailure(error, secrets), retryIn)
  }
}

function oldest(partition: AssignedPartition): readonly (readonly [AssignedPartition, number])[] {
  const { first } = partition.offsets
  return first === undefined ? [] : [[partition, first]]
}

/** The broker does not say which topic it does not know. */
async function partitionsOf(
  connection: KafkaConnection,
  topics: readonly string[],
): Promise<readonly PartitionPlace[]> {
  try {
    return await connection.partitions(topics)
  } catch (error) {
    if (codeOf(error) !== CODES.unknownTopic) throw error
    const which = topics.length === 1 ? `topic ${topics[0]} is` : `one of the topics ${topics.join(', ')} is`
    throw new KafkaRequestError(
      CODES.unknownTopic,
      `${which} not there, and none is made (${failureText(error)})`,
      error,
    )
  }
}

function keyOf({ topic, partition }: TopicPartition): string {
  return `${topic}/${partition}`
}

function leadersOf(places: readonly PartitionPlace[]): ReadonlyMap<string, number> {
  return new Map(places.map((place) => [keyOf(place), place.leader]))
}
