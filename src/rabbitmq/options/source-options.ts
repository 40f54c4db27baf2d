/** The options of a source, checked; and what may become of a message. */

import {
  ANSWER_OPTIONS,
  type AnswerKind,
  type AnswerOption as ConnectorAnswerOption,
  readAnswer,
} from '../../broadway/answers.ts'
import type { BackoffOptions } from '../../connector/backoff.ts'
import { RECONNECT_OPTIONS, type ReconnectOptions, readReconnect } from '../../connector/reconnect-options.ts'
import type { BufferKeep } from '../../stage/buffer.ts'
import { isObject, type OptionReader, wordsOf } from '../../stage/option-reader.ts'
import { amqplibClient } from '../client/amqplib-client.ts'
import type { AmqpChannel, AmqpClient, AmqpDelivery, AmqpFields, AmqpProperties } from '../client/port.ts'
import { RabbitMQError } from '../errors.ts'
import { type CheckedConnection, type ConnectionOption, readConnection } from './connection-options.ts'
import { badOption, rabbitMQOptions, refusal } from './option-reader.ts'

/**
 * What becomes of a message at the server: it is done with; it is given up, and goes to the dead letters if the queue has an
 * exchange for them, or else is lost; it comes again; it comes again once, and is given up when it had come again already.
 */
export type Answer = 'ack' | 'reject' | 'reject_and_requeue' | 'reject_and_requeue_once'

/** An answer, or a function that chooses it: by the failure in `message.status`, by the metadata. */
export type AnswerOption = ConnectorAnswerOption<Answer>

/** How messages are answered for; of a source, or by `message.configureAck` of one message. */
export interface AnswerOptions {
  /** What becomes of a message that was handled. Default `ack`. */
  readonly onSuccess?: AnswerOption | undefined
  /** What becomes of a message that failed. Default `reject_and_requeue`, with a warning: it comes again at once, over and over. */
  readonly onFailure?: AnswerOption | undefined
}

/** What the server knows of a message. */
export type RabbitMQProperties = AmqpProperties & AmqpFields
export type MetadataName = keyof RabbitMQProperties

/** What a message says about itself: the chosen properties, and the channel it came on. */
export type RabbitMQMetadata<K extends MetadataName = never> = Pick<RabbitMQProperties, K> & {
  readonly amqpChannel: AmqpChannel
}

/** How a queue is declared. */
export interface QueueDeclaration {
  /** Default true. */
  readonly durable?: boolean | undefined
  readonly autoDelete?: boolean | undefined
  readonly exclusive?: boolean | undefined
  /** It has to be there. */
  readonly passive?: boolean | undefined
  /** Such as `x-dead-letter-exchange`. */
  readonly arguments?: Readonly<Record<string, unknown>> | undefined
}

export interface QueueBinding {
  readonly exchange: string
  /** Default empty. */
  readonly routingKey?: string | undefined
  readonly arguments?: Readonly<Record<string, unknown>> | undefined
}

export interface ConsumeOptions {
  /** Default: the server chooses. */
  readonly consumerTag?: string | undefined
  readonly noLocal?: boolean | undefined
  /** The server forgets messages when it sends them: what the program loses is lost. */
  readonly noAck?: boolean | undefined
  readonly exclusive?: boolean | undefined
  readonly arguments?: Readonly<Record<string, unknown>> | undefined
}

export interface RabbitMQSourceOptions<K extends MetadataName = MetadataName> extends AnswerOptions, ReconnectOptions {
  /** The queue; empty when the server is to name one, which needs `declare`. */
  readonly queue?: string | undefined
  /** Default `amqp://guest:guest@localhost:5672`. */
  readonly connection?: ConnectionOption | undefined
  /** What the server shows as its connection. */
  readonly name?: string | undefined
  /** Messages that the server sends ahead of their answers. Default 50; 0 for no bound, which needs `bufferSize`. */
  readonly qos?: { readonly prefetchCount?: number | undefined; readonly prefetchSize?: 0 | undefined } | undefined
  /** Properties for `message.metadata`. Default none. */
  readonly metadata?: readonly K[] | undefined
  /** Declares the queue; `{}` with all defaults. Default: it has to be there. */
  readonly declare?: QueueDeclaration | undefined
  readonly bindings?: readonly QueueBinding[] | undefined
  /** Options by the number of the source in its pipeline, laid over the others; called for each attempt to connect. */
  readonly mergeOptions?: ((index: number) => RabbitMQSourceOptions<K>) | undefined
  /** Runs on each new channel, before anything is declared. What it throws is a failed attempt to connect. */
  readonly afterConnect?: ((channel: AmqpChannel) => unknown) | undefined
  readonly consume?: ConsumeOptions | undefined
  /** Messages kept when nobody asked for them. >= 1 or `Infinity`. Default 5 times `qos.prefetchCount`. */
  readonly bufferSize?: number | undefined
  /** Default `last`. */
  readonly bufferKeep?: BufferKeep | undefined
  /** Milliseconds after which messages are requeued that were in the pipeline when a stage of it died, > 0. Default 30000. */
  readonly redeliverLostAfter?: number | undefined
  /** The client to use. Default amqplib. */
  readonly client?: (() => AmqpClient) | undefined
}

