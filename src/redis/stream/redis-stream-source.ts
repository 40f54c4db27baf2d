/** A consumer group of a stream as the producer of a pipeline. */

import { Message } from '../../broadway/message.ts'
import { pipelineOf } from '../../broadway/topology/producer-stage.ts'
import { Heartbeat } from '../../connector/heartbeat.ts'
import { Receiver } from '../../connector/receiver.ts'
import { ReceivingProducer } from '../../connector/receiving-producer.ts'
import type { SourceStats } from '../../connector/source-stats.ts'
import { serverOf } from '../../otp/gen-server.ts'
import type { Later } from '../../process/later.ts'
import type { Process } from '../../process/process.ts'
import { RedisRefusal } from '../client/port.ts'
import { Failing } from '../connection/failing.ts'
import { Link } from '../connection/link.ts'
import { unlessAway } from '../connection/unless-away.ts'
import {
  type CheckedStreamOptions,
  OWN_NAME,
  type RedisStreamMetadata,
  type RedisStreamSourceOptions,
  readStreamOptions,
} from '../options/stream-options.ts'
import { Group, type Received } from './group.ts'
import { giveUp, type StreamAckData, type StreamOrigin, streamAcknowledger } from './stream-acknowledger.ts'

type StreamMessage = Message<Readonly<Record<string, string>>, string, RedisStreamMetadata>

/** Consumers are dead after so many times `claimIdle`. */
const DEAD_AFTER = 100
/** The group, or the stream with it, was deleted. */
const GONE = /^(NOGROUP|UNBLOCKED)/

/**
 * A producer that reads from a stream of Redis as a member of a consumer group, as messages of a Broadway pipeline whose data are the
 * fields of an entry. It reads what it is asked for. Handled entries are acknowledged; failed ones stay pending, and are delivered
 * again later each time; `onSuccess`, `onFailure` and `message.configureAck({ onFailure: 'dead_letter' })` say otherwise. What a
 * pipeline loses, by a crash or the end of the program, other sources of the group take over after `claimIdle`.
 *
 * @example
 * ```ts
 * import { Broadway } from 'sluice/broadway'
 * import { RedisStreamSource } from 'sluice/redis'
 *
 * async function main() {
 *   const pipeline = await Broadway.start({
 *     name: 'orders',
 *     producer: { module: RedisStreamSource, arg: { stream: 'orders', group: 'billing' } },
 *     processors: { default: { handleMessage: (message) => message } },
 *   })
 *   await pipeline.done
 * }
 * ```
 */
export class RedisStreamSource extends ReceivingProducer<StreamMessage> {
  readonly #options: CheckedStreamOptions
  readonly #link: Link | undefined
  readonly #group: Group | undefined
  readonly #origin: StreamOrigin | undefined
  readonly #failing: Failing | undefined
  /** The group is there. */
  #prepared = false
  /** Where the group begins when it has to be made: a group that was there before has to miss nothing. */
  #start: string
  /** When entries to take over are looked for again. */
  #claimAt = 0

  /** @throws `RedisError` `bad_options`. */
  constructor(options: RedisStreamSourceOptions) {
    super()
    const checked = readStreamOptions(new.target.name, options, pipelineOf(this)?.index ?? 0)
    this.#options = checked
    this.#start = checked.start
    const process = serverOf(this)?.process
    if (process === undefined) return
    const link = new Link(process, checked.server)
    const group = new Group(link, checked)
    this.#link = link
    this.#group = group
    const { claimIdle, maxExtension } = checked
    const heartbeat = checked.heartbeat
      ? new Heartbeat<string>(process, { lease: claimIdle, maxExtension }, (ids) => group.keep(ids))
      : undefined
    this.#origin = { process, group, options: checked, heartbeat }
    this.#failing = new Failing(process, checked.server, (error) => serverOf(this)?.crashed(error))
    const receiver = new Receiver<Received>(process, {
      max: checked.maxMessages,
      // A request waits at the server.
      interval: 0,
      receive: (max, signal) => this.#receive(process, group, max, signal),
      received: (received) => this.#received(received),
      giveBack: async (received) => void (await group.giveBack(idsOf(received), 0)),
      failed: (error) => this.#failing?.failed(error, `read stream '${checked.stream}'`),
    })
    this.receiveBy(receiver, heartbeat)
  }

  /** @throws `RedisError` `missing_package`. */
  override async init(): Promise<void> {
    await this.#options.server.client().load?.()
  }

