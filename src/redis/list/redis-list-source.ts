/** A list as the producer of a pipeline. */

import { Message } from '../../broadway/message.ts'
import { pipelineOf } from '../../broadway/topology/producer-stage.ts'
import { DownstreamWatch } from '../../connector/downstream-watch.ts'
import { Receiver } from '../../connector/receiver.ts'
import { ReceivingProducer } from '../../connector/receiving-producer.ts'
import type { SourceStats } from '../../connector/source-stats.ts'
import { serverOf } from '../../otp/gen-server.ts'
import type { Later } from '../../process/later.ts'
import type { Process } from '../../process/process.ts'
import { Failing } from '../connection/failing.ts'
import { Link } from '../connection/link.ts'
import { unlessAway } from '../connection/unless-away.ts'
import {
  type CheckedListOptions,
  type RedisListMetadata,
  type RedisListSourceOptions,
  readListOptions,
} from '../options/list-options.ts'
import { type Delivery, type ListAckData, type ListOrigin, listAcknowledger } from './list-acknowledger.ts'
import { WorkList } from './work-list.ts'

type ListMessage = Message<string, string, RedisListMetadata>

/** A source says so many times in `claimIdle` that it lives. */
const SIGNS = 3

/**
 * A producer that takes entries from a list of Redis, as messages of a Broadway pipeline with a string as their data. An entry goes to
 * a list of what the source has in hand, and out of that when it is answered for: handled ones are gone, failed ones go to the end of
 * the list, and what a dead source had goes back. For more than that, such as delays and counted deliveries, there are streams.
 *
 * @example
 * ```ts
 * import { Broadway } from 'sluice/broadway'
 * import { RedisListSource } from 'sluice/redis'
 *
 * async function main() {
 *   const pipeline = await Broadway.start({
 *     name: 'mails',
 *     producer: { module: RedisListSource, arg: { list: 'mails', onFailure: 'dead_letter', deadLetters: 'mails:dead' } },
 *     processors: { default: { handleMessage: (message) => message } },
 *   })
 *   await pipeline.done
 * }
 * ```
 */
export class RedisListSource extends ReceivingProducer<ListMessage> {
  readonly #options: CheckedListOptions
  readonly #link: Link | undefined
  readonly #work: WorkList | undefined
  readonly #origin: ListOrigin | undefined
  readonly #watch: DownstreamWatch | undefined
  /** Nobody knows whether the server has put something into our hand that did not arrive. */
  #unsure = true
  /** When dead sources are looked for again. */
  #takeBackAt = 0
  #living = false
  /** What may be lost in the pipeline. */
  #suspects: readonly Delivery[] = []