export interface CheckedSourceOptions {
  readonly queue: string
  readonly connection: CheckedConnection
  readonly prefetchCount: number
  readonly metadata: readonly string[]
  readonly declare: QueueDeclaration | undefined
  readonly bindings: readonly Required<QueueBinding>[]
  readonly afterConnect: ((channel: AmqpChannel) => unknown) | undefined
  readonly consume: ConsumeOptions
  readonly bufferSize: number
  readonly bufferKeep: BufferKeep
  readonly onSuccess: AnswerOption
  readonly onFailure: AnswerOption | undefined
  readonly backoff: BackoffOptions
  readonly redeliverLostAfter: number
  readonly client: () => AmqpClient
}

const WORDS: readonly Answer[] = ['ack', 'reject', 'reject_and_requeue', 'reject_and_requeue_once']
export const ANSWERS: AnswerKind<Answer> = {
  isAnswer: (value): value is Answer => WORDS.some((word) => word === value),
  expected: wordsOf(WORDS),
  unknown: 'reject_and_requeue',
  refusal,
}
const OPTIONS = [
  'queue',
  'connection',
  'name',
  'qos',
  'metadata',
  'declare',
  'bindings',
  'mergeOptions',
  'afterConnect',
  'consume',
  'bufferSize',
  'bufferKeep',
  ...ANSWER_OPTIONS,
  ...RECONNECT_OPTIONS,
  'redeliverLostAfter',
  'client',
]
const METADATA: readonly string[] = [
  'contentType',
  'contentEncoding',
  'headers',
  'deliveryMode',
  'priority',
  'correlationId',
  'replyTo',
  'expiration',
  'messageId',
  'timestamp',
  'type',
  'userId',
  'appId',
  'clusterId',
  'deliveryTag',
  'redelivered',
  'exchange',
  'routingKey',
  'consumerTag',
] satisfies readonly MetadataName[]
const DECLARE = ['durable', 'autoDelete', 'exclusive', 'passive', 'arguments']
const BINDING = ['exchange', 'routingKey', 'arguments']
const CONSUME = ['consumerTag', 'noLocal', 'noAck', 'exclusive', 'arguments']

/** @throws `RabbitMQError` `bad_options`, which names the option, the value and what is allowed. */
export function readSourceOptions(owner: string, given: unknown, index: number): CheckedSourceOptions {
  const first = rabbitMQOptions(owner, given, OPTIONS)
  const options = rabbitMQOptions(owner, merged(owner, first, given, index), OPTIONS)
  const name = options.string('name')
  const declare = readDeclaration(options)
  const prefetchCount = readPrefetch(owner, options)
  return {
    queue: readQueue(options, declare),
    connection: readConnection(owner, options.get('connection'), name),
    prefetchCount,
    metadata: readMetadata(owner, options),
    declare,
    bindings: readBindings(owner, options),
    afterConnect: options.method('afterConnect', 'a function of a channel'),
    consume: readConsume(options),
    bufferSize: readBufferSize(options, prefetchCount),
    bufferKeep: options.oneOf('bufferKeep', ['first', 'last']) ?? 'last',
    onSuccess: readAnswer(ANSWERS, options, 'onSuccess') ?? 'ack',
    onFailure: readAnswer(ANSWERS, options, 'onFailure'),
    backoff: readReconnect(options),
    redeliverLostAfter: options.integer('redeliverLostAfter', 1) ?? 30_000,
    client: options.method('client', 'a function that gives a client') ?? (() => amqplibClient),
  }
}

