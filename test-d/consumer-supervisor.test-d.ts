import {
  type ChildInfo,
  ConsumerSupervisor,
  type ConsumerSupervisorOptions,
  child,
  type EventClass,
  type EventFunction,
  type EventTemplate,
  GenServer,
  Producer,
  type Ref,
  type Subscription,
  start,
  startLink,
  supervise,
  syncSubscribe,
} from 'sluice'
import { expectValue } from './support.ts'

interface Page {
  readonly url: string
}
interface DatedPage extends Page {
  readonly date: number
}
class Pages extends Producer<Page> {
  override handleDemand() {}
}
class DatedPages extends Producer<DatedPage> {
  override handleDemand() {}
}
class Scraper extends GenServer {
  readonly page: Page
  constructor(page: Page) {
    super()
    this.page = page
  }
}

// A class whose argument is the event, what a function says, or a task.
class ByClass extends ConsumerSupervisor<Page> {
  constructor(options: { readonly at: Ref<Pages> }) {
    super({ child: Scraper, restart: 'transient', shutdown: 1000, timeout: 5000, subscribeTo: [Pages, options.at] })
  }
}
class ByTemplate extends ConsumerSupervisor<Page> {
  constructor() {
    super({
      child: (page) => {
        expectValue<Page>()(page)
        return child(Scraper, { arg: page, restart: 'transient' })
      },
      maxRestarts: 10,
      maxSeconds: 60,
      subscribeTo: [{ to: DatedPages, maxDemand: 2 }],
    })
  }
}
class ByTask extends ConsumerSupervisor<Page> {
  constructor() {
    super({
      run: async (page, { signal, self }) => {
        expectValue<Page>()(page)
        expectValue<AbortSignal>()(signal)
        expectValue<Ref>()(self)
      },
    })
  }
  override handleSubscribe(_peer: 'producer' | 'consumer', _subscription: Subscription) {}
}

// They are processes, with the messages of a supervisor.
const supervisor = await startLink(ByTask)
expectValue<Promise<Ref | undefined>>()(supervisor.call.startChild({ url: '/' }))
expectValue<Promise<readonly ChildInfo<undefined>[]>>()(supervisor.call.whichChildren())
expectValue<Promise<number>>()(supervisor.call.countChildren().then(({ active }) => active))
// @ts-expect-error no event
supervisor.call.startChild('/')
// @ts-expect-error no message
supervisor.call.subscribe({ to: Pages })
// @ts-expect-error no message
supervisor.call.handleSubscribe()

// Without a class of one's own
const pages = await start(Pages)
const dated = await start(DatedPages)
await startLink(ConsumerSupervisor<Page>, {
  arg: { run: ({ url }) => fetch(url), subscribeTo: [{ to: dated }, pages] },
})
await startLink(ConsumerSupervisor<Page>, { arg: { child: Scraper }, subscribeTo: [pages] })
await supervise({
  strategy: 'rest_for_one',
  children: [
    child(Pages, { name: Pages }),
    child(ByClass, { arg: { at: pages } }),
    child(ByTemplate),
    child(ConsumerSupervisor<Page>, { arg: { run: async () => {} }, subscribeTo: [Pages], name: ConsumerSupervisor }),
  ],
})
await syncSubscribe(supervisor, { to: dated, maxDemand: 3 })
// @ts-expect-error a page has no date
await startLink(ConsumerSupervisor<DatedPage>, { arg: { run: () => {} }, subscribeTo: [pages] })

// The parts have names.
const byClass: EventClass<Page> = Scraper
const byTemplate: EventTemplate<Page> = (page) => child(Scraper, { arg: page, restart: 'temporary' })
const byTask: EventFunction<Page> = (page, { self }) => [page, self]
const options: ConsumerSupervisorOptions<Page> = { child: byTemplate }
await start(ConsumerSupervisor<Page>, { arg: { child: byClass } })
await start(ConsumerSupervisor<Page>, { arg: { run: byTask, restart: 'temporary' } })
await start(ConsumerSupervisor<Page>, { arg: options })