  /** @throws `RedisError` `bad_options`. */
  constructor(options: RedisListSourceOptions) {
    super()
    const checked = readListOptions(new.target.name, options, pipelineOf(this)?.index ?? 0)
    this.#options = checked
    const process = serverOf(this)?.process
    if (process === undefined) return
    if (checked.repeats && (pipelineOf(this)?.index ?? 0) === 0) {
      process.runtime.logger.warn(
        { process: `${process}` },
        `onFailure of ${process} is not given: entries that failed go to the end of the list, and come again at once, over and over; choose one of ack, retry, dead_letter`,
      )
    }
    const link = new Link(process, checked.server)
    const work = new WorkList(link, checked)
    this.#link = link
    this.#work = work
    this.#watch = new DownstreamWatch(process)
    this.#origin = { process, work, deadLetters: checked.deadLetters, unanswered: new Set() }
    const failing = new Failing(process, checked.server, (error) => serverOf(this)?.crashed(error))
    const receiver = new Receiver<Buffer>(process, {
      max: checked.maxMessages,
      // A request waits at the server.
      interval: 0,
      receive: async (max, signal) => {
        const taken = await this.#receive(process, work, max, signal)
        failing.succeeded()
        return taken
      },
      received: (entries) => this.#received(entries),
      giveBack: (entries) => work.giveBack(entries),
      failed: (error) => failing.failed(error, `take from list '${checked.list}'`),
    })
    this.receiveBy(receiver, this.#watch)
  }

  /** @throws `RedisError` `missing_package`. */
  override async init(): Promise<void> {
    await this.#options.server.client().load?.()
  }

  /** Says how it stands; `waiting` entries are in the list. */
  stats(): Later<SourceStats> {
    return this.later(async () => {
      const unanswered = this.#origin?.unanswered.size ?? 0
      if (this.#link?.isReady !== true) return { connected: false, waiting: undefined, unanswered }
      // Refused when there is something else at that key.
      const waiting = await this.#work?.size().catch(() => undefined)
      return { connected: this.#link.isReady, waiting, unanswered }
    })
  }

  /** Everything is answered for. */
  override async terminate(): Promise<void> {
    if (this.#link?.isReady) await this.#work?.leave().catch(() => {})
    await this.#link?.close()
  }

  async #receive(process: Process, work: WorkList, max: number, signal: AbortSignal): Promise<readonly Buffer[]> {
    const wake = (): void => void work.wake()
    signal.addEventListener('abort', wake)
    try {
      return await unlessAway(signal, this.#link, this.#next(process, work, max, signal))
    } finally {
      signal.removeEventListener('abort', wake)
    }
  }

  async #next(process: Process, work: WorkList, max: number, signal: AbortSignal): Promise<readonly Buffer[]> {
    const { claimInterval, claimIdle, list } = this.#options
    if (!this.#living) {
      await work.live()
      this.#living = true
      this.#liveOn(process, work)
    }
    if (this.#unsure) {
      const strays = await this.#strays(work)
      this.#unsure = false
      if (strays.length > 0) return strays
    }
    const now = process.runtime.clock.now()
    if (now >= this.#takeBackAt) {
      this.#takeBackAt = now + claimInterval
      const count = await work.takeBack()
      if (count > 0)
        process.runtime.logger.warn(
          { process: `${process}`, entries: count },
          `${count} entries of list '${list}' went back into it: the source that had them has shown no sign of life for ${claimIdle} ms`,
        )
    }
    if (signal.aborted) return []
    const taken = await work.take(max, claimInterval, signal)
    if (taken === undefined) this.#unsure = true
    return taken ?? []
  }

  /** What the server has put into our hand, and what never arrived here. */
  async #strays(work: WorkList): Promise<readonly Buffer[]> {
    const known = new Map<string, number>()
    for (const { bytes } of this.#origin?.unanswered ?? []) {
      const key = bytes.toString('latin1')
      known.set(key, (known.get(key) ?? 0) + 1)
    }
    return (await work.inHand()).filter((bytes) => {
      const key = bytes.toString('latin1')
      const count = known.get(key) ?? 0
      if (count > 0) known.set(key, count - 1)
      return count === 0
    })
  }

  #received(entries: readonly Buffer[]): void {
    const origin = this.#origin
    if (origin === undefined) return
    const { list, onSuccess, onFailure } = this.#options
    const messages = entries.map((bytes) => {
      const delivery = { bytes }
      origin.unanswered.add(delivery)
      const ackData: ListAckData = { delivery, onSuccess, onFailure }
      return new Message<string, string, RedisListMetadata>(String(bytes), {
        acknowledger: listAcknowledger,
        ackRef: origin,
        ackData,
        metadata: { list, bytes },
      })
    })
    this.emit(messages)
  }

  /** Says again and again that it lives; and looks for what the pipeline has lost. */
  #liveOn(process: Process, work: WorkList): void {
    this.#watch?.remember()
    process.setTimer(
      this.#options.claimIdle / SIGNS,
      () => {
        // A server that is away hears it the next time.
        if (this.#link?.isReady) work.live().catch(() => {})
        this.#look(process, work)
        this.#liveOn(process, work)
      },
      false,
    )
  }

  /** What was in the pipeline when a stage died, and is not answered for after a while, is taken for lost. */
  #look(process: Process, work: WorkList): void {
    const unanswered = this.#origin?.unanswered ?? new Set<Delivery>()
    const lost = this.#suspects.filter((delivery) => unanswered.has(delivery))
    this.#suspects = this.#watch?.look() ? [...unanswered] : []
    if (lost.length === 0) return
    for (const delivery of lost) unanswered.delete(delivery)
    process.runtime.logger.warn(
      { process: `${process}`, entries: lost.length },
      `${lost.length} entries of ${process} were lost when a stage died; they go back into the list`,
    )
    work.giveBack(lost.map(({ bytes }) => bytes)).catch(() => {
      // They are in hand, and nobody answers for them: they are found there.
      this.#unsure = true
    })
  }
}
