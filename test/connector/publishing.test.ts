import { type CallError, fresh, start } from 'sluice'
import { simulate } from 'sluice/testing'
import { expect, it } from 'vitest'
import type { PublishFailure } from '../../src/connector/publish-group.ts'
import { Publisher } from '../../src/connector/publisher.ts'
import { Publishing, type PublishingPlan } from '../../src/connector/publishing.ts'

class Refused extends Error {
  readonly failures: readonly PublishFailure<Refused>[]

  constructor(text: string, failures: readonly PublishFailure<Refused>[] = []) {
    super(text)
    this.failures = failures
  }
}

/** What the server was sent, and how each request ends. */
class Server {
  readonly requests: (readonly string[])[] = []
  #waiting: ((errors: readonly (Refused | undefined)[] | Error) => void)[] = []

  send(publications: readonly string[]): Promise<readonly (Refused | undefined)[]> {
    this.requests.push(publications)
    return new Promise((resolve, reject) =>
      this.#waiting.push((outcome) => (outcome instanceof Error ? reject(outcome) : resolve(outcome))),
    )
  }

  /** Ends the oldest request. */
  end(outcome: readonly (Refused | undefined)[] | Error = []): void {
    this.#waiting.shift()?.(outcome)
  }
}

class Post extends Publisher<string> {
  constructor(send: PublishingPlan<string, Refused>['send']) {
    super(
      (process) =>
        new Publishing<string, Refused>(process, {
          maxBatch: 3,
          maxBytes: 10,
          bytesOf: ({ length }) => length,
          maxRequests: 1,
          maxWaiting: 5,
          backoff: { type: 'exp', min: 100, max: 1000 },
          send,
          isFinal: (error) => error instanceof Refused,
          refusal: (text, failures) => new Refused(text, failures),
          full: (text) => new Refused(text),
          failed: (error) => new Refused(String(error)),
        }),
    )
  }
}

async function startPost() {
  const server = new Server()
  const post = await start(Post, { arg: fresh(() => (publications: readonly string[]) => server.send(publications)) })
  return { server, post }
}

it('what waits goes with the next request, in the order of the calls and within its bounds', async () => {
  await simulate().run(async (sim) => {
    const { server, post } = await startPost()
    const published = ['a', 'b', 'c', 'd', '0123456789', 'e'].map((each) => post.call.publish(each))
    await sim.settle()
    for (let requests = 0; requests < 4; requests++) {
      server.end()
      await sim.settle()
    }
    await Promise.all(published)
    expect(server.requests).toEqual([['a'], ['b', 'c', 'd'], ['0123456789'], ['e']])
  })
})

it('a request of which nobody knows what became of it is made again, before all that wait', async () => {
  await simulate().run(async (sim) => {
    const { server, post } = await startPost()
    const first = post.call.publishMany(['a', 'b'])
    const second = post.call.publish('c')
    await sim.settle()
    server.end(new Error('connection reset'))
    await sim.settle()
    expect(server.requests).toHaveLength(1)
    await sim.advance(100)
    expect(server.requests[1]).toEqual(['a', 'b', 'c'])
    server.end(new Error('connection reset'))
    await sim.advance(199)
    expect(server.requests).toHaveLength(2)
    await sim.advance(1)
    expect(server.requests[2]).toEqual(['a', 'b', 'c'])
    server.end()
    await Promise.all([first, second])
    expect(sim.logs.map(({ message }) => message)).toEqual([
      expect.stringContaining('could not publish 2 messages: connection reset; it sends them again in 100 ms'),
      expect.stringContaining('could not publish 3 messages: connection reset; it sends them again in 200 ms'),
    ])
  })
})

it('a call fails with those of its messages that were refused, and no other call does', async () => {
  await simulate().run(async (sim) => {
    const { server, post } = await startPost()
    const mixed = post.call.publishMany(['a', 'bad', 'c']).catch((error: CallError) => error.cause)
    const good = post.call.publish('d')
    await sim.settle()
    server.end([undefined, new Refused('too bad'), undefined])
    await sim.settle()
    server.end()
    expect(await mixed).toMatchObject({ message: 'too bad', failures: [{ index: 1, error: { message: 'too bad' } }] })
    await good
  })
})

it('an error that nothing can mend fails the messages of the request, and the next request is made', async () => {
  await simulate().run(async (sim) => {
    const { server, post } = await startPost()
    const refused = post.call.publishMany(['a', 'b']).catch((error: CallError) => error.cause)
    const next = post.call.publish('c')
    await sim.settle()
    server.end(new Refused('no such queue'))
    await sim.settle()
    server.end()
    expect(await refused).toMatchObject({ message: '2 messages were not published; the first: Error: no such queue' })
    await next
  })
})

it('more than may wait is refused, and what nobody waits for any more is not sent', async () => {
  await simulate().run(async (sim) => {
    const { server, post } = await startPost()
    const under = post.call.publish('a')
    const impatient = post
      .with({ timeout: 50 })
      .call.publishMany(['b', 'c', 'd', 'e'])
      .catch((error: CallError) => error.code)
    const refused = post.call.publishMany(['f', 'g']).catch((error: CallError) => error.cause)
    expect(await refused).toMatchObject({
      message: '4 messages wait to be published, 2 more would be over maxWaiting, 5',
    })
    await sim.advance(50)
    expect(await impatient).toBe('timeout')
    server.end()
    await under
    await sim.settle()
    expect(server.requests).toEqual([['a']])
  })
})

it('draining waits until the server has everything', async () => {
  await simulate().run(async (sim) => {
    const { server, post } = await startPost()
    const published = post.call.publish('a')
    await sim.settle()
    const stopped = post.stop({ drain: true })
    await sim.settle()
    expect(post.alive).toBe(true)
    server.end()
    await Promise.all([published, stopped])
    expect(sim.clock.pending).toBe(0)
  })
})
