/**
 * The producer of a pipeline: a process of the user's class, as it is. Only what lies between the class and its consumers is ours:
 * everything that it emits, in whatever way, becomes messages here.
 */

import type { Definition } from '../../otp/definition.ts'
import type { GenServer } from '../../otp/gen-server.ts'
import { serverOf } from '../../otp/gen-server.ts'
import { call } from '../../process/call.ts'
import type { Later } from '../../process/later.ts'
import { errand } from '../../process/message.ts'
import type { Process } from '../../process/process.ts'
import type { Info } from '../../stage/buffer.ts'
import { DemandDispatcher } from '../../stage/dispatchers/demand-dispatcher.ts'
import type { Dispatcher } from '../../stage/dispatchers/dispatcher.ts'
import { type NumberedPartitions, PartitionDispatcher } from '../../stage/dispatchers/partition-dispatcher.ts'
import { Outlet, type OutletOwner } from '../../stage/outlet.ts'
import type { Producer } from '../../stage/producer.ts'
import { ProducerBehaviour } from '../../stage/producer-behaviour.ts'
import type { CheckedProducerOptions } from '../../stage/producer-options.ts'
import { show } from '../../stage/show.ts'
import { optionsOf } from '../../stage/stage.ts'
import { channels } from '../../telemetry/channels.ts'
import { BroadwayError } from '../errors.ts'
import { Message } from '../message.ts'
import type { CheckedPipeline } from '../options/checked-options.ts'
import type { Allowance } from './allowance.ts'
import { RateGate } from './rate-gate.ts'

/** The pipeline that a producer belongs to. */
export interface ProducerPlace {
  /** The name of the pipeline. */
  readonly name: string
  /** From 0 on. */
  readonly index: number
  /** The options of the pipeline, read. */
  readonly options: CheckedPipeline
}

export interface ProducerStageOptions extends ProducerPlace {
  /** The partitions of the processors, as they are now; `undefined` when messages go to who is free. */
  readonly partitions: (() => NumberedPartitions<Message>) | undefined
  /** What may go through; `undefined` without rate limiting. */
  readonly allowance: Allowance | undefined
}

/** Everything that a producer emits comes here, becomes messages, and goes on, at once or when it may. */
class MessageOutlet extends Outlet {
  readonly #toMessage: (event: unknown) => Message
  readonly #gate: RateGate | undefined

  constructor(
    owner: OutletOwner,
    options: CheckedProducerOptions,
    toMessage: (event: unknown) => Message,
    gate: RateGate | undefined,
  ) {
    super(owner, options)
    this.#toMessage = toMessage
    this.#gate = gate
  }

