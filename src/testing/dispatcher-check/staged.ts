/** A dispatcher in a real producer, with real consumers that ask by hand, in an order that a seed decides. */

import { serverOf } from '../../otp/gen-server.ts'
import { start } from '../../otp/start.ts'
import { processOf, type Ref } from '../../process/ref.ts'
import { Consumer } from '../../stage/consumer.ts'
import { ConsumingBehaviour } from '../../stage/consuming-behaviour.ts'
import type { Dispatcher } from '../../stage/dispatchers/dispatcher.ts'
import { Producer } from '../../stage/producer.ts'
import { manual, StageBehaviour } from '../../stage/stage-behaviour.ts'
import type { Subscription } from '../../stage/subscription.ts'
import type { SubscriptionOptions } from '../../stage/subscription-options.ts'
import { simulate } from '../simulation.ts'
import { Referee } from './referee.ts'
import type { Step } from './steps.ts'
import { type Candidate, type Failure, MOST_EVENTS, runTrial } from './trial.ts'

interface GivingArg {
  readonly dispatcher: () => Dispatcher
  readonly referee: () => Referee
  readonly event: (nth: number) => unknown
  readonly eager: boolean
}

class Giving extends Producer<unknown> {
  readonly #arg: GivingArg
  readonly #referee: Referee
  #answers: boolean

  constructor(arg: GivingArg) {
    super({ dispatcher: arg.dispatcher(), bufferSize: Infinity })
    this.#arg = arg
    this.#referee = arg.referee()
    this.#answers = arg.eager
  }

  override handleDemand(demand: number): readonly unknown[] {
    this.#referee.demanded(demand)
    return this.#answers && this.#referee.emitted < MOST_EVENTS ? this.#make(demand) : []
  }

  override handleInfo(passed: unknown): void {
    if (typeof passed === 'function') passed()
  }

  close(): void {
    this.#answers = false
  }

  give(count: number): void {
    this.emit(this.#make(count))
  }

  queueInfo(): void {
    const behaviour = serverOf(this)
    if (behaviour instanceof StageBehaviour) behaviour.queueInfo(this.#referee.infoComes())
  }

  #make(count: number): readonly unknown[] {
    const first = this.#referee.emitted
    const events = Array.from({ length: count }, (_, index) => this.#arg.event(first + index))
    this.#referee.emits(events)
    return events
  }
}

class Taking extends Consumer<unknown> {
  override handleSubscribe(): typeof manual {
    return manual
  }

  override handleEvents(): void {}

  join(producer: Ref, options: SubscriptionOptions<never>): Subscription | undefined {
    const behaviour = serverOf(this)
    if (!(behaviour instanceof ConsumingBehaviour)) return undefined
    return behaviour.subscribe(processOf(producer), { ...options, cancel: 'temporary' })
  }
}

interface Taker {
  readonly ref: Ref<Taking>
  readonly subscription: Subscription
}

export function tryStaged(
  candidate: Candidate,
  steps: readonly Step[],
  eager: boolean,
  seed: number,
): Promise<Failure | undefined> {
  return simulate({ seed }).run(async (sim) => {
    const dispatcher = candidate.make()
    const referee = new Referee(dispatcher, candidate)
    const giving = await start(Giving, {
      arg: { dispatcher: () => dispatcher, referee: () => referee, event: (nth) => candidate.event(nth), eager },
    })
    let takers: Taker[] = []
    return runTrial(candidate, steps, referee, {
      get present() {
        return takers.map(({ subscription }) => subscription.options)
      },
      async subscribe(options) {
        const ref = await start(Taking)
        const subscription = await ref.call.join(giving, options)
        if (subscription !== undefined) takers.push({ ref, subscription })
      },
      ask(who, count) {
        takers[who]?.subscription.ask(count)
      },
      leave(who, killed) {
        for (const { ref, subscription } of takers.splice(who, 1)) {
          if (killed) ref.kill()
          else subscription.cancel()
        }
      },
      emit: (count) => giving.cast.give(count),
      info: () => giving.cast.queueInfo(),
      close: () => giving.cast.close(),
      async rest() {
        await sim.settle()
        takers = takers.filter(({ subscription }) => subscription.accepted)
        const { exitReason } = processOf(giving)
        if (exitReason !== undefined) throw exitReason
      },
    })
  })
}
