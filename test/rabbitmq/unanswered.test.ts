import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type BasicAnswer, Unanswered } from '../../src/rabbitmq/source/unanswered.ts'

const ANSWERS = ['ack', 'reject', 'requeue'] as const

/** A server that knows what each frame says, and that closes the channel when a tag is answered for twice. */
class Server {
  readonly open = new Set<number>()
  readonly answered = new Map<number, BasicAnswer>()

  tell({ tag, answer, messages }: { tag: number; answer: BasicAnswer; messages: number }): void {
    if (!this.open.has(tag)) throw new Error(`406 unknown delivery tag ${tag}`)
    const spoken = messages > 1 ? [...this.open].filter((each) => each <= tag) : [tag]
    if (spoken.length !== messages) throw new Error(`${messages} were meant, ${spoken.length} were answered for`)
    for (const each of spoken) {
      this.open.delete(each)
      this.answered.set(each, answer)
    }
  }
}

describe('frames for many messages', () => {
  it('B149 say of each message what is to be said of it, once, in whatever order and groups they end', () => {
    const step = fc.oneof(
      fc.record({ deliver: fc.integer({ min: 1, max: 8 }), skip: fc.boolean() }),
      fc.array(fc.tuple(fc.integer({ min: 0, max: 20 }), fc.constantFrom(...ANSWERS)), { maxLength: 10 }),
    )
    fc.assert(
      fc.property(fc.boolean(), fc.array(step, { maxLength: 40 }), (shared, steps) => {
        const server = new Server()
        const unanswered = new Unanswered()
        const expected = new Map<number, BasicAnswer>()
        let tag = 0
        for (const each of steps) {
          if ('deliver' in each) {
            // On a shared channel others get messages in between, and do not answer.
            if (shared && each.skip) server.open.add(++tag)
            for (let n = 0; n < each.deliver; n++) {
              server.open.add(++tag)
              unanswered.delivered(tag)
            }
            continue
          }
          const tags = unanswered.tags()
          const answers = new Map<number, BasicAnswer>()
          for (const [index, answer] of each) {
            const chosen = tags[index]
            if (chosen !== undefined) answers.set(chosen, answer)
          }
          for (const [chosen, answer] of answers) expected.set(chosen, answer)
          for (const frame of unanswered.answer(answers)) server.tell(frame)
        }
        expect(new Map([...server.answered].sort(([a], [b]) => a - b))).toEqual(
          new Map([...expected].sort(([a], [b]) => a - b)),
        )
      }),
      { numRuns: 500 },
    )
  })

  it('B149 are as few as can be', () => {
    const unanswered = new Unanswered()
    for (let tag = 1; tag <= 100; tag++) unanswered.delivered(tag)
    const all = (from: number, to: number, answer: BasicAnswer) =>
      Array.from({ length: to - from + 1 }, (_, n) => [from + n, answer] as const)
    const frames = unanswered.answer(new Map([...all(1, 60, 'ack'), ...all(61, 100, 'requeue')]))
    expect(frames).toEqual([
      { tag: 60, answer: 'ack', messages: 60 },
      { tag: 100, answer: 'requeue', messages: 40 },
    ])
    expect(unanswered.size).toBe(0)
  })
})
