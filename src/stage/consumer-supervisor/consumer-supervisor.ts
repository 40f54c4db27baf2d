/** ConsumerSupervisor: a consumer that starts a supervised child for each event. */

import { type GenServer, serverOf } from '../../otp/gen-server.ts'
import { type Answered, attempt, type ChildCounts, type ChildInfo } from '../../otp/supervision/supervised-child.ts'
import { ProcessError } from '../../process/errors.ts'
import type { Ref } from '../../process/ref.ts'
import { ConsumerSupervisorBehaviour } from './consumer-supervisor-behaviour.ts'
import type { ConsumerSupervisorOptions } from './consumer-supervisor-options.ts'
import { SupervisingStage } from './supervising-stage.ts'

/**
 * Starts a child for each event and never has more children of a subscription than its `maxDemand`: a new event is asked for
 * when a child has ended. The child is a task (`run`) or a process (`child`), and gets the event as it is, not a copy.
 *
 * `minDemand` says after how many ends more is asked for: with 10 and 7 seven events after every seventh end, with 10 and 0
 * one event after each. Children that are restarted keep their places.
 *
 * A `temporary` child, the default, is done with any end: the event of one that crashed is lost. A `transient` one is started
 * again with the same event after an abnormal end, as often as `maxRestarts` allows for all children together; then the
 * supervisor gives up with `shutdown`. An event whose child cannot be started is reported and lost.
 *
 * When it stops, all children are asked to stop at once, each within its own `shutdown`, and their `signal` fires when they
 * must be dead. `stop({ drain: true })` asks for no more events and first lets the children finish, for as long as their
 * `shutdown` says. When a permanent producer ends in order, the children finish too, and take the time that they need.
 *
 * @example
 * ```ts
 * import { ConsumerSupervisor, fromIterable, startLink } from 'sluice'
 *
 * const pages = await fromIterable(['/', '/about', '/news'])
 * const crawler = await startLink(ConsumerSupervisor<string>, {
 *   arg: {
 *     subscribeTo: [{ to: pages, maxDemand: 2 }],
 *     run: async (page, { self }) => console.log(`${self} reads ${page}`),
 *   },
 * })
 * await crawler.done // the pages are used up, and read
 * ```
 * Elixir: `ConsumerSupervisor`.
 */
export class ConsumerSupervisor<In> extends SupervisingStage<In> {
  constructor(options: ConsumerSupervisorOptions<In>) {
    super(options)
  }

  /**
   * Starts a child for an event that no producer sent: it takes nobody's place. The reply is its ref, `undefined` when it
   * declined to run.
   *
   * @throws `CallError` `failed`, whose cause is the `StartError` of the child, or what `child` threw. Elixir:
   * `ConsumerSupervisor.start_child`.
   */
  startChild(event: In): Answered<Ref | undefined> {
    return attempt(this, () => behaviourOf(this).startChild(event))
  }

  /**
   * Stops a child for good, whatever its `restart` says, also one that is being restarted, by its old ref. Its place is free.
   *
   * @throws `CallError` `failed` with `SupervisorError` `not_found`. Elixir: `ConsumerSupervisor.terminate_child`.
   */
  terminateChild(ref: Ref): Answered<void> {
    return attempt(this, () => behaviourOf(this).terminateChild(ref))
  }

  /** The children, without an order. Elixir: `ConsumerSupervisor.which_children`. */
  whichChildren(): readonly ChildInfo<undefined>[] {
    return behaviourOf(this).whichChildren()
  }

  /** How many there are; `specs` is always 1. Elixir: `ConsumerSupervisor.count_children`. */
  countChildren(): ChildCounts {
    return behaviourOf(this).countChildren()
  }

  override async terminate(): Promise<void> {
    await behaviourOf(this).stopChildren()
  }
}

function behaviourOf(supervisor: GenServer): ConsumerSupervisorBehaviour {
  const behaviour = serverOf(supervisor)
  if (behaviour instanceof ConsumerSupervisorBehaviour) return behaviour
  const text = `${supervisor} was made with new, it has no children; start it with start or startLink`
  throw new ProcessError('not_running', text)
}
