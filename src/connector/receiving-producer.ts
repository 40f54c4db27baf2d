/** What sources that ask their server for messages have in common: they ask for what they are asked for, and for nothing more at the end. */

import { Producer } from '../stage/producer.ts'
import type { Cancellation } from '../stage/stage.ts'

/** Gets messages from a server, as `Receiver` does. */
interface Receiving {
  /** So many more are wanted. */
  ask(demand: number): void
  /** Receives no more; what comes all the same goes back. */
  stop(): Promise<void>
}

/** Looks after what the pipeline has, as `Heartbeat` does. */
interface Keeping {
  /** A stage died, and took messages with it. */
  lost(): void
}

export abstract class ReceivingProducer<Out> extends Producer<Out> {
  #receiver: Receiving | undefined = undefined
  #keeper: Keeping | undefined = undefined

  /** To be called once, where there is a process. `keeper` is told when a consumer has died. */
  protected receiveBy(receiver: Receiving, keeper: Keeping | undefined): void {
    this.#receiver = receiver
    this.#keeper = keeper
  }

  override handleDemand(demand: number): void {
    this.#receiver?.ask(demand)
  }

  /** Receives no more; what comes all the same goes back. */
  override async handleDrain(): Promise<void> {
    await this.#receiver?.stop()
  }

  /** A consumer that died has taken messages with it. */
  override handleCancel({ kind, reason }: Cancellation): undefined {
    if (kind === 'down' && reason !== 'normal') this.#keeper?.lost()
  }
}
