import { cpSync } from 'node:fs'
import { expect, it } from 'vitest'
import { runProgram } from '../support/program.ts'
import { tempFolder } from '../support/temp-folder.ts'

it('a source does not start without the package of its server, and says what to install', async () => {
  const sources = tempFolder()('src')
  cpSync('src', sources, { recursive: true })
  cpSync('package.json', `${sources}/../package.json`)
  const { stdout, stderr } = await runProgram('without-clients', sources)
  expect(stdout.split('\n')).toEqual([
    'RabbitMQSource: npm install amqplib',
    'NatsSource: npm install @nats-io/jetstream @nats-io/transport-node',
    'RedisStreamSource: npm install redis',
    'RedisListSource: npm install redis',
    expect.stringMatching(/^KafkaSource: npm install (kafkajs|@platformatic\/kafka)$/),
    'SqsSource: npm install @aws-sdk/client-sqs',
    'PubSubSource: npm install @google-cloud/pubsub',
    '',
  ])
  expect(stderr).not.toContain('crashed')
})
