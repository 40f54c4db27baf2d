import { type Acknowledger, ackImmediately, BroadwayError, Message, noopAcknowledger } from 'sluice/broadway'
import { simulate } from 'sluice/testing'
import { describe, expect, it } from 'vitest'

/** An acknowledger that notes its calls, with the data of the messages. */
class Noted implements Acknowledger {
  readonly calls: { readonly ref: unknown; readonly successful: unknown[]; readonly failed: unknown[] }[] = []

  ack(ref: unknown, successful: readonly Message[], failed: readonly Message[]): void | Promise<void> {
    this.calls.push({ ref, successful: successful.map(({ data }) => data), failed: failed.map(({ data }) => data) })
  }

  configure(_ref: unknown, data: unknown, options: unknown): unknown {
    return [data, options]
  }
}

const errorOf = (work: () => unknown): unknown => {
  try {
    work()
  } catch (error) {
    return error
  }
  throw new Error('it was expected to throw')
}

describe('a message', () => {
  it('has defaults for everything but its data', () => {
    const message = new Message(1)
    expect({ ...message, origin: undefined }).toMatchObject({
      data: 1,
      metadata: {},
      batcher: 'default',
      batchKey: 'default',
      batchMode: 'bulk',
      status: 'ok',
    })
    expect(message.acknowledger).toBe(noopAcknowledger)
  })

  it('does not change: each method gives another one, with everything else as it was', () => {
    const acknowledger = new Noted()
    const message = new Message('1', { acknowledger, ackRef: 'r', ackData: 7, metadata: { a: 1 }, batchKey: 'k' })
    const changed = message
      .updateData(Number)
      .putBatcher('sqs')
      .putBatchKey('other')
      .putBatchMode('flush')
      .configureAck({ retry: true })
    expect(message).toMatchObject({ data: '1', batcher: 'default', batchKey: 'k', batchMode: 'bulk', ackData: 7 })
    expect(changed).toMatchObject({
      data: 1,
      acknowledger,
      ackRef: 'r',
      ackData: [7, { retry: true }],
      metadata: { a: 1 },
      batcher: 'sqs',
      batchKey: 'other',
      batchMode: 'flush',
      status: 'ok',
    })
    expect(changed.putData(null).data).toBe(null)
    expect(changed.failed('late')).toMatchObject({ batcher: 'sqs', status: { kind: 'failed', reason: 'late' } })
  })

  it('refuses another batch mode', () => {
    // @ts-expect-error: no such mode
    const error = errorOf(() => new Message(1).putBatchMode('fast'))
    expect(error).toBeInstanceOf(BroadwayError)
    expect(error).toMatchObject({
      code: 'bad_message',
      message: "putBatchMode: expected 'bulk' or 'flush', got 'fast'",
    })
  })

  it('B93 cannot be configured when its acknowledger has nothing to configure', () => {
    const error = errorOf(() => new Message(1).configureAck({ retry: true }))
    expect(error).toMatchObject({ code: 'cannot_configure', message: expect.stringContaining('has no configure') })
  })

  it('is frozen in simulations as far as it is data: acknowledgers live on', async () => {
    const { deepFreeze } = await import('../../src/stage/freeze.ts')
    await simulate().run(async () => {
      const acknowledger = new Noted()
      const message = new Message({ list: [1] }, { acknowledger, metadata: { headers: {} } })
      deepFreeze([message])
      expect(Object.isFrozen(message.data.list)).toBe(true)
      expect(Object.isFrozen(message.metadata?.headers)).toBe(true)
      expect(Object.isFrozen(acknowledger)).toBe(false)
    })
  })
})

describe('ackImmediately', () => {
  it('acknowledges one message and gives it back without an acknowledger', () => {
    const acknowledger = new Noted()
    const acked = ackImmediately(new Message(1, { acknowledger, ackRef: 'r' }))
    expect(acknowledger.calls).toEqual([{ ref: 'r', successful: [1], failed: [] }])
    expect(acked).toMatchObject({ data: 1, acknowledger: noopAcknowledger, ackRef: undefined })
  })

  it('groups a list by acknowledger and ackRef, and splits it by status', () => {
    const [one, two] = [new Noted(), new Noted()]
    const list = [
      new Message(1, { acknowledger: one, ackRef: 'a' }),
      new Message(2, { acknowledger: one, ackRef: 'b' }).failed('no'),
      new Message(3, { acknowledger: one, ackRef: 'a' }).failed('no'),
      new Message(4, { acknowledger: two, ackRef: 'a' }),
      new Message(5, { acknowledger: one, ackRef: 'a' }),
    ]
    const acked = ackImmediately(list)
    expect(one.calls).toEqual([
      { ref: 'a', successful: [1, 5], failed: [3] },
      { ref: 'b', successful: [], failed: [2] },
    ])
    expect(two.calls).toEqual([{ ref: 'a', successful: [4], failed: [] }])
    expect(acked).toMatchObject([{ data: 1 }, { data: 2 }, { data: 3 }, { data: 4 }, { data: 5 }])
  })

  it('waits for an acknowledger that takes its time', async () => {
    let finish = (): void => {}
    const acknowledger: Acknowledger = { ack: () => new Promise((resolve) => (finish = resolve)) }
    let acked: unknown
    const acking = Promise.resolve(ackImmediately(new Message(1, { acknowledger }))).then(
      (message) => (acked = message),
    )
    await Promise.resolve()
    expect(acked).toBe(undefined)
    finish()
    await acking
    expect(acked).toMatchObject({ data: 1 })
  })

  it('throws what the acknowledger throws, after the other groups had their turn', () => {
    const noted = new Noted()
    const broken: Acknowledger = {
      ack() {
        throw new Error('gone')
      },
    }
    const list = [new Message(1, { acknowledger: broken }), new Message(2, { acknowledger: noted })]
    expect(() => ackImmediately(list)).toThrow('gone')
    expect(noted.calls).toHaveLength(1)
  })

  it('B95 complains about an ackRef without an acknowledger', () => {
    expect(() => ackImmediately(new Message(1, { ackRef: 7 }))).toThrow(
      'a message has the ackRef 7, and no acknowledger to give it to',
    )
  })
})
