/** A server of NATS that does what a test says, and notes what it is told. */

import type {
  NatsClient,
  NatsConfig,
  NatsConnection,
  NatsConnectionChange,
  NatsConsumerInfo,
  NatsDelivery,
  NatsHeaders,
  NatsSending,
  NatsSubscription,
  NatsTarget,
} from 'sluice/nats'

/** `['say', '$JS.ACK...', '+ACK']`. */
export type Told = readonly unknown[]

const STREAM: NatsConfig = { subjects: ['s.>'], retention: 'limits' }
const CONSUMER: NatsConfig = { durable_name: 'worker', ack_policy: 'explicit', ack_wait: 30e9, max_deliver: -1 }

export class ScriptedConnection implements NatsConnection {
  changed: (change: NatsConnectionChange) => void = () => {}
  readonly closed: Promise<unknown>
  version = '2.9.10'
  readonly apiPrefix = '$JS.API'
  readonly server: ScriptedNats
  readonly #listeners = new Map<string, (delivery: NatsDelivery) => void>()
  #end: (error?: unknown) => void = () => {}

  constructor(server: ScriptedNats) {
    this.server = server
    this.closed = new Promise((resolve) => {
      this.#end = resolve
    })
  }

  /** A message of the stream, on the newest subscription. */
  deliver(text: string, { sequence = 1, deliveries = 1, subject = 's.a', headers = {} as NatsHeaders } = {}): void {
    const reply = `$JS.ACK.s.worker.${deliveries}.${sequence}.${sequence}.1700000000000000000.0`
    this.#give({ subject, data: Buffer.from(text), reply, status: 0, description: '', headers })
  }

  /** A word about a pull. */
  status(status: number, description: string, headers: NatsHeaders = {}): void {
    this.#give({ subject: '_INBOX', data: Buffer.alloc(0), reply: '', status, description, headers })
  }

  /** The connection breaks, and comes back. */
  drop(): void {
    this.changed({ type: 'disconnect' })
  }
  back(): void {
    this.changed({ type: 'reconnect' })
  }
  /** The client gives up. */
  end(error?: unknown): void {
    this.#end(error)
  }

  #give(delivery: NatsDelivery): void {
    const listener = [...this.#listeners.values()].at(-1)
    if (listener === undefined) throw new Error('nobody listens')
    listener(delivery)
  }

  inbox(): string {
    return `_INBOX.${this.server.inboxes++}`
  }
  publish(subject: string, payload: string, reply?: string): void {
    if (reply === undefined) this.server.told.push(['say', subject, payload])
    else this.server.told.push(['pull', JSON.parse(payload).batch])
  }
  async request(subject: string, payload: string): Promise<void> {
    this.server.told.push(['request', subject, payload])
    this.server.fail('request')
  }
  subscribe(subject: string, onDelivery: (delivery: NatsDelivery) => void): NatsSubscription {
    this.#listeners.set(subject, onDelivery)
    return {
      drain: async () => {
        this.server.told.push(['drain'])
        this.server.onDrain()
      },
      unsubscribe: () => void this.#listeners.delete(subject),
    }
  }
  async send(subject: string, content: Uint8Array | string, sending: NatsSending): Promise<void> {
    this.server.told.push(['send', subject, String(content), sending.messageId, sending.headers])
    this.server.fail('send')
  }
  async streamConfig(): Promise<NatsConfig | undefined> {
    return this.server.stream
  }
  async addStream(config: NatsConfig): Promise<void> {
    this.server.told.push(['stream', config])
    this.server.stream = config
  }
  async consumerInfo(): Promise<NatsConsumerInfo | undefined> {
    this.server.fail('consumer')
    const { consumer } = this.server
    return consumer === undefined ? undefined : { config: consumer, waiting: 3 }
  }
  async addConsumer(_stream: string, config: NatsConfig): Promise<void> {
    this.server.told.push(['consumer', config])
    this.server.consumer = config
  }
  async flush(): Promise<void> {
    this.server.told.push(['flush'])
  }
  async close(): Promise<void> {
    this.server.told.push(['close'])
    this.#end()
  }
}

export class ScriptedNats {
  /** All that it was told, on whatever connection. */
  readonly told: Told[] = []
  readonly targets: NatsTarget[] = []
  /** What the next attempts to connect fail with; none once it is empty. */
  readonly refusals: unknown[] = []
  /** What the next requests of a kind fail with. */
  readonly failures: Map<string, unknown[]> = new Map()
  readonly connections: ScriptedConnection[] = []
  stream: NatsConfig | undefined = STREAM
  consumer: NatsConfig | undefined = CONSUMER
  inboxes = 0
  /** What happens while a subscription ends. */
  onDrain: () => void = () => {}

  readonly client = (): NatsClient => ({
    connect: async (target) => {
      this.targets.push(target)
      const refusal = this.refusals.shift()
      if (refusal !== undefined) throw refusal
      const connection = new ScriptedConnection(this)
      this.connections.push(connection)
      return connection
    },
  })

  /** The last one. */
  get connection(): ScriptedConnection {
    const connection = this.connections.at(-1)
    if (connection === undefined) throw new Error('nobody has connected')
    return connection
  }

  fail(kind: string): void {
    const error = this.failures.get(kind)?.shift()
    if (error !== undefined) throw error
  }

  /** What was told of the given kinds. */
  toldOf(...kinds: readonly string[]): readonly Told[] {
    return this.told.filter(([kind]) => kinds.includes(String(kind)))
  }

  /** Answers, as `1 +ACK`: the sequence number of the message, and what was said. */
  get answers(): readonly string[] {
    return this.toldOf('say', 'request').map(
      ([, reply, payload]) => `${String(reply).split('.')[5]} ${String(payload)}`,
    )
  }
}

export const connectionRefused = (): Error =>
  Object.assign(new Error('connection refused'), {
    cause: Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:4222'), { code: 'ECONNREFUSED' }),
  })
