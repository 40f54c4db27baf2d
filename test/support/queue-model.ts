/** What an embedded queue has to do, in the plainest way: a list of messages that is searched from end to end. */

import type { NewMessage, Received } from 'sluice/queue'

interface Held {
  readonly id: number
  readonly key: string | undefined
  state: 'ready' | 'delayed' | 'in_flight' | 'dead' | 'gone'
  attempts: number
  receipt: number | undefined
  due: number
  /** Orders those that are due at the same time. */
  timed: number
  /** Since when it stands in line: a keyed message keeps its place. */
  place: number | undefined
}

export class QueueModel {
  readonly #maxAttempts: number
  readonly #messages: Held[] = []
  #steps = 0
  now = 0

  constructor(maxAttempts: number) {
    this.#maxAttempts = maxAttempts
  }

  enqueue({ key, delay = 0 }: NewMessage<number>): void {
    const id = this.#messages.length + 1
    const message: Held = {
      id,
      key,
      state: 'ready',
      attempts: 0,
      receipt: undefined,
      due: 0,
      timed: 0,
      place: undefined,
    }
    this.#messages.push(message)
    this.#put(message, delay)
  }

  /** What is wrong with what was received; empty when nothing is. */
  receive(max: number, visibilityTimeout: number, received: readonly Received<number>[]): readonly string[] {
    const wrong: string[] = []
    const possible = this.#deliverable()
    const expected = Math.min(max, possible.length)
    if (received.length !== expected) wrong.push(`${received.length} messages instead of ${expected}`)
    let last = -1
    for (const { id, attempts, receipt, data } of received) {
      const message = possible.find((other) => other.id === id)
      if (message === undefined) {
        wrong.push(`message ${id} cannot be delivered now`)
        continue
      }
      if (data !== id * 10) wrong.push(`message ${id} has the data ${data}`)
      if (message.key === undefined) {
        if ((message.place ?? 0) < last) wrong.push(`message ${id} overtook one before it`)
        last = message.place ?? 0
      }
      message.attempts++
      if (attempts !== message.attempts) wrong.push(`message ${id} has ${attempts} attempts, not ${message.attempts}`)
      message.state = 'in_flight'
      message.receipt = receipt
      this.#wait(message, visibilityTimeout)
    }
    const left = possible.filter(({ key, state }) => key === undefined && state === 'ready')
    if (left.some(({ place }) => (place ?? 0) < last)) wrong.push('a message was passed over')
    return wrong
  }

  /** Each answers whether the receipt was good. */
  ack(receipt: number): boolean {
    const message = this.#messages.find((other) => other.receipt === receipt)
    if (message === undefined) return false
    message.state = 'gone'
    message.receipt = undefined
    return true
  }

  nack(receipt: number, delay: number): boolean {
    const message = this.#inFlight(receipt)
    if (message === undefined) return false
    message.receipt = undefined
    if (message.attempts >= this.#maxAttempts) message.state = 'dead'
    else this.#put(message, delay)
    return true
  }

  extend(receipt: number, ms: number): boolean {
    const message = this.#inFlight(receipt)
    if (message === undefined) return false
    this.#wait(message, ms)
    return true
  }

  deadLetter(receipt: number): boolean {
    const message = this.#inFlight(receipt)
    if (message === undefined) return false
    message.receipt = undefined
    message.state = 'dead'
    return true
  }

  redrive(): void {
    const dead = this.#messages.filter(({ state }) => state === 'dead')
    for (const message of dead) {
      message.attempts = 0
      message.receipt = message.place = undefined
      this.#put(message, 0)
    }
  }

  advance(ms: number): void {
    const until = this.now + ms
    for (;;) {
      const [next] = this.#messages
        .filter(({ state, due }) => (state === 'delayed' || state === 'in_flight') && due <= until)
        .sort((a, b) => a.due - b.due || a.timed - b.timed)
      if (next === undefined) break
      this.now = Math.max(this.now, next.due)
      if (next.state === 'in_flight' && next.attempts >= this.#maxAttempts) next.state = 'dead'
      else this.#put(next, 0)
    }
    this.now = until
  }

  get counts(): { ready: number; delayed: number; inFlight: number; dead: number } {
    const count = (state: Held['state']) => this.#messages.filter((message) => message.state === state).length
    return { ready: count('ready'), delayed: count('delayed'), inFlight: count('in_flight'), dead: count('dead') }
  }

  /** Of each key its first, unless one of it is out; and all without a key. */
  #deliverable(): Held[] {
    const ready = this.#messages.filter(({ state }) => state === 'ready')
    return ready
      .filter((message) => {
        if (message.key === undefined) return true
        const same = this.#messages.filter(({ key, id }) => key === message.key && id !== message.id)
        const out = (other: Held) => other.attempts > 0 && ['in_flight', 'delayed', 'ready'].includes(other.state)
        if (same.some(out)) return false
        return same.every(({ state, place }) => state !== 'ready' || (place ?? 0) > (message.place ?? 0))
      })
      .sort((a, b) => (a.place ?? 0) - (b.place ?? 0))
  }

  #put(message: Held, delay: number): void {
    if (delay > 0) {
      message.state = 'delayed'
      this.#wait(message, delay)
      return
    }
    message.state = 'ready'
    if (message.key === undefined || message.place === undefined) message.place = ++this.#steps
  }

  #wait(message: Held, ms: number): void {
    message.due = this.now + ms
    message.timed = ++this.#steps
  }

  #inFlight(receipt: number): Held | undefined {
    return this.#messages.find((message) => message.receipt === receipt && message.state === 'in_flight')
  }
}