  /** Says how it stands; `waiting` entries were not delivered to the group yet, which a server tells since Redis 7. */
  stats(): Later<SourceStats> {
    return this.later(async () => {
      const { heartbeat } = this.#origin ?? {}
      if (this.#link?.isReady !== true) return { connected: false, waiting: undefined, unanswered: heartbeat?.size }
      // Refused when there is something else at that key.
      const waiting = await this.#group?.lag().catch(() => undefined)
      return { connected: this.#link.isReady, waiting, unanswered: heartbeat?.size }
    })
  }

  /** Everything is answered for. */
  override async terminate(): Promise<void> {
    if (this.#link?.isReady) await this.#group?.leave().catch(() => {})
    await this.#link?.close()
  }

  async #receive(process: Process, group: Group, max: number, signal: AbortSignal): Promise<readonly Received[]> {
    const wake = (): void => void group.wake()
    signal.addEventListener('abort', wake)
    try {
      const received = await unlessAway(signal, this.#link, this.#next(process, group, max, signal))
      this.#failing?.succeeded()
      return received
    } catch (error) {
      if (!(error instanceof RedisRefusal && GONE.test(error.message))) throw error
      process.runtime.logger.warn(
        { err: error, process: `${process}` },
        `${process}: the stream or the group is gone (${error.message}); the group is made again, from the first entry on`,
      )
      this.#prepared = false
      this.#start = '0'
      return []
    } finally {
      signal.removeEventListener('abort', wake)
    }
  }

  async #next(process: Process, group: Group, max: number, signal: AbortSignal): Promise<readonly Received[]> {
    if (!this.#prepared) await this.#prepare(group)
    const claimed = signal.aborted ? [] : await this.#claim(process, group, max)
    if (claimed.length > 0 || signal.aborted) return claimed
    return group.read(max, this.#options.claimInterval, signal)
  }

  async #prepare(group: Group): Promise<void> {
    const { claimIdle } = this.#options
    await group.create(this.#start)
    await group.removeDead(OWN_NAME, DEAD_AFTER * claimIdle)
    this.#prepared = true
  }

  async #claim(process: Process, group: Group, max: number): Promise<readonly Received[]> {
    const now = process.runtime.clock.now()
    if (now < this.#claimAt && group.isRoundOver) return []
    this.#claimAt = now + this.#options.claimInterval
    return group.claim(max)
  }

  #received(received: readonly Received[]): void {
    const origin = this.#origin
    if (origin === undefined) return
    const messages: StreamMessage[] = []
    for (const each of received) {
      if (each.deliveries > this.#options.maxDeliver) this.#giveUp(origin, each)
      else messages.push(this.#message(origin, each))
    }
    if (messages.length < received.length) this.handleDemand(received.length - messages.length)
    if (messages.length > 0) this.emit(messages)
  }

  #message(origin: StreamOrigin, { entry, deliveries }: Received): StreamMessage {
    const { stream, group, onSuccess, onFailure } = this.#options
    const { id, pairs } = entry
    const data: Record<string, string> = {}
    const fields: Record<string, Buffer> = {}
    for (let at = 0; at + 1 < pairs.length; at += 2) {
      const [name, value] = [String(pairs[at]), pairs[at + 1]]
      if (value === undefined) continue
      data[name] = String(value)
      fields[name] = value
    }
    const ackData: StreamAckData = { entry, deliveries, onSuccess, onFailure }
    origin.heartbeat?.hold(id)
    return new Message<Readonly<Record<string, string>>, string, RedisStreamMetadata>(data, {
      acknowledger: streamAcknowledger,
      ackRef: origin,
      ackData,
      metadata: { stream, group, id, timestamp: Number(id.split('-')[0]), deliveries, fields },
    })
  }

  /** It came more often than it may, and nobody has ever answered for it: maybe it kills the program. */
  #giveUp(origin: StreamOrigin, received: Received): void {
    const { process, options } = origin
    const { logger } = process.runtime
    const { id } = received.entry
    logger.warn(
      { process: `${process}`, stream: options.stream, id },
      `entry ${id} of stream '${options.stream}' was delivered more than ${options.maxDeliver} times and not answered for; it is given up`,
    )
    const reason = `it was delivered more than ${options.maxDeliver} times and never answered for`
    giveUp(origin, received, reason, options.deadLetters !== undefined).catch((err: unknown) =>
      logger.error({ err, process: `${process}` }, `entry ${id} could not be given up; it comes again`),
    )
  }
}

const idsOf = (received: readonly Received[]): readonly string[] => received.map(({ entry }) => entry.id)