  override emit(events: readonly unknown[]): void {
    if (events.length === 0) return
    const messages = events.map(this.#toMessage)
    if (this.#gate === undefined) return super.emit(messages)
    const dropped = this.#gate.hold(messages)
    if (dropped > 0) this.discarded(dropped)
    this.pass()
  }

  /** Lets go on what may. */
  pass(): void {
    const messages = this.#gate?.pass() ?? []
    super.emit(messages)
    this.#gate?.releaseIfEmpty()
  }

  override each(see: (events: readonly unknown[]) => void): void {
    this.#gate?.each(see)
    super.each(see)
  }

  /** Messages that are not of the producer. */
  push(messages: readonly Message[]): void {
    super.emit(messages)
  }
}

export class BroadwayProducerBehaviour extends ProducerBehaviour {
  declare outlet: MessageOutlet
  readonly place: ProducerStageOptions
  #gate: RateGate | undefined
  #dispatcher: Dispatcher<Message> | undefined
  #leaving = false

  constructor(process: Process, definition: Definition, place: ProducerStageOptions) {
    super(process, definition)
    this.place = place
  }

  override configure(instance: Producer<unknown>): void {
    if ('dispatcher' in optionsOf(instance) && Reflect.get(optionsOf(instance), 'dispatcher') !== undefined) {
      const given = show(Reflect.get(optionsOf(instance), 'dispatcher'))
      const text = `${this.process} asks for ${given} as its dispatcher, but in a pipeline it is ${show(this.#makeDispatcher())}, which partitionBy decides: leave dispatcher out`
      throw new BroadwayError('bad_options', text)
    }
    super.configure(instance)
  }

  protected override makeOutlet(options: CheckedProducerOptions): Outlet {
    const { allowance, options: pipeline } = this.place
    const { bufferSize, bufferKeep } = options
    this.#gate = allowance && new RateGate(allowance, bufferSize, bufferKeep, this.#tellRateLimit)
    this.#dispatcher = this.#makeDispatcher()
    return new MessageOutlet(
      this,
      { ...options, dispatcher: this.#dispatcher },
      toMessage(pipeline.producer.transformer, `${this.process}`),
      this.#gate,
    )
  }

  #makeDispatcher(): Dispatcher<Message> {
    const { partitions } = this.place
    if (partitions === undefined) return new DemandDispatcher({ shuffleDemandsOnFirstDispatch: true })
    return new PartitionDispatcher<Message, number>(partitions())
  }

  /** There are other processors now, and none of them has come yet: what waits is for those. */
  repartition(): void {
    const { partitions } = this.place
    if (partitions !== undefined && this.#dispatcher instanceof PartitionDispatcher) {
      this.#dispatcher.repartition(partitions())
    }
  }

  override onDemand(demand: number): void {
    // What it fetched now could not go on, and would only grow old.
    if (this.#gate?.closed) this.#gate.owe(demand)
    else super.onDemand(demand)
  }

  /** A new interval: as many messages as are allowed may go through again. */
  intervalBegins(): void {
    const gate = this.#gate
    if (gate === undefined || !gate.closed) return
    gate.open()
    this.outlet.pass()
    this.#forwardOwed()
  }

  readonly #tellRateLimit = (state: 'closed' | 'open', held: number): void => {
    const { broadwayRateLimit } = channels
    if (!broadwayRateLimit.hasSubscribers) return
    const { id } = this.process
    const { name: pipeline, index, options } = this.place
    const { context, producer } = options
    const { type: module, arg } = producer
    const where = { pipeline, id, stage: `${this.process}`, key: '', index, context, producer: { module, arg } }
    broadwayRateLimit.publish({ ...where, state, held })
  }

  /** One demand at a time, since each may use up what is allowed. */
  #forwardOwed(): void {
    if (this.#gate === undefined || this.#gate.closed || this.#leaving) return
    const demand = this.#gate.nextDemand()
    if (demand === undefined) return
    super.onDemand(demand)
    this.process.deliver(
      errand(() => this.#forwardOwed()),
      [],
    )
  }

  /** Emits messages that are not of the producer. */
  push(messages: readonly Message[]): void {
    this.outlet.push(messages)
  }

  /** Replies when all that was emitted until now has been taken. */
  taken(): Later<void> {
    const later = this.instance.later<void>()
    this.info(() => later.reply(undefined))
    return later
  }

  /** What is held back is in front, as for the end of a source. */
  protected override info(info: Info): void {
    if (this.#gate === undefined) super.info(info)
    else this.#gate.whenEmpty(() => super.info(info))
  }

  /** Has the producer fetch no more; when all that it has emitted has been taken its consumers are cancelled. */
  leave(): void {
    this.#leaving = true
    this.callback('handleDrain', this.instance.handleDrain(), () => {
      const cancel = (): void => {
        for (const subscription of this.outlet.consumers) subscription.cancel('shutdown')
      }
      this.info(() => this.process.deliver(errand(cancel), []))
      this.finish()
    })
  }
}

/** The pipeline of a producer that runs in one, for its class; `undefined` for one that does not. */
export function pipelineOf(producer: GenServer): ProducerPlace | undefined {
  const behaviour = serverOf(producer)
  return behaviour instanceof BroadwayProducerBehaviour ? behaviour.place : undefined
}

/** Has a producer emit messages that are not its own; resolves when it has. */
export async function pushInto(producer: Process, messages: readonly Message[]): Promise<void> {
  const { behaviour } = producer
  if (!(behaviour instanceof BroadwayProducerBehaviour)) throw new Error(`${producer} is no producer of a pipeline`)
  await call(producer, 'pushMessages', () => behaviour.push(messages), [], 5000, undefined)
}

/** Tells a producer that messages may go through again. */
export function intervalBegins(producer: Process): void {
  const { behaviour } = producer
  if (behaviour instanceof BroadwayProducerBehaviour)
    producer.deliver(
      errand(() => behaviour.intervalBegins()),
      [],
    )
}

/** Resolves when all that a producer has emitted until now has been taken. */
export async function allTaken(producer: Process): Promise<void> {
  const { behaviour } = producer
  if (!(behaviour instanceof BroadwayProducerBehaviour)) return
  await call(producer, 'drain', () => behaviour.taken(), [], Infinity, undefined)
}

/** Has a producer send messages to the partitions that there are now; resolves when it does. */
export async function repartition(producer: Process): Promise<void> {
  const { behaviour } = producer
  if (!(behaviour instanceof BroadwayProducerBehaviour)) return
  await call(producer, 'setConcurrency', () => behaviour.repartition(), [], Infinity, undefined)
}

/** Has a producer leave the pipeline. */
export function leavePipeline(producer: Process): void {
  const { behaviour } = producer
  if (behaviour instanceof BroadwayProducerBehaviour)
    producer.deliver(
      errand(() => behaviour.leave()),
      [],
    )
}

function toMessage(
  transformer: ((event: unknown) => unknown) | undefined,
  producer: string,
): (event: unknown) => Message {
  return (event) => {
    const message = transformer === undefined ? event : transformer(event)
    if (message instanceof Message) return message
    const text =
      transformer === undefined
        ? `${producer} emitted ${show(event)}, which is no message: set transformer to make messages of its events`
        : `the transformer of ${producer} returned ${show(message)} for ${show(event)}, expected a message`
    throw new BroadwayError('bad_message', text)
  }
}
