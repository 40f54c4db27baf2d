/** The kinds of servers that there are, by what their URL begins with. Each is loaded when it is asked for, with its client. */

import type { Server } from './server.ts'

export interface ServerKind {
  /** How its URL looks. */
  readonly example: string
  load(): Promise<{ openServer(url: string): Promise<Server> }>
}

const rabbitmq: ServerKind = {
  example: 'amqp://user:password@host:port/virtual-host',
  load: () => import('./servers/rabbitmq.ts'),
}

const nats: ServerKind = { example: 'nats://user:password@host:port', load: () => import('./servers/nats.ts') }

const redis: ServerKind = { example: 'redis://user:password@host:port', load: () => import('./servers/redis.ts') }
const sqs: ServerKind = { example: 'sqs://region', load: () => import('./servers/sqs.ts') }

const kafka: ServerKind = { example: 'kafka://host:port,host:port', load: () => import('./servers/kafka.ts') }
const pubsub: ServerKind = { example: 'pubsub://project', load: () => import('./servers/pubsub.ts') }

const KINDS: Readonly<Record<string, ServerKind>> = {
  'amqp:': rabbitmq,
  'amqps:': rabbitmq,
  'kafka:': kafka,
  'nats:': nats,
  'redis:': redis,
  'rediss:': redis,
  'sqs:': sqs,
  'pubsub:': pubsub,
}

/** The kind of server at a URL; `undefined` when there is none of that name. */
export function kindOf(url: string): ServerKind | undefined {
  // Kafka has several hosts; each is looked at when it is opened.
  const first = url.replace(/^(kafka:[^,]*),.*$/s, '$1')
  if (!URL.canParse(first)) return undefined
  const { protocol, hostname } = new URL(first)
  return hostname === '' ? undefined : KINDS[protocol]
}

/** What a URL may look like, for people. */
export function examples(): readonly string[] {
  return [...new Set(Object.values(KINDS).map(({ example }) => example))]
}
