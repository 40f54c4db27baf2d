import { CallError } from 'sluice'
import { Message } from 'sluice/broadway'
import { describe, expect, it } from 'vitest'
import { QueueAtServer } from '../../examples/tickets/broker/queue-at-server.ts'
import type { ServerQueue } from '../../examples/tickets/broker/server.ts'

/** The queue of a server of which only this is needed. */
async function queueAt(queue: Partial<ServerQueue>): Promise<QueueAtServer<string>> {
  const parts = { waiting: 3, publish: async () => {}, ...queue } as ServerQueue
  const server = { name: 'a server', children: [], triesAgain: true, queue: async () => parts, close: async () => {} }
  return await QueueAtServer.open(server, {
    name: 'bookings',
    pipeline: 'selling',
    prefetch: 1,
    chaos: false,
    read: String,
    idOf: String,
    keyOf: String,
  })
}

const never = () => new Promise<never>(() => {})

describe('the account of a queue at a server', () => {
  it('is complete when the server says what is left', async () => {
    const queue = await queueAt({ left: async () => ['a', 'b'] })
    await queue.publish(['c'])
    expect(await queue.account(1000)).toEqual({
      accepted: 4,
      stored: [
        { id: 'a', isDead: false },
        { id: 'b', isDead: false },
      ],
      unknown: undefined,
      retried: 0,
    })
  })

  it('says why it is not, when the server refuses or is away', async () => {
    const queue = await queueAt({ left: () => Promise.reject(new Error('connect ECONNREFUSED')) })
    const unknown = 'what is left in bookings could not be counted (connect ECONNREFUSED)'
    expect(await queue.account(1000)).toEqual({ accepted: 3, stored: [], unknown, retried: 0 })
  })

  it('says so also when the server says nothing at all', async () => {
    const queue = await queueAt({ left: never })
    const unknown = 'what is left in bookings could not be counted (no answer within 5 ms)'
    expect(await queue.account(5)).toMatchObject({ stored: [], unknown })
  })
})

describe('how a queue at a server is', () => {
  it('is unknown when the server says nothing: then it is neither done, nor is there room', async () => {
    const queue = await queueAt({ state: never })
    const answers = Promise.all([queue.isDone(), queue.hasRoom(), queue.stats()])
    expect(await answers).toEqual([false, false, { ready: undefined, inHand: 0, delayed: 0, dead: 0, done: 0 }])
  })
})

describe('what has failed', () => {
  it('is given to a server that is away until it has it, also when the stage is being stopped', async () => {
    let attempts = 0
    const taken: unknown[] = []
    const queue = await queueAt({
      takeFailed: async (dead, again) => {
        if (++attempts < 3) throw new Error('the publisher is being started again')
        taken.push(dead.length, again.length)
      },
    })
    const slept: number[] = []
    const stage = {
      signal: AbortSignal.abort(),
      sleep: async (ms: number) => {
        slept.push(ms)
      },
    }
    await queue.deadLetter?.([new Message('a').failed('no booking')], undefined, stage as never)
    expect({ attempts, slept: slept.length, taken }).toEqual({ attempts: 3, slept: 2, taken: [0, 1] })
  })

  it('is not given to it again when it is refused: the pipeline says so', async () => {
    let attempts = 0
    const refused = new CallError('failed', 'publisher', 'publishMany', 'refused', { cause: { code: 'refused' } })
    const queue = await queueAt({
      takeFailed: async () => {
        attempts++
        throw refused
      },
    })
    const stage = { sleep: async () => {} }
    await expect(queue.deadLetter?.([new Message('a').failed('no booking')], undefined, stage as never)).rejects.toBe(
      refused,
    )
    expect(attempts).toBe(1)
  })
})