function merged(owner: string, options: OptionReader, given: unknown, index: number): object {
  const expected = 'a function of the number of the source'
  const mergeOptions = options.method<(index: number) => unknown>('mergeOptions', expected)
  if (mergeOptions === undefined) return Object(given)
  const asGiven = options.get('mergeOptions')
  if (typeof asGiven === 'function' && asGiven.length > 1) {
    const text = `${expected}, which is all that it is given, got one that needs ${asGiven.length} arguments`
    throw new RabbitMQError('bad_options', `mergeOptions of ${owner}: expected ${text}`)
  }
  const more = mergeOptions(index)
  if (!isObject(more)) throw badOption(`the result of mergeOptions of ${owner}`, 'an object of options', more)
  return { ...Object(given), ...more }
}

function readQueue(options: OptionReader, declare: QueueDeclaration | undefined): string {
  const queue = options.string('queue')
  if (queue === undefined) throw options.bad('queue', 'the name of a queue')
  if (queue === '' && declare === undefined) {
    throw options.bad('queue', 'the name of a queue: the server only names one with the option declare')
  }
  return queue
}

function readPrefetch(owner: string, options: OptionReader): number {
  const given = options.get('qos') ?? {}
  if (isObject(given) && 'global' in given) {
    throw new RabbitMQError(
      'bad_options',
      `qos of ${owner}: global is not supported: each source has a channel of its own`,
    )
  }
  const qos = options.at('qos', ['prefetchCount', 'prefetchSize'], given)
  if ((qos.integer('prefetchSize', 0) ?? 0) !== 0) throw qos.bad('prefetchSize', '0: RabbitMQ has no other')
  const prefetchCount = qos.integer('prefetchCount', 0) ?? 50
  if (prefetchCount > 65_535) throw qos.bad('prefetchCount', 'a whole number from 0 to 65535')
  return prefetchCount
}

function readBufferSize(options: OptionReader, prefetchCount: number): number {
  const given = options.count('bufferSize')
  if (given === undefined && prefetchCount === 0) {
    throw options.bad('bufferSize', 'a whole number >= 1 or Infinity, since qos.prefetchCount is 0')
  }
  return given ?? prefetchCount * 5
}

function readMetadata(owner: string, options: OptionReader): readonly string[] {
  const names = options.get('metadata') ?? []
  if (!Array.isArray(names)) throw options.bad('metadata', 'an array of names of properties')
  for (const name of names) {
    if (!METADATA.includes(name)) throw badOption(`metadata of ${owner}`, `names out of ${METADATA.join(', ')}`, name)
  }
  return names
}

function readDeclaration(options: OptionReader): QueueDeclaration | undefined {
  if (!options.has('declare')) return undefined
  const declare = options.at('declare', DECLARE)
  return {
    durable: declare.boolean('durable'),
    autoDelete: declare.boolean('autoDelete'),
    exclusive: declare.boolean('exclusive'),
    passive: declare.boolean('passive'),
    arguments: declare.object('arguments'),
  }
}

function readBindings(owner: string, options: OptionReader): readonly Required<QueueBinding>[] {
  const bindings = options.get('bindings') ?? []
  if (!Array.isArray(bindings)) throw options.bad('bindings', 'an array of { exchange, routingKey }')
  return bindings.map((given, index) => {
    const binding = rabbitMQOptions(owner, given, BINDING, `bindings[${index}]`)
    const exchange = binding.string('exchange')
    if (exchange === undefined) throw binding.bad('exchange', 'the name of an exchange')
    return { exchange, routingKey: binding.string('routingKey') ?? '', arguments: binding.object('arguments') }
  })
}

function readConsume(options: OptionReader): ConsumeOptions {
  const consume = options.at('consume', CONSUME, options.get('consume') ?? {})
  return {
    consumerTag: consume.string('consumerTag'),
    noLocal: consume.boolean('noLocal'),
    noAck: consume.boolean('noAck'),
    exclusive: consume.boolean('exclusive'),
    arguments: consume.object('arguments'),
  }
}

/** What the pipeline is told of a message. */
export function metadataOf(
  names: readonly string[],
  delivery: AmqpDelivery,
  amqpChannel: AmqpChannel,
): RabbitMQMetadata {
  const metadata: Record<string, unknown> & RabbitMQMetadata = { amqpChannel }
  const { fields, properties } = delivery
  for (const name of names) metadata[name] = Reflect.get(name in fields ? fields : properties, name)
  return metadata
}
