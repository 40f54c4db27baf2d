/** Messages that are pushed into a pipeline to see what becomes of them. */

import type { GenServer } from '../otp/gen-server.ts'
import type { Later } from '../process/later.ts'
import type { Ref } from '../process/ref.ts'
import { Ack, AckConfigured, CallerAcknowledger } from './caller-acknowledger.ts'
import { type BatchMode, Message, type MessageOptions } from './message.ts'
import { pipelineOptions } from './options/option-reader.ts'

/** How messages have ended that were acknowledged together. */
export interface Acknowledged {
  readonly successful: readonly Message[]
  readonly failed: readonly Message[]
}

/** How a test message has ended, and what `configureAck` was given on the way. */
export interface TestOutcome extends Acknowledged {
  readonly configured: readonly unknown[]
}

/** Who waits for test messages: `caller` is to be sent an `Ack` with `ref`, and maybe an `AckConfigured`. */
export interface TestCaller {
  readonly caller: Ref
  readonly ref: number
}

export interface TestMessageOptions<Data = unknown> {
  /** Metadata of the messages. Default none. */
  readonly metadata?: unknown
  /**
   * How a message is acknowledged. Who does not tell the caller has the test wait in vain. Default: as the caller wants it,
   * with a `CallerAcknowledger`.
   */
  acknowledger?(data: Data, caller: TestCaller): Pick<MessageOptions, 'acknowledger' | 'ackRef' | 'ackData'>
}

export interface TestBatchOptions<Data = unknown> extends TestMessageOptions<Data> {
  /** Default `bulk`: batches leave when they are complete, or when their time is up. */
  readonly batchMode?: BatchMode | undefined
}

/** A test that runs: how many messages have not ended yet, and what is known of the others. */
interface Test {
  left: number
  readonly acks: Acknowledged[]
  readonly configured: unknown[]
  readonly later: Later<unknown>
  outcome(test: Test): unknown
}

export class TestMessages {
  readonly #server: GenServer
  readonly #acknowledger: CallerAcknowledger
  readonly #running = new Map<unknown, Test>()
  #last = 0

  constructor(server: GenServer) {
    this.#server = server
    this.#acknowledger = new CallerAcknowledger(server.self)
  }

  /** The messages of a test, and the reply to who asked for it. */
  begin<Outcome>(
    list: readonly unknown[],
    given: TestBatchOptions,
    known: readonly string[],
    otherwise: BatchMode,
    outcome: (acks: readonly Acknowledged[], configured: readonly unknown[]) => Outcome,
  ): { readonly messages: readonly Message[]; readonly reply: Later<Outcome> } {
    const { metadata, acknowledger, batchMode = otherwise } = readTestOptions(given, known)
    const ref = ++this.#last
    const caller: TestCaller = { caller: this.#server.self, ref }
    const own = { acknowledger: this.#acknowledger, ackRef: ref }
    const messages = list.map(
      (data) => new Message(data, { metadata, batchMode, ...(acknowledger?.(data, caller) ?? own) }),
    )
    const reply = this.#server.later<Outcome>()
    const test: Test = {
      left: list.length,
      acks: [],
      configured: [],
      later: reply,
      outcome: ({ acks, configured }) => outcome(acks, configured),
    }
    this.#running.set(ref, test)
    this.#endIfDone(ref, test)
    return { messages, reply }
  }

  /** Takes a message about a test; false when it is another one. */
  handleInfo(message: unknown): boolean {
    if (message instanceof AckConfigured) this.#running.get(message.ref)?.configured.push(message.options)
    else if (message instanceof Ack) this.#acknowledged(message)
    else return false
    return true
  }

  #acknowledged({ ref, successful, failed }: Ack): void {
    const test = this.#running.get(ref)
    if (test === undefined) return
    test.acks.push({ successful, failed })
    test.left -= successful.length + failed.length
    this.#endIfDone(ref, test)
  }

  #endIfDone(ref: unknown, test: Test): void {
    if (test.left > 0) return
    this.#running.delete(ref)
    test.later.reply(test.outcome(test))
  }
}

function readTestOptions(given: TestBatchOptions, known: readonly string[]): TestBatchOptions {
  const options = pipelineOptions(given, known, 'test options')
  options.method('acknowledger', 'a function of the data and the caller')
  options.oneOf('batchMode', ['bulk', 'flush'])
  return given
}
