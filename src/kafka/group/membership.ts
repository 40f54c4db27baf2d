/**
 * A member of a group: joins, keeps its place with signs of life, and joins again when partitions are distributed anew. Before it joins
 * again it has what is under way finished, and committed, so that no other member handles it as well.
 */

import type { Backoff } from '../../connector/backoff.ts'
import type { Timer } from '../../process/clock.ts'
import type { Process } from '../../process/process.ts'
import type { KafkaGroup, Member, PartitionPlace, TopicPartition } from '../client/port.ts'
import { CODES, codeOf } from '../client/request-error.ts'
import type { CheckedGroup } from '../options/source-options.ts'
import { ASSIGNORS, type AssignorName, type Subscriber } from './assignors.ts'
import { decodeAssignment, decodeSubscription, encodeAssignment, encodeSubscription } from './group-protocol.ts'

/** Milliseconds between looks of the leader at how many partitions there are. */
const LOOK = 60_000
/** Attempts to join at once after the coordinator said that something is out of date. */
const AT_ONCE = 5

/** What is done with an assignment. */
export interface MembershipPlan {
  readonly group: KafkaGroup
  readonly options: CheckedGroup
  readonly backoff: Backoff
  /** What it subscribes to now. */
  readonly topics: () => readonly string[]
  partitions(topics: readonly string[]): Promise<readonly PartitionPlace[]>
  /** Takes partitions over, until it has succeeded or `isOver`. */
  assigned(member: Member, partitions: readonly TopicPartition[], isOver: () => boolean): Promise<void>
  /** Gives all of them back; resolves when what is under way is done, or there is no more time. */
  revoked(): Promise<void>
  /** Others may have them already: what is under way does not count any more. */
  lost(why: string): void
  /** An attempt to join failed. */
  failed(error: unknown, retryIn: number | undefined): void
}

export class Membership {
  readonly #process: Process
  readonly #plan: MembershipPlan
  #member: Member = { memberId: '', generation: -1 }
  #isLeader = false
  #isClosed = false
  #timer: Timer | undefined = undefined
  #isBeating = false
  /** When the coordinator was last heard of. */
  #heard = 0
  #lookAt = 0
  /** Partitions of the topics, as the leader has distributed them. */
  #distributed = 0
  /** Ends the time of an assignment. */
  #leave: (() => void) | undefined = undefined

  constructor(process: Process, plan: MembershipPlan) {
    this.#process = process
    this.#plan = plan
  }

