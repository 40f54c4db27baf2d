/** Dispatchers to find mistakes in: two that are right, and many that differ from one of them by one mistake each. */

import { type Dispatcher, type Info, PartitionDispatcher, type Subscription } from 'sluice'
import type { DispatcherCheckOptions, DispatcherRule } from 'sluice/testing'

interface Entry {
  readonly subscription: Subscription
  demand: number
}

/** Right: whoever has subscribed first is served first. */
export class Simple implements Dispatcher {
  protected readonly entries: Entry[] = []
  protected pending = 0

  attach(): void {}

  get ready(): number {
    return this.entries.reduce((sum, { demand }) => sum + demand, 0)
  }

  subscribe(subscription: Subscription): number {
    this.entries.push({ subscription, demand: 0 })
    return 0
  }

  cancel(subscription: Subscription): number {
    const index = this.entries.findIndex((entry) => entry.subscription === subscription)
    for (const { demand } of this.entries.splice(index, 1)) this.pending += demand
    return 0
  }

  ask(demand: number, subscription: Subscription): number {
    for (const entry of this.entries) if (entry.subscription === subscription) entry.demand += demand
    const already = Math.min(this.pending, demand)
    this.pending -= already
    return demand - already
  }

  dispatch(events: readonly unknown[]): readonly unknown[] {
    let left = events
    for (const entry of this.entries) {
      const part = left.slice(0, entry.demand)
      entry.demand -= part.length
      left = left.slice(part.length)
      if (part.length > 0) this.send(entry.subscription, part)
    }
    this.pending = Math.max(0, this.pending - left.length)
    return left
  }

  info(info: Info): void {
    info()
  }

  protected send(subscription: Subscription, events: readonly unknown[]): void {
    subscription.deliver(events)
  }
}

/** Right: everybody gets everything, as fast as the slowest asks. */
export class SimpleBroadcast extends Simple {
  readonly options = ['selector'] as const
  #owed = 0

  override get ready(): number {
    return this.entries.length === 0 ? 0 : Math.min(...this.entries.map(({ demand }) => demand))
  }

  override cancel(subscription: Subscription): number {
    super.cancel(subscription)
    return this.newDemand()
  }

  override ask(demand: number, subscription: Subscription): number {
    super.ask(demand, subscription)
    return this.newDemand()
  }

  override dispatch(events: readonly unknown[]): readonly unknown[] {
    const now = events.slice(0, this.ready)
    const left = events.slice(now.length)
    this.#owed = Math.max(0, this.#owed - events.length)
    for (const entry of now.length > 0 ? this.entries : []) {
      entry.demand -= now.length
      this.send(entry.subscription, now)
    }
    return left
  }

  protected get wanted(): number {
    return this.ready
  }

  protected newDemand(): number {
    const more = Math.max(0, this.wanted - this.#owed)
    this.#owed += more
    return more
  }
}

/** Wrong: keeps the first event that it gets, and never sends it. */
class Hoarding extends Simple {
  kept = 0

  override get ready(): number {
    return Math.max(0, super.ready - this.kept)
  }

  override dispatch(events: readonly unknown[]): readonly unknown[] {
    const taken = events.slice(0, this.ready)
    const sent = taken.slice(1 - this.kept)
    if (taken.length > 0) this.kept = 1
    super.dispatch(sent)
    return events.slice(taken.length)
  }

  override info(info: Info): void {
    if (this.kept === 0) info()
  }
}

/** What a check has to know of a dispatcher with two partitions, for odd and for even numbers. */
export const twoPartitions: DispatcherCheckOptions<unknown> = {
  keeps: true,
  subscription(present) {
    const partition = [0, 1].find((name) => !present.some((other) => other.partition === name))
    return partition === undefined ? undefined : { partition }
  },
  wants: (event, { partition }) => Number(event) % 2 === partition,
}

/** Their options. */
export const parity = { partitions: 2, hash: (event: unknown): number => Number(event) % 2 }

/** Wrong: sends once more to some that have left. */
class Faithful extends Simple {
  readonly #to: (subscription: Subscription) => boolean
  #left: Subscription | undefined

  constructor(to: (subscription: Subscription) => boolean) {
    super()
    this.#to = to
  }

