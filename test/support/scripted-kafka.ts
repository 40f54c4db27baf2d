/** A cluster of Kafka in memory, which does what a test says, and notes what it is asked. */

import {
  type Fetched,
  type FetchLimits,
  type JoinAnswer,
  type JoinRequest,
  type KafkaClient,
  type KafkaConnection,
  type KafkaGroup,
  type KafkaRecord,
  KafkaRequestError,
  type Member,
  type OffsetPosition,
  type PartitionOffset,
  type PartitionPlace,
  type ProducedRecord,
  type TopicPartition,
} from 'sluice/kafka'

/** `['fetch', 'orders/0@10']`. */
export type Asked = readonly [request: string, ...what: string[]]

const OUT_OF_RANGE = 1
const NO_PARTITION = 3
const TOO_LARGE = 10
const ILLEGAL_GENERATION = 22
const UNKNOWN_MEMBER = 25
const REBALANCING = 27

const shown = ({ topic, partition }: TopicPartition): string => `${topic}/${partition}`
const shownAt = (place: PartitionOffset): string => `${shown(place)}@${place.offset}`

interface WaitingMember {
  readonly request: JoinRequest
  readonly answer: (answer: JoinAnswer) => void
  readonly refuse: (error: Error) => void
}

class ScriptedGroup {
  readonly committed = new Map<string, PartitionOffset>()
  readonly members = new Map<string, WaitingMember | undefined>()
  generation = 0
  isJoining = false
  #ids = 0
  readonly #syncing = new Map<string, { answer: (assignment: Buffer) => void; refuse: (error: Error) => void }>()

  join(request: JoinRequest): Promise<JoinAnswer> {
    if (request.memberId !== '' && !this.members.has(request.memberId)) throw refused(UNKNOWN_MEMBER)
    const memberId = request.memberId || `member-${++this.#ids}`
    this.isJoining = true
    return new Promise((resolve, reject) => {
      this.members.set(memberId, { request: { ...request, memberId }, answer: resolve, refuse: reject })
      this.goOn()
    })
  }

  /** When all have come. */
  goOn(): void {
    const waiting = [...this.members.values()].flatMap((member) => member ?? [])
    if (!this.isJoining || waiting.length < this.members.size) return
    this.isJoining = false
    this.generation++
    for (const { refuse } of this.#syncing.values()) refuse(refused(REBALANCING))
    this.#syncing.clear()
    const members = waiting.map(({ request: { memberId, protocols } }) => ({
      memberId,
      metadata: protocols[0]?.metadata ?? Buffer.alloc(0),
    }))
    const leader = members[0]?.memberId ?? ''
    for (const { request, answer } of waiting) {
      this.members.set(request.memberId, undefined)
      answer({
        memberId: request.memberId,
        generation: this.generation,
        protocol: request.protocols[0]?.name ?? '',
        leader,
        members: request.memberId === leader ? members : [],
      })
    }
  }

  sync(member: Member, assignments: ReadonlyMap<string, Buffer>): Promise<Buffer> {
    this.check(member)
    return new Promise((answer, refuse) => {
      this.#syncing.set(member.memberId, { answer, refuse })
      if (assignments.size === 0 && this.#assignments === undefined) return
      if (assignments.size > 0) this.#assignments = assignments
      for (const [id, syncing] of this.#syncing) syncing.answer(this.#assignments?.get(id) ?? Buffer.alloc(0))
      this.#syncing.clear()
    })
  }

  #current: { readonly generation: number; readonly assignments: ReadonlyMap<string, Buffer> } | undefined

  get #assignments(): ReadonlyMap<string, Buffer> | undefined {
    return this.#current?.generation === this.generation ? this.#current.assignments : undefined
  }
  set #assignments(assignments: ReadonlyMap<string, Buffer> | undefined) {
    this.#current = assignments && { generation: this.generation, assignments }
  }

  check({ memberId, generation }: Member): void {
    if (!this.members.has(memberId)) throw refused(UNKNOWN_MEMBER)
    if (generation !== this.generation) throw refused(ILLEGAL_GENERATION)
  }

  remove(memberId: string): void {
    const member = this.members.get(memberId)
    if (!this.members.delete(memberId)) return
    member?.refuse(refused(UNKNOWN_MEMBER))
    this.#syncing.get(memberId)?.refuse(refused(UNKNOWN_MEMBER))
    this.#syncing.delete(memberId)
    this.isJoining = this.members.size > 0
    this.goOn()
  }
}

function refused(code: number): KafkaRequestError {
  return new KafkaRequestError(code, `error ${code}`)
}

export class ScriptedKafka {
  readonly asked: Asked[] = []
  /** What requests of a name are to fail with, one after another. */
  readonly failures = new Map<string, Error[]>()
  /** Bytes of a message at most. */
  maxMessageBytes = 1000
  /** Requests of a name wait for it. */
  readonly gates = new Map<string, Promise<void>>()
  /** Messages of a partition in one answer. */
  fetchLimit = 10
  isDown = false
  /** Told of each offset that a group takes. */
  onCommit: (place: PartitionOffset) => void = () => {}
  connections = 0
  readonly #topics = new Map<string, KafkaRecord[][]>()
  /** Offsets where partitions begin. */
  readonly #begins = new Map<string, number>()
  readonly #groups = new Map<string, ScriptedGroup>()

