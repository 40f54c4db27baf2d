/** Where a Pub/Sub is: at Google, with its client and the credentials of the environment, or elsewhere, over REST and without any. */

import { type PubSubSourceOptions, restClient } from 'sluice/pubsub'

export interface Site {
  /** For people. */
  readonly name: string
  readonly project: string
  /** How producers and publishers get there. */
  readonly access: Pick<PubSubSourceOptions, 'config' | 'client'>
  /** Sees to it that a topic is there, with a subscription of the same name. */
  create(topic: string, ackDeadlineSeconds: number): Promise<void>
  close(): Promise<void>
}

/** Milliseconds. */
const TIMEOUT = 10_000
/** Of gRPC, and of HTTP: there is one of that name. */
const ALREADY_EXISTS = 6
const CONFLICT = 409

/** The client also knows of an emulator in PUBSUB_EMULATOR_HOST. */
export async function google(project: string): Promise<Site> {
  const { PubSub } = await import('@google-cloud/pubsub')
  const config = { projectId: project }
  const pubsub = new PubSub(config)
  const gaxOpts = { timeout: TIMEOUT, retry: { retryCodes: [] } }
  return {
    name: `Pub/Sub of ${project}`,
    project,
    access: { config },
    create: async (topic, ackDeadlineSeconds) => {
      // Without credentials the client has promises that nobody hears of.
      if (!pubsub.isEmulator) await pubsub.auth.getClient()
      await there(pubsub.createTopic(topic, gaxOpts))
      await there(pubsub.createSubscription(topic, topic, { ackDeadlineSeconds, gaxOpts }))
    },
    close: () => pubsub.close(),
  }
}

async function there(created: Promise<unknown>): Promise<void> {
  try {
    await created
  } catch (error) {
    if (Object(error).code !== ALREADY_EXISTS) throw error
  }
}

export function elsewhere(host: string, project: string): Site {
  const baseUrl = `http://${host}`
  const client = restClient({ baseUrl })
  const put = async (path: string, body: object) => {
    const response = await fetch(`${baseUrl}/v1/projects/${project}/${path}`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(TIMEOUT),
    }).catch((error: unknown) => {
      // Which says only that it has failed.
      throw Object(error).cause ?? error
    })
    const text = await response.text()
    if (!response.ok && response.status !== CONFLICT) throw new Error(`${response.status}: ${text.slice(0, 200)}`)
  }
  return {
    name: `Pub/Sub at ${host}`,
    project,
    access: { client: () => client },
    create: async (topic, ackDeadlineSeconds) => {
      await put(`topics/${topic}`, {})
      await put(`subscriptions/${topic}`, { topic: `projects/${project}/topics/${topic}`, ackDeadlineSeconds })
    },
    close: () => client.close(),
  }
}
