/** Starts a pipeline over each server with the sources in a folder that has no packages, and tells how that failed. */

import { pathToFileURL } from 'node:url'

const [folder = ''] = process.argv.slice(2)
const layer = (name: string) => import(`${pathToFileURL(folder)}/${name}/index.ts`)
const { Broadway } = await layer('broadway')
const sources = [
  [(await layer('rabbitmq')).RabbitMQSource, { queue: 'q' }],
  [(await layer('nats')).NatsSource, { stream: 's', consumer: 'c' }],
  [(await layer('redis')).RedisStreamSource, { stream: 's', group: 'g' }],
  [(await layer('redis')).RedisListSource, { list: 'l', onFailure: 'ack' }],
  [(await layer('kafka')).KafkaSource, { hosts: 'localhost:9092', groupId: 'g', topics: ['t'] }],
  [(await layer('sqs')).SqsSource, { queueUrl: 'https://sqs.example.org/1/q' }],
  [(await layer('pubsub')).PubSubSource, { subscription: 'projects/p/subscriptions/s' }],
]
for (const [module, arg] of sources) {
  try {
    const handleMessage = (message: unknown) => message
    await Broadway.start({ name: 'p', producer: { module, arg }, processors: { default: { handleMessage } } })
  } catch (error) {
    const [text = ''] = /npm install .*/.exec(String(error)) ?? []
    console.log(`${module.name}: ${text}`)
  }
}
