import { writeFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { googleClient } from '../../src/pubsub/client/google-client.ts'
import type { PubSubClient } from '../../src/pubsub/client/port.ts'
import { freePort } from '../support/free-port.ts'
import { tempFolder } from '../support/temp-folder.ts'

const { signal } = new AbortController()
const message = { data: Buffer.from('1'), attributes: {}, orderingKey: '' }
const request = { subscription: 'projects/p/subscriptions/s', maxOutstandingMessages: 1, ackDeadlineSeconds: 10 }

const publish = (client: PubSubClient) => client.publish('projects/p/topics/t', [message], signal)
const pull = (client: PubSubClient) => client.pull('projects/p/subscriptions/s', 1, signal)
const stream = (client: PubSubClient) =>
  new Promise((_, ended) => client.stream?.(request, { received: () => {}, ended }))

// A rejection that nobody hears of would be told by Vitest.
describe("Google's client without credentials", () => {
  it.each([
    ['publishing', publish],
    ['a pull', pull],
    ['a stream', stream],
  ] as const)('%s fails, and looks for them again the next time', async (_what, ask) => {
    const keyFilename = tempFolder()('key.json')
    const client = await googleClient({ projectId: 'p', keyFilename, servicePath: '127.0.0.1', port: await freePort() })
    await expect(ask(client)).rejects.toThrow('ENOENT')
    await writeFile(keyFilename, '{}')
    await expect(ask(client)).rejects.toThrow('ECONNREFUSED')
    await client.close()
  })

  it('ends a stream that is given up before it is open, once', async () => {
    const client = await googleClient({ projectId: 'p', keyFilename: '/there-is-none' })
    const ends: unknown[] = []
    const given = client.stream?.(request, { received: () => {}, ended: (error) => ends.push(error) })
    given?.end()
    given?.cancel()
    await expect(pull(client)).rejects.toThrow('ENOENT')
    expect(ends).toEqual([undefined])
    await client.close()
  })
})
