import { Flow, Window } from 'sluice/flow'

const numbers = Flow.from([{ country: 'DE', size: 1 }])
const reduced = numbers.reduce(
  () => 0,
  (airport, sum) => sum + airport.size,
)

// error: map cannot follow a reducer: use onTrigger to change what is emitted, or begin a new step with partition
reduced.map((sum: number) => sum * 2)

// error: onTrigger says what becomes of an accumulator: put a reducer before it, such as reduce
numbers.onTrigger((state: number) => [[state], state])

// error: Type '"county"' is not assignable to type
numbers.partition({ key: 'county' })

// error: Argument of type 'number' is not assignable to parameter of type '(context: StageContext) => unknown'
numbers.reduce(0, (airport) => airport.size)

const orders = Flow.from([{ id: 1, customer: 7, at: new Date() }])
const customers = Flow.from([{ id: 7, name: 'Ada' }])

// error: Type 'string' is not assignable to type '"the keys of both sides of a join must be of one type, or they never are equal"'
Flow.boundedJoin('inner', orders, customers, (order) => order.customer, (customer) => customer.name, (order) => order)

// error: Type 'Date' is not assignable to type '"this cannot be the key of a join: take a string, a number or another plain value from it"'
Flow.boundedJoin('inner', orders, customers, (order) => order.at, (customer) => customer.id, (order) => order)

// error: Type 'Promise<number>' is not assignable to type '"the key of a join cannot be a promise: the function of a key is not async"'
Flow.boundedJoin('inner', orders, customers, async (order) => order.customer, (customer) => customer.id, (order) => order)

// error: Argument of type '"cross"' is not assignable to parameter of type 'JoinMode'
Flow.boundedJoin('cross', orders, customers, (order) => order.customer, (customer) => customer.id, (order) => order)

// error: 'customer' is possibly 'null'
Flow.boundedJoin('left_outer', orders, customers, (order) => order.customer, (it) => it.id, (_, customer) => customer.name)
// error: a window has one trigger that looks at events, and this one has it: write one that decides both
Window.count(100).triggerEvery(10).triggerEvery(3)

// error: only fixed and sliding windows close late: the others have no watermark
Window.count(100).allowedLateness(1, 'minute')

// error: Argument of type '"seconds"' is not assignable to parameter of type 'TimeUnit'
Window.periodic(10, 'seconds')

const airports = Flow.from([{ name: 'FRA', opened: new Date(0) }])

// error: Type 'string' is not assignable to type 'number | Date'
airports.shuffle({ window: Window.fixed(1, 'hour', (airport) => airport.name) })

// error: Property 'closed' is missing in type '{ name: string; opened: Date; }' but required in type 'Having<"closed", number | Date>'
airports.shuffle({ window: Window.fixed(1, 'hour', 'closed') })

// error: a window has one trigger that looks at events, and this one has it: write one that decides both
Window.fixed(1, 'hour', 'opened').triggerEvery(10).trigger(() => 0, () => ({ state: 0 }))