  async run(): Promise<void> {
    let atOnce = AT_ONCE
    while (!this.#isClosed) {
      let partitions: readonly TopicPartition[]
      try {
        partitions = await this.#join()
      } catch (error) {
        if (this.#isClosed) return
        if (this.#isOutOfDate(error) && atOnce-- > 0) continue
        const wait = this.#plan.backoff.next()
        this.#plan.failed(error, wait)
        if (wait === undefined) return
        await this.#process.sleep(Math.max(wait, this.#plan.options.rejoinDelay))
        continue
      }
      if (this.#isClosed) return
      atOnce = AT_ONCE
      this.#plan.backoff.reset()
      await this.#hold(partitions)
    }
  }

  /** Joins again, since it subscribes to something else. */
  rejoin(): void {
    this.#leave?.()
  }

  /** The coordinator refused a commit. */
  refused(code: number): void {
    this.#told(code)
  }

  /** Joins no more. */
  retire(): void {
    this.#isClosed = true
  }

  /** Leaves the group, if it is in one. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#timer?.cancel()
    const member = this.#member
    this.#member = { memberId: '', generation: -1 }
    if (member.memberId !== '') await this.#plan.group.leave(member)
  }

  async #join(): Promise<readonly TopicPartition[]> {
    const { group, options, topics } = this.#plan
    const { sessionTimeout, rebalanceTimeout, assignors } = options
    const wanted = topics()
    const metadata = encodeSubscription(wanted)
    const protocols = assignors.map((name) => ({ name, metadata }))
    const { memberId } = this.#member
    const answer = await group.join({ memberId, sessionTimeout, rebalanceTimeout, protocols })
    const member: Member = { memberId: answer.memberId, generation: answer.generation }
    this.#member = member
    if (this.#isClosed) {
      await group.leave(member)
      return []
    }
    this.#isLeader = answer.leader === answer.memberId
    const assignments = new Map<string, Buffer>()
    if (this.#isLeader) {
      const members = answer.members.map((each) => ({
        memberId: each.memberId,
        topics: decodeSubscription(each.metadata),
      }))
      for (const [id, partitions] of await this.#distribute(members, answer.protocol)) {
        assignments.set(id, encodeAssignment(partitions))
      }
    }
    const assigned = decodeAssignment(await group.sync(member, assignments, answer.protocol))
    return assigned.filter(({ topic }) => wanted.includes(topic))
  }

  async #distribute(members: readonly Subscriber[], protocol: string) {
    const assignor = this.#plan.options.assignors.find((name): name is AssignorName => name === protocol)
    if (assignor === undefined) throw new Error(`the group distributes partitions by '${protocol}'`)
    const topics = new Set(members.flatMap((each) => each.topics))
    const partitions = await this.#plan.partitions([...topics])
    this.#distributed = partitions.length
    return ASSIGNORS[assignor](members, partitions)
  }

  /** As long as the assignment is good. */
  async #hold(partitions: readonly TopicPartition[]): Promise<void> {
    const plan = this.#plan
    const { clock } = this.#process.runtime
    let isOver = false
    const left = new Promise<void>((resolve) => {
      this.#leave = () => {
        isOver = true
        resolve()
      }
    })
    this.#heard = clock.now()
    this.#lookAt = this.#heard + LOOK
    this.#beatLater()
    await plan.assigned(this.#member, partitions, () => isOver || this.#isClosed)
    await left
    this.#leave = undefined
    await plan.revoked()
    this.#timer?.cancel()
  }

  #beatLater(): void {
    this.#timer = this.#process.setTimer(this.#plan.options.heartbeatInterval, () => this.#beat(), false)
  }

  #beat(): void {
    const { options } = this.#plan
    this.#beatLater()
    if (this.#process.runtime.clock.now() - this.#heard >= options.sessionTimeout) {
      return this.#lost(`its coordinator was not heard of for ${options.sessionTimeout} ms`)
    }
    if (this.#isBeating) return
    this.#isBeating = true
    void this.#askWhetherAlive().finally(() => {
      this.#isBeating = false
    })
  }

  async #askWhetherAlive(): Promise<void> {
    const { clock } = this.#process.runtime
    try {
      await this.#plan.group.heartbeat(this.#member)
      this.#heard = clock.now()
      if (this.#isLeader && this.#heard >= this.#lookAt) await this.#look()
    } catch (error) {
      // Whoever does not answer is asked again.
      this.#told(codeOf(error))
    }
  }

  /** Topics may have got more partitions. */
  async #look(): Promise<void> {
    const partitions = await this.#plan.partitions(this.#plan.topics())
    this.#lookAt = this.#heard + LOOK
    if (partitions.length > this.#distributed) this.#leave?.()
  }

  #told(code: number): void {
    if (code === CODES.rebalanceInProgress) {
      this.#heard = this.#process.runtime.clock.now()
      this.#leave?.()
    } else if (code === CODES.unknownMember) {
      this.#member = { memberId: '', generation: -1 }
      this.#lost('the group takes it for dead')
    } else if (code === CODES.illegalGeneration) this.#lost('the group went on without it')
  }

  #lost(why: string): void {
    this.#plan.lost(why)
    this.#leave?.()
  }

  #isOutOfDate(error: unknown): boolean {
    const code = codeOf(error)
    if (code === CODES.unknownMember) this.#member = { memberId: '', generation: -1 }
    return code === CODES.unknownMember || code === CODES.illegalGeneration || code === CODES.rebalanceInProgress
  }
}
