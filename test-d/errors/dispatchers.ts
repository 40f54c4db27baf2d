import { BroadcastDispatcher, Consumer, child, PartitionDispatcher, Producer } from 'sluice'

interface Order {
  readonly total: number
}

export class Orders extends Producer<Order> {
  constructor() {
    super({
      dispatcher: new PartitionDispatcher({
        partitions: ['large', 'small'],
        hash: (order) => (order.total > 100 ? 'large' : 'smal'), // error: Type '(order: Order) => "large" | "smal"' is not assignable to type
      }),
    })
  }
  override handleDemand() {}
}
export class Words extends Producer<string> {
  constructor() {
    super({ dispatcher: new BroadcastDispatcher<Order>() }) // error: Type 'BroadcastDispatcher<Order>' is not assignable to type 'Dispatcher<string>'
  }
  override handleDemand() {}
}
class Casting extends Producer<Order> {
  constructor() {
    super({ dispatcher: new BroadcastDispatcher() })
  }
  override handleDemand() {}
}
class Ledger extends Consumer<Order> {
  override handleEvents() {}
}
// error: Type '(word: string) => boolean' is not assignable to type 'Selector<Order>'
child(Ledger, { subscribeTo: [{ to: Casting, selector: (word: string) => word !== '' }] })
child(Ledger, { subscribeTo: [{ to: Casting, selector: (order) => order.totl > 0 }] }) // error: Property 'totl' does not exist on type 'Order'. Did you mean 'total'?
new PartitionDispatcher({ partitions: ['a', 'b'] }) // error: Argument of type '{ partitions: ("a" | "b")[]; }' is not assignable
