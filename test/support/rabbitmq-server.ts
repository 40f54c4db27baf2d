/** The RabbitMQ of this machine, or the one at RABBITMQ_URL; `scripts/with-servers` starts a private one. */

import { randomUUID } from 'node:crypto'
import { connect as connectSocket, createServer, type Socket } from 'node:net'
import { type ChannelModel, type ConfirmChannel, connect } from 'amqplib'
import type { TypedChannel } from 'sluice/telemetry'
import { onTestFinished } from 'vitest'

export const RABBITMQ = process.env['RABBITMQ_URL'] ?? 'amqp://guest:guest@127.0.0.1:5672'

/** In CI it has to be there. */
export const rabbitmqIsThere = process.env['CI'] !== undefined || (await answers())
if (!rabbitmqIsThere)
  console.warn(`no RabbitMQ at ${new URL(RABBITMQ).host}: its tests are skipped; see scripts/with-servers`)

async function answers(): Promise<boolean> {
  try {
    await (await connect(RABBITMQ)).close()
    return true
  } catch {
    return false
  }
}

/** What a test has at the server, which is gone when it ends. */
export class Broker implements AsyncDisposable {
  readonly channel: ConfirmChannel
  readonly #model: ChannelModel
  readonly #queues: string[] = []
  readonly #exchanges: string[] = []

  private constructor(model: ChannelModel, channel: ConfirmChannel) {
    this.#model = model
    this.channel = channel
  }

  static async connect(): Promise<Broker> {
    const model = await connect(RABBITMQ)
    return new Broker(model, await model.createConfirmChannel())
  }

  /** A name that no other test uses; the queue, if there is one, is deleted at the end. */
  name(): string {
    return this.noted(`sluice-test-${randomUUID()}`)
  }

  /** For names of queues that a program makes. */
  prefix(): string {
    return `sluice-test-${randomUUID()}-`
  }

  /** A queue that is deleted at the end, if there is one. */
  noted(name: string): string {
    this.#queues.push(name)
    return name
  }

  /** A queue with messages `0`, `1`, ... */
  async queue(messages = 0, args: object = {}): Promise<string> {
    const name = this.name()
    await this.channel.assertQueue(name, { durable: true, arguments: args })
    await this.fill(name, messages)
    return name
  }

  async exchange(type: string): Promise<string> {
    const name = `sluice-test-${randomUUID()}`
    this.#exchanges.push(name)
    await this.channel.assertExchange(name, type)
    return name
  }

  async fill(queue: string, messages: number, from = 0): Promise<void> {
    for (let n = from; n < from + messages; n++) this.channel.sendToQueue(queue, Buffer.from(String(n)))
    await this.channel.waitForConfirms()
  }

  /** Messages that wait, without those that somebody has and did not answer for. */
  async ready(queue: string): Promise<number> {
    return (await this.channel.checkQueue(queue)).messageCount
  }

  /** Takes all that wait: their texts, and whether they were delivered before. */
  async take(queue: string): Promise<readonly (readonly [text: string, redelivered: boolean])[]> {
    const taken: [string, boolean][] = []
    for (;;) {
      const message = await this.channel.get(queue, { noAck: true })
      if (message === false) return taken
      taken.push([String(message.content), message.fields.redelivered])
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const queue of this.#queues) await this.channel.deleteQueue(queue)
    for (const exchange of this.#exchanges) await this.channel.deleteExchange(exchange)
    await this.#model.close()
  }
}

/** A way to a server that can be cut, and on which nothing may get through for a while. */
export class Cable implements AsyncDisposable {
  readonly #target: string
  /** Both ends of each connection, both ways round. */
  readonly #ends = new Map<Socket, Socket>()
  #paused = false
  readonly #server = createServer((near) => {
    const { hostname, port } = new URL(this.#target)
    const far = connectSocket(Number(port || 5672), hostname)
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#ends.set(one, other)
      one.on('error', () => {})
      one.on('close', () => {
        this.#ends.delete(one)
        other.destroy()
      })
      if (!this.#paused) one.pipe(other)
    }
  })

  private constructor(target: string) {
    this.#target = target
  }

  static async lay(target: string = RABBITMQ): Promise<Cable> {
    const cable = new Cable(target)
    await new Promise<void>((resolve) => cable.#server.listen(0, '127.0.0.1', resolve))
    return cable
  }

  get uri(): string {
    const address = this.#server.address()
    const uri = new URL(this.#target)
    uri.host = `127.0.0.1:${typeof address === 'object' ? address?.port : 0}`
    return uri.href
  }

  /** How many there are. */
  get connections(): number {
    return this.#ends.size / 2
  }

  cut(): void {
    for (const socket of this.#ends.keys()) socket.destroy()
  }

  /** Nothing gets through, not even that somebody hung up. */
  pause(): void {
    this.#paused = true
    for (const socket of this.#ends.keys()) socket.unpipe().pause()
  }

  resume(): void {
    this.#paused = false
    for (const [one, other] of this.#ends) one.pipe(other)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}

/** Things that come, to wait for. */
export class Arrivals<T> {
  readonly all: T[] = []
  #waiting: { readonly count: number; readonly resolve: () => void }[] = []

  add(item: T): void {
    this.all.push(item)
    for (const { resolve } of this.#waiting.filter(({ count }) => count <= this.all.length)) resolve()
    this.#waiting = this.#waiting.filter(({ count }) => count > this.all.length)
  }

  /** Resolves when there are that many. */
  async reach(count: number): Promise<readonly T[]> {
    if (this.all.length < count) await new Promise<void>((resolve) => this.#waiting.push({ count, resolve }))
    return this.all
  }
}

/** What a channel of telemetry tells until the test ends. */
export function listen<T>(channel: TypedChannel<T>): Arrivals<T> {
  const told = new Arrivals<T>()
  const listener = (event: T) => told.add(event)
  channel.subscribe(listener)
  onTestFinished(() => void channel.unsubscribe(listener))
  return told
}