  override cancel(subscription: Subscription): number {
    if (this.#to(subscription)) this.#left = subscription
    return super.cancel(subscription)
  }

  protected override send(subscription: Subscription, events: readonly unknown[]): void {
    super.send(this.#left ?? subscription, events)
    this.#left = undefined
  }
}

/** A mistake, the rule that it breaks, and words that the error has to have. */
export interface Mistake {
  readonly make: () => Dispatcher
  readonly rule: DispatcherRule | readonly DispatcherRule[]
  readonly says: RegExp
  readonly options?: DispatcherCheckOptions<unknown>
}

let shared: Simple | undefined

export const mistakes: Readonly<Record<string, Mistake>> = {
  'forgets the demand of those who leave': {
    make: () =>
      new (class Forgetful extends Simple {
        override cancel(subscription: Subscription): number {
          super.cancel(subscription)
          this.pending = 0
          return 0
        }
      })(),
    rule: 'asked_again',
    says: /asks the producer for \d+, which then owes \d+, and consumers want \d+/,
  },
  'counts the demand of those who leave twice': {
    make: () =>
      new (class Doubling extends Simple {
        override cancel(subscription: Subscription): number {
          super.cancel(subscription)
          this.pending *= 2
          return 0
        }
      })(),
    rule: 'stalled',
    says: /consumers want \d+ events?, and the producer was asked for \d+ only/,
  },
  'asks for nothing': {
    make: () =>
      new (class Silent extends Simple {
        override ask(demand: number, subscription: Subscription): number {
          super.ask(demand, subscription)
          return 0
        }
      })(),
    rule: 'stalled',
    says: /consumers want 1 event, and the producer was asked for 0 only/,
  },
  'asks for everything twice': {
    make: () =>
      new (class Greedy extends Simple {
        override ask(demand: number, subscription: Subscription): number {
          return 2 * super.ask(demand, subscription)
        }
      })(),
    rule: 'asked_again',
    says: /asks the producer for \d+, which then owes \d+, and consumers want \d+/,
  },
  'returns negative demand': {
    make: () =>
      new (class Negative extends Simple {
        override ask(demand: number, subscription: Subscription): number {
          const { pending } = this
          super.ask(demand, subscription)
          return demand - pending
        }
      })(),
    rule: 'contract',
    says: /ask returned -\d+, expected new demand, a whole number >= 0/,
  },
  'sends more than was asked for': {
    make: () =>
      new (class Generous extends Simple {
        override dispatch(events: readonly unknown[]): readonly unknown[] {
          const [first] = this.entries
          if (first === undefined) return events
          first.demand = Math.max(first.demand, events.length)
          return super.dispatch(events)
        }
      })(),
    rule: 'unasked',
    says: /consumer 1 was sent 1 event and had asked for 0/,
  },
  'sends events twice': {
    make: () =>
      new (class Repeating extends Simple {
        protected override send(subscription: Subscription, events: readonly unknown[]): void {
          super.send(subscription, [events[0], ...events.slice(0, -1)])
        }
      })(),
    rule: 'twice',
    says: /consumer 1 was sent 0 twice/,
  },
  'turns messages round': {
    make: () =>
      new (class Backwards extends Simple {
        protected override send(subscription: Subscription, events: readonly unknown[]): void {
          super.send(subscription, events.toReversed())
        }
      })(),
    rule: 'order',
    says: /consumer 1 was sent 0 behind an event that was emitted later/,
  },
  'serves the last part first': {
    make: () =>
      new (class Late extends Simple {
        override dispatch(events: readonly unknown[]): readonly unknown[] {
          const from = Math.max(0, events.length - this.ready)
          super.dispatch(events.slice(from))
          return events.slice(0, from)
        }
      })(),
    rule: 'lost',
    says: /0 was neither sent nor given back/,
  },
  'turns what it gives back round': {
    make: () =>
      new (class Backwards extends Simple {
        override dispatch(events: readonly unknown[]): readonly unknown[] {
          return super.dispatch(events).toReversed()
        }
      })(),
    rule: 'leftover',
    says: /gave back 1 where 0 was expected/,
  },
  'drops what nobody asked for': {
    make: () =>
      new (class Dropping extends Simple {
        override dispatch(events: readonly unknown[]): readonly unknown[] {
          super.dispatch(events)
          return []
        }
      })(),
    rule: 'lost',
    says: /0 was neither sent nor given back/,
  },
  'sends and gives back': {
    make: () =>
      new (class Careful extends Simple {
        override dispatch(events: readonly unknown[]): readonly unknown[] {
          const left = super.dispatch(events)
          return left.length > 0 ? events : left
        }
      })(),
    rule: 'twice',
    says: /0 was sent and given back as well/,
  },
  'sends copies': {
    make: () =>
      new (class Copying extends Simple {
        protected override send(subscription: Subscription, events: readonly unknown[]): void {
          super.send(subscription, structuredClone(events))
        }
      })(),
    rule: 'invented',
    says: /consumer 1 was sent \{"id":0\}, which nobody emitted/,
    options: { event: (id) => ({ id }) },
  },
  'sends empty messages': {
    make: () =>
      new (class Chatty extends Simple {
        override dispatch(events: readonly unknown[]): readonly unknown[] {
          for (const { subscription, demand } of this.entries) if (demand === 0) subscription.deliver([])
          return super.dispatch(events)
        }
      })(),
    rule: 'empty',
    says: /consumer 1 was sent a message without events/,
  },
  'serves those who have left': {
    make: () => new Faithful(() => true),
    rule: 'stranger',
    says: /consumer \d was sent events and is no consumer any more. This happened by itself/,
  },
  'serves those who crashed': {
    make: () => new Faithful((subscription) => !subscription.consumer.alive),
    rule: 'stranger',
    says: /consumer \d was sent events and is no consumer any more. This happened in real stages/,
  },
  'starves all but the first': {
    make: () =>
      new (class Partial extends Simple {
        override get ready(): number {
          return this.entries[0]?.demand ?? 0
        }
        override dispatch(events: readonly unknown[]): readonly unknown[] {
          const others = this.entries.splice(1)
          const left = super.dispatch(events)
          this.entries.push(...others)
          return left
        }
      })(),
    rule: 'ready',
    says: /ready is 0, and consumers want 1/,
  },
  'is ready for more than it takes': {
    make: () =>
      new (class Boasting extends Simple {
        override get ready(): number {
          return super.ready > 0 ? super.ready + 1 : 0
        }
      })(),
    // The producer notices too, when something waits.
    rule: ['ready', 'contract'],
    says: /ready is 2, and consumers want 1|ready was 2, but dispatch gave back 1/,
  },
  'forgets infos': {
    make: () =>
      new (class Forgetful extends Simple {
        override info(): void {}
      })(),
    rule: 'info_forgotten',
    says: /info 1 was not passed on, and nothing that came before it waits/,
  },
  'passes infos on twice': {
    make: () =>
      new (class Chatty extends Simple {
        override info(info: Info): void {
          info()
          info()
        }
      })(),
    rule: 'info_twice',
    says: /info 1 was passed on twice/,
  },
  'passes infos on ahead of what it keeps': {
    make: () =>
      new (class Hasty extends PartitionDispatcher {
        override info(info: Info): void {
          info()
        }
      })(parity),
    rule: 'info_early',
    says: /info 1 was passed on ahead of \d+ events? that came before it/,
    options: twoPartitions,
  },
  'sends to the wrong partition': {
    make: () => new PartitionDispatcher({ partitions: 2, hash: (event) => 1 - (Number(event) % 2) }),
    rule: 'unwanted',
    says: /consumer \d was sent \d+, which is not for it/,
    options: twoPartitions,
  },
  'keeps events for ever': {
    make: () => new Hoarding(),
    rule: 'lost',
    says: /1 event never arrived, though all consumers asked for more/,
    options: { keeps: true },
  },
  'forgets what it keeps': {
    make: () =>
      new (class Forgetful extends PartitionDispatcher {
        override get kept(): number {
          return 0
        }
      })(parity),
    rule: 'lost',
    says: /it says that it keeps 0 events, and \d+ have gone nowhere else/,
    options: twoPartitions,
  },
  'throws when the last consumer leaves': {
    make: () =>
      new (class Fragile extends Simple {
        override cancel(subscription: Subscription): number {
          super.cancel(subscription)
          if (this.entries.length === 0) throw new Error('nobody is left')
          return 0
        }
      })(),
    rule: 'contract',
    says: /cancel threw Error: nobody is left/,
  },
  'is the same object each time': {
    make: () => (shared ??= new Simple()),
    rule: 'shared',
    says: /it is the same object each time: give a function that makes a new one/,
  },
  'sends no one what two should have': {
    make: () =>
      new (class Partial extends SimpleBroadcast {
        protected override send(subscription: Subscription, events: readonly unknown[]): void {
          if (this.entries.length < 2 || subscription === this.entries[0]?.subscription)
            super.send(subscription, events)
        }
      })(),
    rule: 'lost',
    says: /0 was neither sent to consumer 2 nor given back/,
    options: { delivers: 'to_all' },
  },
  'sends what a consumer does not want': {
    make: () => new SimpleBroadcast(),
    rule: 'unwanted',
    says: /consumer 1 was sent 0, which is not for it/,
    options: { delivers: 'to_all', subscription: () => ({ selector: (event: number) => event % 2 === 1 }) },
  },
  'asks for what the fastest wants': {
    make: () =>
      new (class Hasty extends SimpleBroadcast {
        protected override get wanted(): number {
          return Math.max(0, ...this.entries.map(({ demand }) => demand))
        }
      })(),
    rule: 'asked_again',
    says: /asks the producer for 1, which then owes 1, and consumers want 0/,
    options: { delivers: 'to_all' },
  },
}
