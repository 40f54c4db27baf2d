/** The RabbitMQ of this machine, or the one at RABBITMQ_URL; `scripts/with-servers` starts a private one. */

import { randomUUID } from 'node:crypto'
import { type ChannelModel, type ConfirmChannel, connect } from 'amqplib'

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
