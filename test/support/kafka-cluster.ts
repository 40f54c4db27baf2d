/**
 * A cluster of Kafka that tests start: the mock of librdkafka, in a process of Python. It speaks the protocol, has groups, and can be told
 * to fail. Debian: `apt-get install librdkafka1 python3`.
 */

import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const script = fileURLToPath(new URL('kafka-mock-cluster.py', import.meta.url))
const found = spawnSync('python3', ['-c', 'import ctypes; ctypes.CDLL("librdkafka.so.1")'])

/** In CI it has to be there. */
export const kafkaIsThere = process.env['CI'] !== undefined || found.status === 0
if (!kafkaIsThere) console.warn('no python3 with librdkafka.so.1: the tests of Kafka with a cluster are skipped')

/** Numbers of requests of the protocol, for `errors`. */
export const REQUESTS = {
  produce: 0,
  fetch: 1,
  listOffsets: 2,
  metadata: 3,
  commit: 8,
  offsetFetch: 9,
  findCoordinator: 10,
  join: 11,
  heartbeat: 12,
  sync: 14,
} as const

export class KafkaCluster implements AsyncDisposable {
  readonly hosts: string
  readonly #child: ChildProcessWithoutNullStreams
  readonly #answers: AsyncIterator<string>

  private constructor(child: ChildProcessWithoutNullStreams, answers: AsyncIterator<string>, hosts: string) {
    this.#child = child
    this.#answers = answers
    this.hosts = hosts
  }

  static async start(brokers = 1): Promise<KafkaCluster> {
    const child = spawn('python3', [script, String(brokers)])
    const said: string[] = []
    child.stderr.on('data', (bytes) => said.push(String(bytes)))
    const answers = createInterface(child.stdout)[Symbol.asyncIterator]()
    const { value, done } = await answers.next()
    if (done) throw new Error(`the mock cluster of Kafka did not start: ${said.join('')}`)
    return new KafkaCluster(child, answers, value)
  }

  /** A topic that no other test uses. */
  async topic(partitions: number): Promise<string> {
    const name = `sluice-test-${randomUUID()}`
    await this.#tell('topic', name, partitions)
    return name
  }

  async down(broker = 1): Promise<void> {
    await this.#tell('down', broker)
  }

  async up(broker = 1): Promise<void> {
    await this.#tell('up', broker)
  }

  async leader(topic: string, partition: number, broker: number): Promise<void> {
    await this.#tell('leader', topic, partition, broker)
  }

  async coordinator(group: string, broker: number): Promise<void> {
    await this.#tell('coordinator', group, broker)
  }

  /** The next requests of a kind fail with these codes, one each. */
  async errors(request: number, ...codes: readonly number[]): Promise<void> {
    await this.#tell('errors', request, ...codes)
  }

  async #tell(...command: readonly (string | number)[]): Promise<void> {
    this.#child.stdin.write(`${command.join(' ')}\n`)
    const { value } = await this.#answers.next()
    if (value !== '0') throw new Error(`the mock cluster answers ${value} to ${command.join(' ')}`)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const gone = new Promise((resolve) => this.#child.on('close', resolve))
    this.#child.stdin.end()
    this.#child.kill()
    await gone
  }
}

/** A name of a group that no other test uses. */
export function groupName(): string {
  return `sluice-test-${randomUUID()}`
}

type Client = 'kafkajs' | 'platformatic'
const isNew = Number(process.versions.node.split('.')[0]) >= 24

/** Clients to test with: the one that this Node is for, or all that run on it when KAFKA_CLIENTS is `all`. */
export const CLIENTS: readonly Client[] = [
  ...(!isNew || process.env['KAFKA_CLIENTS'] === 'all' ? (['kafkajs'] as const) : []),
  ...(isNew ? (['platformatic'] as const) : []),
]

/** Options of sources over the cluster: all waits are short, since it tells nobody that something has come. */
export const QUICK = {
  offsetResetPolicy: 'earliest',
  receiveInterval: 10,
  fetchConfig: { maxWaitTime: 100 },
  groupConfig: { heartbeatInterval: 200, rejoinDelay: 10, sessionTimeout: 6000 },
  backoffType: 'exp',
  backoffMin: 10,
  backoffMax: 200,
} as const
