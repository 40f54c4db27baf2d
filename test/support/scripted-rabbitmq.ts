/** A server of AMQP that does what a test says, and notes what it is told. */

import { EventEmitter } from 'node:events'
import type {
  AmqpChannel,
  AmqpClient,
  AmqpConfirmChannel,
  AmqpConnection,
  AmqpDelivery,
  AmqpProperties,
  ConnectTarget,
} from 'sluice/rabbitmq'

/** `['ack', 3, 'all up to']`. */
export type Told = readonly unknown[]

type OnMessage = (delivery: AmqpDelivery | null) => void

export class ScriptedChannel extends EventEmitter implements AmqpConfirmChannel {
  readonly told: Told[]
  /** Throws what a call of that name is to fail with. */
  readonly failures: Map<string, Error>
  closed = false
  /** It has enough to send. */
  full = false
  #onMessage: OnMessage | undefined
  #tag = 0

  constructor(told: Told[], failures: Map<string, Error>) {
    super()
    this.told = told
    this.failures = failures
  }

  #note(...call: Told): void {
    this.told.push(call)
    const failure = this.failures.get(String(call[0]))
    if (failure !== undefined) throw failure
  }

  /** Messages come. */
  deliver(texts: readonly (string | number)[], redelivered = false, properties: AmqpProperties = {}): void {
    for (const text of texts) {
      const fields = { deliveryTag: ++this.#tag, redelivered, exchange: '', routingKey: 'q', consumerTag: 'c1' }
      this.#onMessage?.({ content: Buffer.from(String(text)), fields, properties })
    }
  }

  cancelConsumer(): void {
    this.#onMessage?.(null)
  }

  /** The server ends it. */
  end(error?: Error): void {
    this.closed = true
    if (error !== undefined) this.emit('error', error)
    this.emit('close')
  }

  /** The server has a message, or all up to it. */
  confirm(deliveryTag: number, multiple = false): void {
    this.emit('ack', { deliveryTag, multiple })
  }

  refuse(deliveryTag: number): void {
    this.emit('nack', { deliveryTag, multiple: false })
  }

  async prefetch(count: number): Promise<void> {
    this.#note('prefetch', count)
  }
  async assertQueue(queue = '', options: object = {}): Promise<{ queue: string }> {
    this.#note('declare', queue, options)
    return { queue: queue === '' ? 'amq.gen-1' : queue }
  }
  async checkQueue(queue: string): Promise<{ queue: string; messageCount: number }> {
    this.#note('check', queue)
    return { queue, messageCount: 0 }
  }
  async bindQueue(queue: string, exchange: string, pattern: string, args?: object): Promise<void> {
    this.#note('bind', queue, exchange, pattern, args)
  }
  async assertExchange(exchange: string, type: string): Promise<void> {
    this.#note('exchange', exchange, type)
  }
  async consume(queue: string, onMessage: OnMessage, options: object = {}): Promise<{ consumerTag: string }> {
    this.#note('consume', queue, options)
    this.#onMessage = onMessage
    return { consumerTag: 'c1' }
  }
  async cancel(consumerTag: string): Promise<void> {
    this.#note('cancel', consumerTag)
  }
  ack({ fields }: { fields: { deliveryTag: number } }, allUpTo = false): void {
    this.#note('ack', fields.deliveryTag, ...(allUpTo ? ['all up to'] : []))
  }
  nack({ fields }: { fields: { deliveryTag: number } }, allUpTo = false, requeue = true): void {
    this.#note(requeue ? 'requeue' : 'reject', fields.deliveryTag, ...(allUpTo ? ['all up to'] : []))
  }
  publish(exchange: string, routingKey: string, content: Buffer): boolean {
    this.#note('publish', exchange, routingKey, String(content))
    return !this.full
  }
  async close(): Promise<void> {
    this.#note('close channel')
    this.end()
  }
}

class ScriptedConnection extends EventEmitter implements AmqpConnection {
  readonly channel: ScriptedChannel

  constructor(channel: ScriptedChannel) {
    super()
    this.channel = channel
  }

  async createChannel(): Promise<AmqpChannel> {
    return this.channel
  }
  async createConfirmChannel(): Promise<AmqpConfirmChannel> {
    return this.channel
  }
  async close(): Promise<void> {
    this.channel.told.push(['close'])
    this.channel.end()
    this.emit('close')
  }
  destroy(): void {
    this.channel.told.push(['destroy'])
    this.channel.end()
    this.emit('close')
  }
}

export class ScriptedServer {
  /** All that it was told, on whatever connection. */
  readonly told: Told[] = []
  readonly targets: ConnectTarget[] = []
  /** What the next attempts to connect fail with; none once it is empty. */
  readonly refusals: (Error | 'silence')[] = []
  readonly failures: Map<string, Error> = new Map()
  readonly connections: ScriptedConnection[] = []

  readonly client = (): AmqpClient => ({ connect: (target) => this.#connect(target) })

  async #connect(target: ConnectTarget): Promise<AmqpConnection> {
    this.targets.push(target)
    const refusal = this.refusals.shift()
    if (refusal === 'silence') return new Promise(() => {})
    if (refusal !== undefined) throw refusal
    const connection = new ScriptedConnection(new ScriptedChannel(this.told, this.failures))
    this.connections.push(connection)
    return connection
  }

  /** The last one. */
  get connection(): ScriptedConnection {
    const connection = this.connections.at(-1)
    if (connection === undefined) throw new Error('nobody has connected')
    return connection
  }

  get channel(): ScriptedChannel {
    return this.connection.channel
  }

  /** What was told of the given kinds. */
  toldOf(...kinds: readonly string[]): readonly Told[] {
    return this.told.filter(([kind]) => kinds.includes(String(kind)))
  }

  /** The connection breaks. */
  drop(error: Error = new Error('Socket closed abruptly')): void {
    this.channel.closed = true
    this.connection.emit('error', error)
    this.channel.emit('close')
    this.connection.emit('close', error)
  }
}

export const refused = (): Error =>
  Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:5672'), { code: 'ECONNREFUSED' })
