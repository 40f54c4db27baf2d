/**
 * Google Cloud Pub/Sub, or a server that speaks as it does: a topic for each queue with a subscription of the same name, and one of each
 * behind it for dead letters. Pub/Sub says nothing of what waits, and makes dead letters only of what comes again and again: so it is the
 * program that knows what it has published, and the pipelines that wait, try again, and publish what they give up.
 */

import { type ChildSpec, child, type Message, name } from 'sluice'
import { type Publication, type PubSubMetadata, PubSubPublisher, PubSubSource } from 'sluice/pubsub'
import { InputError } from '../../../command-line/input-error.ts'
import { Outstanding } from '../outstanding.ts'
import { reasonOf } from '../reason-of.ts'
import type { Delivered, Server, ServerQueue } from '../server.ts'
import { elsewhere, google, type Site } from './pubsub-site.ts'

/** Milliseconds for which a message is lent at least, when it is Pub/Sub that lends it. */
const SHORTEST_DEADLINE = 10_000
/** Messages pulled at once at most. */
const MANY = 100
/** Milliseconds until a subscription that had nothing is asked again. */
const INTERVAL = 50

/** What a message was when it came, to be published once more. */
interface Original {
  readonly id: string
  readonly data: Buffer | null
  readonly attributes: Readonly<Record<string, string>>
}

/**
 * @param url `pubsub://project`, with the credentials of the environment; or `pubsub://host:port/project`, a server that is not Google's.
 * @throws `InputError` when it does not answer.
 */
export async function openServer(url: string): Promise<Server> {
  const { host, hostname, port, pathname } = new URL(url)
  const project = pathname.slice(1)
  if ((port !== '' || project !== '') && !/^[\w.:-]+$/.test(project))
    throw new InputError(`pubsub://${host} has no project; expected pubsub://project or pubsub://host:port/project`)
  const site = project === '' ? await google(hostname) : elsewhere(host, project)
  const publishers: ChildSpec[] = []
  const publisherOf = (topic: string) => {
    const publisher = name(PubSubPublisher, topic)
    const arg = { topic: `projects/${site.project}/topics/${topic}`, ...site.access }
    publishers.push(child(PubSubPublisher, { id: topic, name: publisher, arg }))
    return async (publications: readonly Publication[], signal?: AbortSignal) => {
      if (publications.length > 0) await publisher.with({ signal, timeout: Infinity }).call.publishMany(publications)
    }
  }
  return {
    name: site.name,
    children: publishers,
    triesAgain: false,
    queue: async (options) => {
      const [queue, dead] = [options.name, `${options.name}_dead`]
      const deadline = Math.max(SHORTEST_DEADLINE, options.lostAfter)
      for (const each of [queue, dead]) await created(site, each, deadline)
      return queueAt(site, queue, deadline, { publish: publisherOf(queue), bury: publisherOf(dead) })
    },
    close: () => site.close(),
  }
}

type Publish = (publications: readonly Publication[], signal?: AbortSignal) => Promise<void>

function queueAt(
  site: Site,
  queue: string,
  ackDeadline: number,
  { publish, bury }: { readonly publish: Publish; readonly bury: Publish },
): ServerQueue {
  const outstanding = new Outstanding()
  class Source extends PubSubSource {
    constructor() {
      super({
        ...site.access,
        subscription: `projects/${site.project}/subscriptions/${queue}`,
        maxNumberOfMessages: MANY,
        receiveInterval: INTERVAL,
        ackDeadline,
        // It could not be published as what it is to be.
        onFailure: 'nack',
      })
    }
  }
  return {
    waiting: undefined,
    module: Source,
    read: (message: Message<Buffer | null, string, PubSubMetadata>): Delivered => {
      const { attributes, messageId } = message.metadata
      const id = attributes['id'] ?? `message ${messageId} of ${queue}`
      const metadata: Original = { id, data: message.data, attributes }
      return { message, content: String(message.data), id, deliveries: outstanding.delivered(id), metadata }
    },
    publish: async (messages, signal) => {
      const ids = messages.map(({ id }) => id)
      outstanding.published(ids)
      try {
        await publish(
          messages.map(({ id, content }) => ({ data: content, attributes: { id } })),
          signal,
        )
      } catch (error) {
        outstanding.refused(ids)
        throw error
      }
    },
    takeFailed: async (dead, again) => {
      await bury(dead.map((message) => copyOf(message, { reason: failureOf(message) })))
      outstanding.published(again.map(({ metadata }) => (metadata as Original).id))
      await publish(again.map((message) => copyOf(message)))
    },
    answered: (ids) => outstanding.answered(ids),
    state: async () => outstanding.state,
    left: async () => outstanding.ids,
  }
}

/** Keeps its id, by which it is known, also when whoever published it has given it none. */
function copyOf({ metadata }: Message, attributes: Readonly<Record<string, string>> = {}): Publication {
  const original = metadata as Original
  return { data: original.data ?? '', attributes: { ...original.attributes, ...attributes, id: original.id } }
}

/** For people who look at the dead letter; a value has 1024 bytes at most. */
function failureOf({ status }: Message): string {
  return status === 'ok' ? status : reasonOf(status.reason).slice(0, 200)
}

async function created(site: Site, name: string, deadline: number): Promise<void> {
  try {
    await site.create(name, deadline / 1000)
  } catch (error) {
    const text = `${site.name} does not let a topic ${name} be made (${reasonOf(error)}); expected Pub/Sub or its like`
    throw new InputError(text, { cause: error })
  }
}
