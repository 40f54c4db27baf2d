/** What decides which consumer gets which event. It runs inside the producer. */

import type { ExitReason } from '../../process/exit-reason.ts'
import type { Logger } from '../../process/logger.ts'
import type { BufferKeep, EventBuffer, Info } from '../buffer.ts'
import type { Subscription } from '../subscription.ts'
import type { DispatcherOption, SubscriptionOptions } from '../subscription-options.ts'

/** What a dispatcher knows of the producer that it works for. */
export interface DispatcherHost {
  /** Name and number of the producer, for texts. */
  readonly producer: string
  readonly logger: Logger
  /** A number in [0, 1), which a simulation gives again with the same seed. */
  readonly random: () => number
  /**
   * Asks the producer for `count` more events, > 0: instead of those that `dispatch` dropped, or with demand that was held
   * back. A message to the producer, so that it is handled after what runs now.
   */
  readonly demand: (count: number) => void
}

/**
 * The contract. A dispatcher belongs to one producer: make it in the constructor, `super({ dispatcher: new Mine() })`.
 *
 * `subscribe`, `cancel` and `ask` return the demand that is new for the producer, a whole number >= 0: it is served from the
 * buffer first, the rest goes to `handleDemand`. What they return for one consumer must not be returned again for another:
 * a demand that its consumer left behind is still being answered, the next who ask inherit it.
 *
 * Everything is synchronous. Who returns something else, gives back what it was not given, says that it is `ready` and then
 * gives events back, or throws, ends the producer with `StageError` `bad_dispatcher`, which names the dispatcher and the rule.
 *
 * Elixir: the behaviour `GenStage.Dispatcher`.
 */
export interface Dispatcher<Out = unknown> {
  /** Which options of subscriptions are for this dispatcher; a subscription that has another of them is refused. Default none. */
  readonly options?: readonly DispatcherOption[] | undefined
  /**
   * Says what is wrong with the options of a subscription, in words that go on after "cannot subscribe to P: "; `undefined`
   * when nothing is. Asked before the subscription is made, so that the mistake fails the start of the consumer.
   */
  check?(options: SubscriptionOptions<never>): string | undefined
  /** The producer starts. Called once, before it hears of consumers. */
  attach(host: DispatcherHost): void
  /**
   * A consumer comes, after `handleSubscribe`; its options passed `check`. Refuse with `{ refused: reason }`: both sides get
   * `handleCancel` with the reason, and the dispatcher hears no more of it.
   */
  subscribe(subscription: Subscription): number | { readonly refused: ExitReason }
  /** A consumer that was accepted has gone, before `handleCancel`; the demand is handed on after it. */
  cancel(subscription: Subscription): number
  /** A consumer that was accepted asks for `demand` more events, > 0. */
  ask(demand: number, subscription: Subscription): number
  /**
   * How many events `dispatch` would take now without giving any back; `Infinity` for one that takes everything. What waits
   * in the buffer is sent as soon as this says so, ahead of newer events.
   */
  readonly ready: number
  /**
   * Takes events, at least one, in the order of their emission: sends them with `subscription.deliver`, as arrays that nobody
   * changes any more, or keeps them to send later. Gives back those at the end for which there is no demand, as they
   * were: an empty array, all of them, or a slice. They wait in the buffer and come again, once, when it is `ready`; what
   * they were asked for is answered with that. After giving events back `ready` is 0. It returns `unknown` for the compiler:
   * with `Out` there, the type of the events would not be known inside `super({ dispatcher: new Mine() })`.
   */
  dispatch(events: readonly Out[]): readonly unknown[]
  /** Calls `info` when the events given to `dispatch` so far have been sent: at once, unless it keeps some. */
  info(info: Info): void
  /** Events that it keeps to send later, for `stageInfo`. Default 0. */
  readonly kept?: number | undefined
  /** Shows them, array by array, for reports about what was lost. */
  eachKept?(see: (events: readonly unknown[]) => void): void
  /**
   * Where the events wait that it gives back, for the producer's `bufferSize` and `bufferKeep`, and those in a `QueueProducer`.
   * Called once for each of these places. Default first in, first out.
   */
  buffer?(size: number, keep: BufferKeep): EventBuffer<unknown>
}
