import {
  BroadcastDispatcher,
  Consumer,
  child,
  type Dispatcher,
  FairDispatcher,
  PriorityDispatcher,
  type PriorityLevels,
  Producer,
} from 'sluice'
import { checkDispatcher, type DispatcherCheckOptions } from 'sluice/testing'
import { expectValue } from './support.ts'

interface Order {
  readonly express: boolean
  readonly weight: number
}

// The events are those of the stage, and an answer is one of the levels.
export class Orders extends Producer<Order> {
  constructor() {
    super({
      bufferSize: 100,
      dispatcher: new PriorityDispatcher({
        levels: ['express', 'normal'],
        priority: (order) => {
          expectValue<Order>()(order)
          return order.express ? 'express' : 'normal'
        },
        patience: 10,
        dispatcher: new FairDispatcher(),
      }),
    })
  }
  override handleDemand() {}
}
expectValue<PriorityDispatcher<Order, 3>>()(
  new PriorityDispatcher({ levels: 3, priority: ({ weight }: Order) => weight }),
)
const names: readonly string[] = ['a', 'b']
declare const levels: PriorityLevels
new PriorityDispatcher({ levels: names, priority: (event: string) => event.slice(0, 1) })
new PriorityDispatcher({ levels: names.length, priority: (event: string) => names.indexOf(event) })
new PriorityDispatcher({ levels, priority: (event: string) => names.indexOf(event) })
export const fitting: readonly Dispatcher<Order>[] = [
  new PriorityDispatcher({ levels: 2, priority: () => 0, dispatcher: new BroadcastDispatcher<Order>() }),
  new FairDispatcher(),
]
// @ts-expect-error no such level
new PriorityDispatcher({ levels: ['express', 'normal'], priority: (_order: Order) => 'later' })
// @ts-expect-error numbered levels have no names
new PriorityDispatcher({ levels: 2, priority: (_order: Order) => 'express' })
// @ts-expect-error priority answers now
new PriorityDispatcher({ levels: 2, priority: async (_order: Order) => 1 })
// @ts-expect-error levels are known beforehand
new PriorityDispatcher({ priority: (_order: Order) => 1 })

class Packer extends Consumer<Order> {
  override handleEvents() {}
}
child(Packer, { subscribeTo: [{ to: Orders, weight: 3 }] })
// @ts-expect-error a weight is a number
child(Packer, { subscribeTo: [{ to: Orders, weight: 'heavy' }] })

// The check knows the events of the dispatcher.
expectValue<Promise<void>>()(checkDispatcher(() => new FairDispatcher()))
await checkDispatcher(() => new BroadcastDispatcher<Order>(), {
  delivers: 'to_all',
  event: (nth) => ({ express: nth % 2 === 0, weight: nth }),
  subscription: (present, nth) => (present.length > 3 ? undefined : { data: nth }),
  wants: (order) => order.express,
  lane: ({ weight }) => weight % 2,
  drops: ({ weight }) => weight === 0,
  runs: 10,
})
export const options: DispatcherCheckOptions<Order> = { keeps: true, seed: 1, longest: 10 }
// @ts-expect-error a dispatcher of orders is checked with orders
await checkDispatcher(() => new BroadcastDispatcher<Order>(), { event: (nth: number) => `${nth}` })
