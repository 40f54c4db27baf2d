/**
 * The queue that the contenders empty, and the peers: each message is acknowledged by itself, at once, on the channel that it came
 * on. Of rabbitmq-client that is the channel: its `Consumer`, which awaits a handler for each message, is slower.
 */
import { type Channel, connect } from 'amqplib'
import { Connection } from 'rabbitmq-client'

const URL = process.env['RABBITMQ_URL'] ?? 'amqp://guest:guest@127.0.0.1:5672'
const BODY = Buffer.alloc(100, 'x')

/** Says so when there is no server to measure with. */
export async function noServer(): Promise<string | undefined> {
  try {
    await (await connect(URL)).close()
    return undefined
  } catch {
    return 'there is no RabbitMQ: start one, or set RABBITMQ_URL'
  }
}

/** Empties a queue of so many messages, and gives how many there were when the server knows of the last answer. */
type Empty = (url: string, queue: string, amount: number, prefetch: number) => Promise<number>

/** Messages a second, without the time to fill the queue. */
export async function emptying(amount: number, prefetch: number, empty: Empty): Promise<number> {
  const model = await connect(URL)
  try {
    const channel = await model.createConfirmChannel()
    const { queue } = await channel.assertQueue('', { durable: false, exclusive: false, autoDelete: false })
    for (let sent = 0; sent < amount; sent += 1000) {
      for (let n = sent; n < Math.min(amount, sent + 1000); n++) channel.sendToQueue(queue, BODY)
      await channel.waitForConfirms()
    }
    const start = performance.now()
    const done = await empty(URL, queue, amount, prefetch)
    const seconds = (performance.now() - start) / 1000
    const { messageCount } = await channel.deleteQueue(queue)
    if (done !== amount || messageCount > 0) throw new Error(`${done} of ${amount} came, ${messageCount} are left`)
    return amount / seconds
  } finally {
    await model.close()
  }
}

export const amqplibEach: Empty = (url, queue, amount, prefetch) =>
  withAmqplib(url, queue, amount, prefetch, (channel, tag) => channel.ack({ fields: { deliveryTag: tag } } as never))

/** For scale: what one frame for 50 messages brings when it is written by hand. */
export const amqplibMultiple: Empty = (url, queue, amount, prefetch) =>
  withAmqplib(url, queue, amount, prefetch, (channel, tag) => {
    if (tag % 50 === 0 || tag === amount) channel.ack({ fields: { deliveryTag: tag } } as never, true)
  })

async function withAmqplib(
  url: string,
  queue: string,
  amount: number,
  prefetch: number,
  answer: (channel: Channel, tag: number) => void,
): Promise<number> {
  const model = await connect(url, { noDelay: true })
  const channel = await model.createChannel()
  await channel.prefetch(prefetch)
  let done = 0
  await new Promise<void>((resolve, reject) => {
    const consuming = channel.consume(queue, (message) => {
      if (message === null) return
      answer(channel, message.fields.deliveryTag)
      if (++done === amount) resolve()
    })
    consuming.catch(reject)
  })
  // The server answers in order.
  await channel.checkQueue(queue)
  await model.close()
  return done
}

export const rabbitmqClientEach: Empty = async (url, queue, amount, prefetch) => {
  const connection = new Connection(url)
  const channel = await connection.acquire()
  await channel.basicQos({ prefetchCount: prefetch })
  let done = 0
  await new Promise<void>((resolve, reject) => {
    const consuming = channel.basicConsume({ queue }, ({ deliveryTag }) => {
      channel.basicAck({ deliveryTag })
      if (++done === amount) resolve()
    })
    consuming.catch(reject)
  })
  await channel.queueDeclare({ queue, passive: true })
  // The connection waits for it.
  await channel.close()
  await connection.close()
  return done
}
