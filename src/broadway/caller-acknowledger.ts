/** The acknowledger that sends messages to a process: for those who want to know how their messages ended. */

import type { Ref } from '../process/ref.ts'
import type { Acknowledger } from './acknowledger.ts'
import type { Message } from './message.ts'

/** Messages that have ended, as a process is told. */
export class Ack {
  /** The `ackRef` of the messages. */
  readonly ref: unknown
  readonly successful: readonly Message[]
  readonly failed: readonly Message[]

  constructor(ref: unknown, successful: readonly Message[], failed: readonly Message[]) {
    this.ref = ref
    this.successful = successful
    this.failed = failed
  }
}

/** `configureAck` was called on a message, as a process is told. */
export class AckConfigured {
  readonly ref: unknown
  readonly options: unknown

  constructor(ref: unknown, options: unknown) {
    this.ref = ref
    this.options = options
  }
}

/**
 * Sends `Ack` and `AckConfigured` to a process, where they arrive at `handleInfo`.
 *
 * Elixir: `Broadway.CallerAcknowledger`.
 */
export class CallerAcknowledger implements Acknowledger {
  readonly #caller: Ref

  constructor(caller: Ref) {
    this.#caller = caller
  }

  ack(ackRef: unknown, successful: readonly Message[], failed: readonly Message[]): void {
    this.#caller.send(new Ack(ackRef, successful, failed))
  }

  configure(ackRef: unknown, ackData: unknown, options: unknown): unknown {
    this.#caller.send(new AckConfigured(ackRef, options))
    return ackData
  }
}
