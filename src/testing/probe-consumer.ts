/** A consumer that reports to a probe what it gets. */

import type { Ref } from '../process/ref.ts'
import { Consumer } from '../stage/consumer.ts'
import type { Cancellation } from '../stage/stage.ts'

/** Sent to the probe for each batch. */
export interface Handled<In> {
  readonly events: readonly In[]
}

/** Start it with `{ arg: probe.ref, subscribeTo: [...] }`; it sends `{ events }` and `{ cancelled }` to the probe. */
export class ProbeConsumer<In> extends Consumer<In> {
  readonly #report: Ref

  constructor(report: Ref) {
    super()
    this.#report = report
  }

  override handleEvents(events: readonly In[]): void {
    this.#report.send({ events })
  }

  override handleCancel(cancelled: Cancellation): void {
    this.#report.send({ cancelled })
  }
}
