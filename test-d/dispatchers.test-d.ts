import {
  asyncSubscribe,
  BroadcastDispatcher,
  Consumer,
  child,
  DemandDispatcher,
  type Dispatcher,
  none,
  PartitionDispatcher,
  Producer,
  ProducerConsumer,
  type Selector,
  type SubscriptionOptions,
  start,
  stream,
  syncSubscribe,
} from 'sluice'
import { expectValue } from './support.ts'

interface Order {
  readonly country: string
  readonly total: number
}

// The events of the stage are those of its dispatcher, without being said twice.
export class Orders extends Producer<Order> {
  constructor() {
    super({
      dispatcher: new PartitionDispatcher({
        partitions: ['eu', 'us'],
        hash: (order) => {
          expectValue<Order>()(order)
          if (order.total === 0) return none
          if (order.country === 'de') return { event: { ...order, country: 'DE' }, partition: 'eu' }
          return order.country === 'fr' ? 'eu' : 'us'
        },
      }),
    })
  }
  override handleDemand() {}
}
export class Typed extends Producer<Order> {
  constructor() {
    super({ dispatcher: new PartitionDispatcher<Order>({ partitions: 4, hash: ({ total }) => total % 4 }) })
  }
  override handleDemand() {}
}
export class Casting extends ProducerConsumer<string, Order> {
  constructor() {
    super({ dispatcher: new BroadcastDispatcher<Order>(), subscribeTo: [] })
  }
  override handleEvents() {}
}
expectValue<PartitionDispatcher<Order, 'eu' | 'us'>>()(
  new PartitionDispatcher({ partitions: ['eu', 'us'], hash: (_order: Order) => 'eu' }),
)
export const fitting: readonly Dispatcher<Order>[] = [
  new PartitionDispatcher({ partitions: 4 }),
  new PartitionDispatcher({ partitions: [3, 5], maxQueued: Infinity }),
  new BroadcastDispatcher(),
  new DemandDispatcher(),
]

// A selector gets the events that the consumer handles.
class Ledger extends Consumer<Order> {
  constructor() {
    super({
      subscribeTo: [
        {
          to: Casting,
          selector: (order) => {
            expectValue<Order>()(order)
            return order.total > 100
          },
        },
      ],
    })
  }
  override handleEvents() {}
  join() {
    this.subscribe({ to: Casting, selector: ({ country }) => country === 'de' })
  }
}
child(Ledger, {
  subscribeTo: [
    { to: Casting, selector: (order) => order.total > 0 },
    { to: Orders, partition: 'eu' },
  ],
})
const ledger = await start(Ledger, { subscribeTo: [{ to: Casting, selector: ({ total }) => total > 0 }] })
await syncSubscribe(ledger, { to: Casting, selector: ({ total }) => total > 0 })
asyncSubscribe(ledger, { to: Casting, selector: ({ total }) => total > 0 })
expectValue<AsyncIterable<Order>>()(stream({ to: Casting, selector: ({ total }: Order) => total > 0 }))
const any: Selector<unknown> = () => true
const options: SubscriptionOptions = { selector: any, maxDemand: 1 }
child(Ledger, { subscribeTo: [{ to: Casting, ...options }] })
// @ts-expect-error orders are no numbers
child(Ledger, { subscribeTo: [{ to: Casting, selector: (n: number) => n > 0 }] })
// @ts-expect-error a selector answers now
child(Ledger, { subscribeTo: [{ to: Casting, selector: async () => true }] })

// @ts-expect-error names need a hash
new PartitionDispatcher({ partitions: ['eu', 'us'] })
// @ts-expect-error no such partition
new PartitionDispatcher({ partitions: ['eu', 'us'], hash: (_order: Order) => 'asia' })
// @ts-expect-error numbered partitions have no names
new PartitionDispatcher({ partitions: 4, hash: (_order: Order) => 'eu' })
// @ts-expect-error a hash answers now
new PartitionDispatcher({ partitions: 4, hash: async (_order: Order) => 1 })
// @ts-expect-error another event would be sent than the stage emits
export const replacing: Dispatcher<Order> = new PartitionDispatcher<Order, 'eu'>({ partitions: ['eu'], hash: () => ({ event: 5, partition: 'eu' }) }) // biome-ignore format: the error is on one line
