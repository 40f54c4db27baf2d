import { Broadway } from 'sluice/broadway'
import { RabbitMQSource } from 'sluice/rabbitmq'
import { amqplibEach, amqplibMultiple, emptying, noServer, rabbitmqClientEach } from '../peers/rabbitmq.ts'
import type { Row } from '../row.ts'

const AMOUNT = 50_000

/** Every message through a processor, and acknowledged by the pipeline. */
async function ours(connection: string, queue: string, amount: number, prefetch: number): Promise<number> {
  let done = 0
  let finish = (): void => {}
  const finished = new Promise<void>((resolve) => {
    finish = resolve
  })
  const pipeline = await Broadway.start({
    name: 'bench',
    producer: {
      module: RabbitMQSource,
      arg: { queue, connection, qos: { prefetchCount: prefetch }, onFailure: 'reject' },
    },
    processors: {
      default: {
        concurrency: 1,
        maxDemand: prefetch,
        handleMessage: (message) => {
          if (++done === amount) finish()
          return message
        },
      },
    },
  })
  await finished
  await pipeline.stop()
  return done
}

const row = (prefetch: number): Row => ({
  id: `rabbitmq-${prefetch}`,
  work: `consume ${AMOUNT / 1000} k messages of 100 bytes and acknowledge each, prefetch ${prefetch}`,
  unit: 'messages a second',
  missing: noServer,
  ours: { name: 'sluice', measure: () => emptying(AMOUNT, prefetch, ours) },
  peers: [
    { name: 'amqplib, an ack each', goal: 1.3, measure: () => emptying(AMOUNT, prefetch, amqplibEach) },
    { name: 'rabbitmq-client, an ack each', goal: null, measure: () => emptying(AMOUNT, prefetch, rabbitmqClientEach) },
    {
      name: 'amqplib, an ack for 50, by hand',
      goal: null,
      measure: () => emptying(AMOUNT, prefetch, amqplibMultiple),
    },
  ],
})

export const rabbitmq100: Row = row(100)
export const rabbitmq1000: Row = row(1000)
