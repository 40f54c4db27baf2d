/**
 * The base of stages whose work goes on beside their mailbox: what they emit comes later, so they have to hear of every demand
 * from downstream, and may end only when what they took in has come out again.
 */

import { defineBase } from '../../otp/definition.ts'
import type { ExitReason } from '../../process/exit-reason.ts'
import { ProducerConsumer } from '../producer-consumer.ts'
import { ProducerConsumerBehaviour } from '../producer-consumer-behaviour.ts'

/** What goes on beside the mailbox. */
export interface Pump {
  /** Events that it holds. */
  readonly holding: number
  /** Downstream asks for `count` more events. */
  want(count: number): void
  /** Nothing more comes; calls back when all that was taken in has come out. */
  end(finished: () => void): void
}

export let setPump: <In, Out>(stage: PumpedStage<In, Out>, pump: Pump) => void
let pumpOf: (stage: PumpedStage<unknown, unknown>) => Pump | undefined

export abstract class PumpedStage<In, Out> extends ProducerConsumer<In, Out> {
  declare readonly $base?: PumpedStage<unknown, unknown> | undefined
  #pump: Pump | undefined = undefined

  static {
    setPump = (stage, pump) => {
      stage.#pump = pump
    }
    pumpOf = (stage) => stage.#pump
  }
}

class PumpedBehaviour extends ProducerConsumerBehaviour {
  declare instance: PumpedStage<unknown, unknown>
  override held: () => number = () => pumpOf(this.instance)?.holding ?? 0

  override onDemand(demand: number): void {
    pumpOf(this.instance)?.want(demand)
    super.onDemand(demand)
  }

  protected override endWhenFlushed(reason: ExitReason): void {
    const end = (): void => super.endWhenFlushed(reason)
    const pump = pumpOf(this.instance)
    if (pump === undefined) end()
    else pump.end(end)
  }
}

defineBase(PumpedStage, (process, definition) => new PumpedBehaviour(process, definition), {
  options: ['subscribeTo'],
  abstractCallbacks: ['handleEvents'],
})
