/**
 * Messages that the service sends as they come. The pipeline gets no more than it asked for: what comes beyond that waits here, and
 * nothing more is read from the stream until it is gone.
 */

import type { Process } from '../../process/process.ts'
import type { MessageStream, ReceivedMessage, StreamListener } from '../client/port.ts'

/** How a source has its messages streamed. */
export interface StreamPlan {
  open(listener: StreamListener): MessageStream
  /** They are here, and may have to wait. */
  arrived(messages: readonly ReceivedMessage[]): void
  /** Emits them. */
  received(messages: readonly ReceivedMessage[]): void
  /** They came when nobody wanted them any more. */
  giveBack(messages: readonly ReceivedMessage[]): Promise<void>
  /** Says in the log why the stream ended; gives the milliseconds until the next, `undefined` for none. */
  failed(error: unknown): number | undefined
  /** Milliseconds for which a stream may take to end when it is asked to. */
  readonly grace: number
}

/** Milliseconds. The service ends a stream on which nobody says anything. */
const PING = 30_000

export class StreamReceiver {
  readonly #process: Process
  readonly #plan: StreamPlan
  #demand = 0
  #waiting: ReceivedMessage[] = []
  #stream: MessageStream | undefined = undefined
  /** There is a stream, or the time for the next has not come. */
  #isBusy = false
  #isStopping = false
  #ended = (): void => {}
  /** Messages that are being given back. */
  readonly #returns = new Set<Promise<void>>()

  constructor(process: Process, plan: StreamPlan) {
    this.#process = process
    this.#plan = plan
    process.onEnd(() => this.#stream?.cancel())
  }

  /** There is a stream. */
  get isAnswered(): boolean {
    return this.#stream !== undefined
  }

  /** So many more are wanted. */
  ask(demand: number): void {
    this.#demand += demand
    this.#open()
    this.#deliver()
  }

  /** Receives no more; what waits, and what comes all the same, goes back. */
  async stop(): Promise<void> {
    this.#isStopping = true
    this.#giveBack(this.#waiting.splice(0))
    const stream = this.#stream
    if (stream !== undefined) {
      const ended = new Promise<void>((resolve) => {
        this.#ended = resolve
      })
      const timer = this.#process.setTimer(this.#plan.grace, () => stream.cancel())
      stream.end()
      await ended
      timer.cancel()
    }
    await Promise.all(this.#returns)
  }

  #open(): void {
    if (this.#isBusy || this.#isStopping) return
    this.#isBusy = true
    const stream = this.#plan.open({
      received: (messages) => this.#received(messages),
      ended: (error) => this.#end(error),
    })
    this.#stream = stream
    this.#ping(stream)
  }

  #ping(stream: MessageStream): void {
    this.#process.setTimer(
      PING,
      () => {
        if (this.#stream !== stream || this.#isStopping) return
        stream.ping()
        this.#ping(stream)
      },
      false,
    )
  }

  #received(messages: readonly ReceivedMessage[]): void {
    if (!this.#process.alive) return
    if (this.#isStopping) return this.#giveBack(messages)
    this.#plan.arrived(messages)
    this.#waiting.push(...messages)
    this.#deliver()
  }

  #deliver(): void {
    const messages = this.#waiting.splice(0, this.#demand)
    this.#demand -= messages.length
    if (messages.length > 0) this.#plan.received(messages)
    if (this.#waiting.length > 0) this.#stream?.pause()
    else this.#stream?.resume()
  }

  #end(error: unknown): void {
    this.#stream = undefined
    this.#ended()
    if (this.#isStopping || !this.#process.alive) return
    const wait = this.#plan.failed(error)
    if (wait === undefined) return
    this.#process.setTimer(wait, () => {
      this.#isBusy = false
      this.#open()
    })
  }

  #giveBack(messages: readonly ReceivedMessage[]): void {
    if (messages.length === 0) return
    const process = this.#process
    const returned = this.#plan.giveBack(messages).catch((err: unknown) => {
      process.runtime.logger.warn(
        { err, process: `${process}` },
        `${process} could not give back ${messages.length} messages, which came while it was stopping; they are delivered again later`,
      )
    })
    this.#returns.add(returned)
    void returned.then(() => this.#returns.delete(returned))
  }
}
