/** Google's emulator of Pub/Sub, where it is installed, and what a test has in a server that speaks its REST. */

import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { existsSync, readdirSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll } from 'vitest'
import { freePort } from './free-port.ts'

const FOLDER = '/usr/lib/google-cloud-sdk/platform/pubsub-emulator/lib'
const JAVA = '/usr/bin/java'
const jar = existsSync(FOLDER)
  ? readdirSync(FOLDER).find((name) => name.startsWith('cloud-pubsub-emulator'))
  : undefined

/** It is not one of Debian's packages: CI does without, and has the REST server of the tests. */
export const emulatorIsThere = jar !== undefined && existsSync(JAVA)
if (!emulatorIsThere) {
  console.warn('no emulator of Pub/Sub: its tests are skipped; install google-cloud-cli-pubsub-emulator, and Java 17')
}

// Or Google's client looks for a server of metadata.
process.env['METADATA_SERVER_DETECTION'] = 'none'

/** One for all tests of a file; gives its URL. */
export function emulatorForAll(): () => string {
  let emulator: ChildProcess | undefined
  let url = ''
  beforeAll(async () => {
    const port = await freePort()
    url = `http://127.0.0.1:${port}`
    emulator = spawn(JAVA, ['-jar', `${FOLDER}/${jar}`, '--host=127.0.0.1', `--port=${port}`], { stdio: 'ignore' })
    while (!(await isUp(url))) await delay(100)
  })
  afterAll(async () => {
    const ended = new Promise((resolve) => emulator?.once('exit', resolve))
    emulator?.kill('SIGKILL')
    await ended
  })
  return () => url
}

async function isUp(url: string): Promise<boolean> {
  try {
    return (await fetch(url)).ok
  } catch {
    return false
  }
}

/** A topic and its subscription. */
export interface Topic {
  readonly topic: string
  readonly subscription: string
}

export function topicOf(project: string, id: string): Topic {
  return { topic: `projects/${project}/topics/${id}`, subscription: `projects/${project}/subscriptions/${id}` }
}

export async function createTopic(url: string, options: object = {}): Promise<Topic> {
  const created = topicOf('sluice', `sluice-test-${randomUUID()}`)
  const { topic, subscription } = created
  await request(url, 'PUT', topic, {})
  await request(url, 'PUT', subscription, { topic, ackDeadlineSeconds: 10, ...options })
  return created
}

export async function deleteTopic(url: string, { topic, subscription }: Topic): Promise<void> {
  await request(url, 'DELETE', subscription)
  await request(url, 'DELETE', topic)
}

/** Publishes texts past the connector. */
export async function publishTo(
  url: string,
  { topic }: Topic,
  messages: readonly { readonly text: string; readonly orderingKey?: string }[],
): Promise<void> {
  // All of one key in one request, as the service wants it, and in order.
  for (const orderingKey of new Set(messages.map((message) => message.orderingKey))) {
    const same = messages.filter((message) => message.orderingKey === orderingKey)
    const key = orderingKey === undefined ? {} : { orderingKey }
    const body = { messages: same.map(({ text }) => ({ data: Buffer.from(text).toString('base64'), ...key })) }
    await request(url, 'POST', `${topic}:publish`, body)
  }
}

export interface Letter {
  readonly text: string
  readonly attributes: Readonly<Record<string, string>>
}

/** The messages that nobody has. They are looked at, and given back. */
export async function lettersIn(url: string, { subscription }: Topic): Promise<readonly Letter[]> {
  const letters: Letter[] = []
  const ackIds: string[] = []
  for (;;) {
    const pulled = await request(url, 'POST', `${subscription}:pull`, { maxMessages: 1000, returnImmediately: true })
    const { receivedMessages = [] } = Object(pulled)
    if (receivedMessages.length === 0) break
    for (const { ackId, message } of receivedMessages) {
      ackIds.push(ackId)
      letters.push({ text: Buffer.from(message.data, 'base64').toString(), attributes: message.attributes ?? {} })
    }
  }
  if (ackIds.length > 0)
    await request(url, 'POST', `${subscription}:modifyAckDeadline`, { ackIds, ackDeadlineSeconds: 0 })
  return letters
}

async function request(url: string, method: string, path: string, body?: object): Promise<unknown> {
  const headers = { 'content-type': 'application/json' }
  const response = await fetch(`${url}/v1/${path}`, {
    method,
    headers,
    body: body === undefined ? null : JSON.stringify(body),
  })
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`)
  return await response.json()
}
