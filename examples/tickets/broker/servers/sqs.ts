/**
 * Amazon SQS, or a server that speaks as it does: a queue each, with one of dead letters behind it. It counts deliveries, has failed messages
 * come again after a while, and gives them up: so it is SQS that tries again, and not the pipelines.
 */

import {
  CreateQueueCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  SQSClient,
  type SQSClientConfig,
} from '@aws-sdk/client-sqs'
import { type ChildSpec, child, type Message, name } from 'sluice'
import { type SqsMetadata, SqsPublisher, SqsSource } from 'sluice/sqs'
import { InputError } from '../../../command-line/input-error.ts'
import { ATTEMPTS } from '../broker.ts'
import { reasonOf } from '../reason-of.ts'
import type { Delivered, Server, ServerQueue, ServerQueueOptions } from '../server.ts'

const COUNTS = [
  'ApproximateNumberOfMessages',
  'ApproximateNumberOfMessagesDelayed',
  'ApproximateNumberOfMessagesNotVisible',
] as const
/** Milliseconds until a message that failed comes again; SQS knows whole seconds. */
const RETRY = 1000

/**
 * @param url `sqs://eu-central-1`, with the credentials of the environment; or `sqs://host:port`, a server that is not Amazon's.
 * @throws `InputError` when it does not answer.
 */
export async function openServer(url: string): Promise<Server> {
  const { host } = new URL(url)
  const config = configOf(url)
  const client = new SQSClient({ ...config, maxAttempts: 1 })
  const publishers: ChildSpec[] = []
  return {
    name: `SQS at ${host}`,
    children: publishers,
    triesAgain: true,
    queue: async (options) => {
      const queueUrl = await created(client, options.name, host)
      const publisher = name(SqsPublisher, options.name)
      publishers.push(child(SqsPublisher, { id: options.name, name: publisher, arg: { queueUrl, config } }))
      return await queueAt(client, config, queueUrl, options)
    },
    close: async () => client.destroy(),
  }
}

function configOf(url: string): SQSClientConfig {
  const { host, hostname, port } = new URL(url)
  if (port === '') return { region: hostname }
  // The URLs of queues may have another host than the one at which it is found.
  const local = { endpoint: `http://${host}`, useQueueUrlAsEndpoint: false, region: 'us-east-1' }
  const known = process.env['AWS_ACCESS_KEY_ID'] !== undefined
  return known ? local : { ...local, credentials: { accessKeyId: 'local', secretAccessKey: 'local' } }
}

async function queueAt(
  client: SQSClient,
  config: SQSClientConfig,
  queueUrl: string,
  { name: queue, lostAfter, givesUp }: ServerQueueOptions,
): Promise<ServerQueue> {
  class Source extends SqsSource {
    constructor() {
      super({
        queueUrl,
        config,
        messageAttributeNames: ['id'],
        visibilityTimeout: lostAfter,
        onFailure: (message) => {
          givesUp(message)
          return { retryAfter: RETRY }
        },
      })
    }
  }
  const state = async () => {
    const { Attributes: counts = {} } = await client.send(
      new GetQueueAttributesCommand({ QueueUrl: queueUrl, AttributeNames: [...COUNTS] }),
    )
    const [visible, delayed, unanswered] = COUNTS.map((count) => Number(counts[count] ?? 0))
    return { ready: (visible ?? 0) + (delayed ?? 0), unanswered: unanswered ?? 0 }
  }
  return {
    waiting: (await state()).ready,
    module: Source,
    read: (message: Message<string, string, SqsMetadata>): Delivered => {
      const { receiveCount: deliveries, messageAttributes } = message.metadata
      const id = messageAttributes['id']?.value
      return { message, content: message.data, id: typeof id === 'string' ? id : undefined, deliveries }
    },
    publish: async (messages, signal) => {
      const { call } = name(SqsPublisher, queue).with({ signal, timeout: Infinity })
      await call.publishMany(messages.map(({ id, content }) => ({ body: content, messageAttributes: { id } })))
    },
    state: () => state().catch(() => undefined),
    left: async () => {
      // To look at a message is to receive it, which counts: they are only counted.
      const { ready, unanswered } = await state()
      return Array.from({ length: ready + unanswered }, (_, index) => `message ${index + 1} of ${queue}`)
    },
  }
}

/** Sees to it that a queue and the one for its dead letters are there. Gives the URL of the queue. */
async function created(client: SQSClient, queue: string, host: string): Promise<string> {
  const [main, dead] = [queue, `${queue}_dead`].map((each) => each.replaceAll('.', '_'))
  try {
    const { QueueUrl: deadUrl } = await client.send(new CreateQueueCommand({ QueueName: dead }))
    const { Attributes } = await client.send(
      new GetQueueAttributesCommand({ QueueUrl: deadUrl, AttributeNames: ['QueueArn'] }),
    )
    const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: Attributes?.['QueueArn'], maxReceiveCount: ATTEMPTS })
    await client.send(new CreateQueueCommand({ QueueName: main, Attributes: { RedrivePolicy } }))
    const { QueueUrl: url = '' } = await client.send(new GetQueueUrlCommand({ QueueName: main }))
    return url
  } catch (error) {
    const text = `sqs://${host} does not let a queue ${main} be made (${reasonOf(error)}); expected Amazon SQS or its like`
    throw new InputError(text, { cause: error })
  }
}