  readonly client = (): KafkaClient => ({ connect: () => this.#connect() })

  topic(name: string, partitions: number): void {
    const before = this.#topics.get(name) ?? []
    this.#topics.set(name, [...before, ...Array.from({ length: partitions - before.length }, () => [])])
  }

  /** Messages come, whose text is their offset. */
  append(topic: string, partition: number, count: number): void {
    const log = this.#log({ topic, partition })
    for (let left = count; left > 0; left--) this.#put(topic, partition, Buffer.from(String(log.length)))
  }

  #put(topic: string, partition: number, value: Buffer | undefined, record?: ProducedRecord): void {
    const log = this.#log({ topic, partition })
    const offset = (log.at(-1)?.offset ?? (this.#begins.get(`${topic}/${partition}`) ?? 0) - 1) + 1
    log.push({
      offset,
      value: record === undefined ? Buffer.from(String(offset)) : value,
      key: record?.key,
      timestamp: record?.timestamp ?? offset * 1000,
      headers: record?.headers ?? {},
    })
  }

  /** The partition begins there; what lies before is deleted. */
  begin(topic: string, partition: number, offset: number): void {
    this.#begins.set(`${topic}/${partition}`, offset)
    const log = this.#log({ topic, partition })
    log.splice(0, log.length, ...log.filter((record) => record.offset >= offset))
  }

  /** Deletes messages in the middle, as compaction does. */
  compact(topic: string, partition: number, ...offsets: readonly number[]): void {
    const log = this.#log({ topic, partition })
    log.splice(0, log.length, ...log.filter((record) => !offsets.includes(record.offset)))
  }

  records(topic: string, partition: number): readonly KafkaRecord[] {
    return this.#log({ topic, partition })
  }

  group(name: string): ScriptedGroup {
    let group = this.#groups.get(name)
    if (group === undefined) this.#groups.set(name, (group = new ScriptedGroup()))
    return group
  }

  /** What a group has committed: `orders/0@5`. */
  committed(name = 'g'): readonly string[] {
    return [...this.group(name).committed.values()].map(shownAt).sort()
  }

  commit(topic: string, partition: number, offset: number, name = 'g'): void {
    this.group(name).committed.set(`${topic}/${partition}`, { topic, partition, offset })
  }

  /** Members have to join again. */
  rebalance(name = 'g'): void {
    this.group(name).isJoining = true
  }

  /** The group forgets its members. */
  evict(name = 'g'): void {
    for (const id of [...this.group(name).members.keys()]) this.group(name).remove(id)
  }

  askedFor(request: string): readonly Asked[] {
    return this.asked.filter(([name]) => name === request)
  }

  async #ask(request: string, ...what: readonly string[]): Promise<void> {
    await this.gates.get(request)
    this.asked.push([request, ...what])
    const failure = this.failures.get(request)?.shift()
    if (failure !== undefined) throw failure
    if (this.isDown) throw new KafkaRequestError(0, 'connect ECONNREFUSED')
  }

  #log({ topic, partition }: TopicPartition): KafkaRecord[] {
    const log = this.#topics.get(topic)?.[partition]
    if (log === undefined) throw refused(NO_PARTITION)
    return log
  }

  #end(place: TopicPartition): number {
    const begin = this.#begins.get(shown(place)) ?? 0
    return Math.max(begin, (this.#log(place).at(-1)?.offset ?? -1) + 1)
  }

  async #connect(): Promise<KafkaConnection> {
    await this.#ask('connect')
    this.connections++
    return {
      partitions: (topics) => this.#partitions(topics),
      offset: (place, position) => this.#offset(place, position),
      fetch: (leader, from, limits) => this.#fetch(leader, from, limits),
      group: (groupId) => this.#member(groupId),
      produce: (records) => this.#produce(records),
      close: async () => {
        this.asked.push(['close'])
        this.connections--
      },
    }
  }

  async #partitions(topics: readonly string[]): Promise<readonly PartitionPlace[]> {
    await this.#ask('partitions', ...topics)
    return topics.flatMap((topic) => {
      const partitions = this.#topics.get(topic)
      if (partitions === undefined) throw new KafkaRequestError(NO_PARTITION, `unknown topic ${topic}`)
      return partitions.map((_, partition) => ({ topic, partition, leader: 1 }))
    })
  }

