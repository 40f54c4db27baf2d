import { child, ConsumerSupervisor, GenServer, manual, Producer, start } from 'sluice'

class Numbers extends Producer<number> {
  override handleDemand() {}
}
class Scraper extends GenServer {
  readonly page: string
  constructor(page: string) {
    super()
    this.page = page
  }
}
class NoProcess {}

// The argument of the class is the event.
export class Pages extends ConsumerSupervisor<number> {
  constructor() {
    // error: Type 'typeof Scraper' is not assignable to type 'EventClass<number>'
    // error: Types of parameters 'page' and 'event' are incompatible
    super({ child: Scraper })
  }
}
export class Templates extends ConsumerSupervisor<number> {
  constructor() {
    // error: Type 'number' is not assignable to type 'string'
    super({ child: (n) => child(Scraper, { arg: n, restart: 'temporary' }) })
  }
}
await start(ConsumerSupervisor<number>, { arg: { child: Scraper } }) // error: 'typeof Scraper' is not assignable to type 'EventClass<number>
// error: Type 'NoProcess' is missing the following properties from type 'GenServer'
await start(ConsumerSupervisor<string>, { arg: { child: NoProcess } })
// error: Type '(page: number) => number' is not assignable to type 'EventFunction<string>'
await start(ConsumerSupervisor<string>, { arg: { run: (page: number) => page } })

// A child for an event is not permanent.
// error: Type '"permanent"' is not assignable to type 'EventRestart
await start(ConsumerSupervisor<string>, { arg: { child: Scraper, restart: 'permanent' } })
// error: Type 'ChildSpec<Scraper, "permanent">' is not assignable to type 'ChildSpec<unknown, EventRestart>'
await start(ConsumerSupervisor<string>, { arg: { child: (page) => child(Scraper, { arg: page }) } })

// One of run and child
await start(ConsumerSupervisor<string>, { arg: {} }) // error: Type '{}' is not assignable to type 'ConsumerSupervisorOptions<string>'
// error: Type 'typeof Scraper' is not assignable to type 'undefined'
await start(ConsumerSupervisor<string>, { arg: { run: () => {}, child: Scraper } })
const template = (page: string) => child(Scraper, { arg: page, restart: 'temporary' })
// error: is not assignable to type 'EventRestart | undefined'
await start(ConsumerSupervisor<string>, { arg: { child: template, restart: 'temporary' } })

// Subscriptions
// error: Type 'typeof Numbers' is not assignable to type 'ProducerTarget<string>'
await start(ConsumerSupervisor<string>, { arg: { run: () => {}, subscribeTo: [{ to: Numbers }] } })
// error: Type 'typeof Numbers' is not assignable to type 'Subscribing<string>'
await start(ConsumerSupervisor<string>, { arg: { run: () => {} }, subscribeTo: [Numbers] })
export class Asking extends ConsumerSupervisor<number> {
  override handleSubscribe() { // error: Type 'Manual' is not assignable to type 'void'
    return manual
  }
  override handleEvents() {} // error: it is not declared in the base class 'ConsumerSupervisor<number>'
}
