import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Mailbox } from '../../src/process/mailbox.ts'
import { INFO } from '../../src/process/message.ts'
import { collectGarbage } from '../support/gc.ts'

const numRuns = process.env['CI'] ? 1000 : 100

function filled(count: number): Mailbox {
  const mailbox = new Mailbox()
  for (let message = 0; message < count; message++) mailbox.push(INFO, message)
  return mailbox
}

/** Takes the oldest message, as a process does. */
function take(mailbox: Mailbox): unknown {
  mailbox.inHand = true
  const { payload } = mailbox
  mailbox.inHand = false
  mailbox.drop()
  return payload
}

function payloads(mailbox: Mailbox): readonly unknown[] {
  return mailbox.entries().map(([, payload]) => payload)
}

const upTo = (count: number): readonly number[] => Array.from({ length: count }, (_, index) => index)

describe('a mailbox', () => {
  it('is empty at first', () => {
    const mailbox = new Mailbox()
    expect(mailbox.empty).toBe(true)
    expect(mailbox.size).toBe(0)
    expect(mailbox.entries()).toEqual([])
    mailbox.remove(() => true)
    expect(mailbox.empty).toBe(true)
  })

  it.each([1, 3, 4, 5, 8, 9, 100, 5000])('holds %i messages in their order', (count) => {
    const mailbox = filled(count)
    expect(mailbox.size).toBe(count)
    expect(payloads(mailbox)).toEqual(upTo(count))
    expect(upTo(count).map(() => take(mailbox))).toEqual(upTo(count))
    expect(mailbox.empty).toBe(true)
  })

  it('goes round its ring without growing out of order', () => {
    const mailbox = filled(3)
    let next = 3
    for (let expected = 0; expected < 1000; expected++) {
      expect(take(mailbox)).toBe(expected)
      mailbox.push(INFO, next++)
    }
    expect(payloads(mailbox)).toEqual([1000, 1001, 1002])
  })

  it('grows when the oldest message stands in the middle of the ring', () => {
    const mailbox = filled(3)
    take(mailbox)
    take(mailbox)
    for (let message = 3; message < 20; message++) mailbox.push(INFO, message)
    expect(payloads(mailbox)).toEqual(upTo(20).slice(2))
  })

  it('keeps the message in hand in its place, but does not count it', () => {
    const mailbox = filled(3)
    mailbox.inHand = true
    expect(mailbox.size).toBe(2)
    for (let message = 3; message < 20; message++) mailbox.push(INFO, message)
    expect(mailbox.payload).toBe(0)
    expect(mailbox.size).toBe(19)
    expect(payloads(mailbox)[0]).toBe(0)
  })

  it('removes what matches, but never the message in hand', () => {
    const mailbox = filled(6)
    mailbox.inHand = true
    mailbox.remove((payload) => Number(payload) % 2 === 0)
    expect(payloads(mailbox)).toEqual([0, 1, 3, 5])
    expect(mailbox.inHand).toBe(true)
    mailbox.inHand = false
    mailbox.remove((payload) => payload === 0 || payload === 5)
    expect(payloads(mailbox)).toEqual([1, 3])
  })

  it('is as new after clear', () => {
    const mailbox = filled(10)
    mailbox.inHand = true
    mailbox.clear()
    expect(mailbox.inHand).toBe(false)
    expect(mailbox.size).toBe(0)
    mailbox.push(INFO, 'again')
    expect(payloads(mailbox)).toEqual(['again'])
  })

  it('lets go of what it gave away', async () => {
    const mailbox = filled(3)
    const given = (() => {
      const payload = { large: true }
      mailbox.push(INFO, payload)
      return new WeakRef(payload)
    })()
    for (let count = 0; count < 3; count++) take(mailbox)
    await collectGarbage()
    expect(given.deref()).toBeDefined()
    take(mailbox)
    await collectGarbage()
    expect(given.deref()).toBeUndefined()
    expect(mailbox.empty).toBe(true)
  })

  it('gives a large ring back when it is empty', async () => {
    const mailbox = new Mailbox()
    await collectGarbage()
    const before = process.memoryUsage().heapUsed
    // 2 million slots of 8 bytes.
    for (let message = 0; message < 1_000_000; message++) mailbox.push(INFO, undefined)
    await collectGarbage()
    expect(process.memoryUsage().heapUsed - before).toBeGreaterThan(8_000_000)
    while (!mailbox.empty) take(mailbox)
    await collectGarbage()
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(4_000_000)
    mailbox.push(INFO, 'again')
    expect(payloads(mailbox)).toEqual(['again'])
  })

  it('is a queue, whatever happens to it', () => {
    const steps = fc.array(
      fc.oneof(
        { weight: 6, arbitrary: fc.record({ push: fc.nat(9) }) },
        { weight: 4, arbitrary: fc.constant('take' as const) },
        { weight: 1, arbitrary: fc.record({ remove: fc.nat(9) }) },
        { weight: 1, arbitrary: fc.constant('clear' as const) },
      ),
      { maxLength: 300 },
    )
    void fc.assert(
      fc.property(steps, (all) => {
        const mailbox = new Mailbox()
        let model: number[] = []
        for (const step of all) {
          if (step === 'take') {
            if (model.length > 0) expect(take(mailbox)).toBe(model.shift())
          } else if (step === 'clear') {
            mailbox.clear()
            model = []
          } else if ('push' in step) {
            mailbox.push(INFO, step.push)
            model.push(step.push)
          } else {
            mailbox.remove((payload) => payload === step.remove)
            model = model.filter((message) => message !== step.remove)
          }
          expect(mailbox.size).toBe(model.length)
          expect(mailbox.empty).toBe(model.length === 0)
          expect(payloads(mailbox)).toEqual(model)
        }
      }),
      { numRuns },
    )
  })
})