  async #offset(place: TopicPartition, position: OffsetPosition): Promise<number | undefined> {
    await this.#ask('offset', shown(place), typeof position === 'object' ? String(position.timestamp) : position)
    if (position === 'latest') return this.#end(place)
    if (position === 'earliest') return this.#begins.get(shown(place)) ?? 0
    return this.#log(place).find(({ timestamp }) => timestamp >= position.timestamp)?.offset
  }

  async #fetch(_: number, from: readonly PartitionOffset[], __: FetchLimits): Promise<readonly Fetched[]> {
    await this.#ask('fetch', ...from.map(shownAt))
    return from.map(({ topic, partition, offset }): Fetched => {
      const place = { topic, partition }
      if (offset < (this.#begins.get(shown(place)) ?? 0) || offset > this.#end(place)) {
        return { ...place, records: [], next: offset, error: OUT_OF_RANGE }
      }
      const records = this.#log(place)
        .filter((record) => record.offset >= offset)
        .slice(0, this.fetchLimit)
      return { ...place, records, next: (records.at(-1)?.offset ?? offset - 1) + 1, error: 0 }
    })
  }

  #member(groupId: string): KafkaGroup {
    const group = this.group(groupId)
    return {
      join: async (request) => {
        await this.#ask('join', request.memberId)
        return group.join(request)
      },
      sync: async (member, assignments) => {
        await this.#ask('sync', member.memberId)
        return group.sync(member, assignments)
      },
      heartbeat: async (member) => {
        await this.#ask('heartbeat', member.memberId)
        group.check(member)
        if (group.isJoining) throw refused(REBALANCING)
      },
      leave: async ({ memberId }) => {
        await this.#ask('leave', memberId)
        group.remove(memberId)
      },
      committed: async (partitions) => {
        await this.#ask('committed')
        return partitions.flatMap((place) => group.committed.get(shown(place)) ?? [])
      },
      commit: async (member, offsets) => {
        await this.#ask('commit', ...offsets.map(shownAt))
        group.check(member)
        for (const place of offsets) {
          this.onCommit(place)
          group.committed.set(shown(place), place)
        }
      },
      close: async () => {},
    }
  }

  async #produce(records: readonly ProducedRecord[]): Promise<void> {
    await this.#ask('produce', ...records.map(({ topic, partition, value }) => `${topic}/${partition}:${value}`))
    if (records.some(({ value }) => (value?.length ?? 0) > this.maxMessageBytes)) throw refused(TOO_LARGE)
    for (const record of records) this.#put(record.topic, record.partition ?? 0, record.value, record)
  }
}
