/** The scraper in steps, each a tree of its own. */

import { BroadcastDispatcher, type ChildSpec, child, PartitionDispatcher, Registry, via } from 'sluice'
import { onlineFlow } from './online-flow.ts'
import { OnlinePageProducerConsumer } from './online-page-producer-consumer.ts'
import { onlinePipeline } from './online-pipeline.ts'
import { PageConsumer } from './page-consumer.ts'
import { PageConsumerSupervisor } from './page-consumer-supervisor.ts'
import { PageProducer } from './page-producer.ts'
import type { Web } from './web.ts'

export interface Step {
  readonly name: string
  readonly title: string
  /** What to look at. */
  readonly lesson: string
  readonly children: (web: Web) => readonly ChildSpec[]
}

/** Who is known by which id. */
class ProducerConsumerRegistry extends Registry<string> {
  constructor() {
    super({ keys: 'unique' })
  }
}

const onlinePages = (id: string) => via(ProducerConsumerRegistry, OnlinePageProducerConsumer, id)

const oneAtATime = { to: PageProducer, minDemand: 0, maxDemand: 1 }

export const STEPS: readonly Step[] = [
  {
    name: 'one-consumer',
    title: 'One consumer',
    lesson: 'It asked for 3 pages and got 3; of the next 3 only 2 were there, so the demand for 1 is left.',
    children: (web) => [
      child(PageProducer, { name: PageProducer, arg: { web } }),
      child(PageConsumer, { arg: { web }, subscribeTo: [{ to: PageProducer, minDemand: 0, maxDemand: 3 }] }),
    ],
  },
  {
    name: 'two-consumers',
    title: 'Two consumers',
    lesson: 'Whoever is free gets the next page; what nobody has asked for waits in the buffer.',
    children: (web) => [
      child(PageProducer, { name: PageProducer, arg: { web } }),
      child(PageConsumer, { id: 'consumer_a', arg: { web }, subscribeTo: [oneAtATime] }),
      child(PageConsumer, { id: 'consumer_b', arg: { web }, subscribeTo: [oneAtATime] }),
    ],
  },
  {
    name: 'small-buffer',
    title: 'Two consumers, and a buffer for one page',
    lesson: 'Two pages were on their way and one had room; of the others the last one was kept, two are lost.',
    children: (web) => [
      child(PageProducer, { name: PageProducer, arg: { web, bufferSize: 1 } }),
      child(PageConsumer, { id: 'consumer_a', arg: { web }, subscribeTo: [oneAtATime] }),
      child(PageConsumer, { id: 'consumer_b', arg: { web }, subscribeTo: [oneAtATime] }),
    ],
  },
  {
    name: 'supervisor',
    title: 'A process for each page',
    lesson: 'Two at a time; when one has ended, the next page is asked for. One that crashed would be started again.',
    children: (web) => [
      child(PageProducer, { name: PageProducer, arg: { web } }),
      child(PageConsumerSupervisor, { arg: { web, subscribeTo: [{ to: PageProducer, maxDemand: 2 }] } }),
    ],
  },
  {
    name: 'online',
    title: 'Only the pages that are online',
    lesson: 'A stage in the middle drops a page that is down; the demand below it goes on to the next one.',
    children: (web) => [
      child(PageProducer, { name: PageProducer, arg: { web } }),
      child(OnlinePageProducerConsumer, { name: OnlinePageProducerConsumer, arg: { web } }),
      child(PageConsumerSupervisor, { arg: { web, subscribeTo: [{ to: OnlinePageProducerConsumer, maxDemand: 2 }] } }),
    ],
  },
  {
    name: 'two-online',
    title: 'Two of them, found in a registry',
    lesson: 'The stages in the middle share the pages; the supervisor is subscribed to both, by their keys.',
    children: (web) => [
      child(ProducerConsumerRegistry, { name: ProducerConsumerRegistry }),
      child(PageProducer, { name: PageProducer, arg: { web } }),
      ...['online_1', 'online_2'].map((id) =>
        child(OnlinePageProducerConsumer, { id, name: onlinePages(id), arg: { web } }),
      ),
      child(PageConsumerSupervisor, {
        arg: { web, subscribeTo: ['online_1', 'online_2'].map((id) => ({ to: onlinePages(id), maxDemand: 1 })) },
      }),
    ],
  },
  {
    name: 'flow',
    title: 'The stages in the middle as a flow',
    lesson: 'A function instead of a class: the flow stands between the stages, and is a child of their supervisor.',
    children: (web) => [
      child(PageProducer, { name: PageProducer, arg: { web } }),
      child(PageConsumerSupervisor, { name: PageConsumerSupervisor, arg: { web, subscribeTo: [] } }),
      onlineFlow(web).child({ intoStages: [{ to: PageConsumerSupervisor, maxDemand: 2 }] }),
    ],
  },
  {
    name: 'broadway',
    title: 'All of it as a pipeline',
    lesson:
      'Functions instead of stages: who is down fails, the others go on, and of each site one page at a time is scraped.',
    children: (web) => [onlinePipeline(web)],
  },
  {
    name: 'broadcast',
    title: 'Every page to everybody',
    lesson: 'Both get every page, one of them only those that it selects. The slower one sets the pace.',
    children: (web) => [
      child(PageProducer, { name: PageProducer, arg: { web, dispatcher: () => new BroadcastDispatcher() } }),
      child(PageConsumer, { id: 'pages', arg: { web }, subscribeTo: [oneAtATime] }),
      child(PageConsumer, {
        id: 'shops',
        arg: { web, label: 'ShopConsumer' },
        subscribeTo: [{ ...oneAtATime, selector: (page) => page === 'amazon.com' }],
      }),
    ],
  },
  {
    name: 'partition',
    title: 'Each page to the consumer of its letter',
    lesson: 'A page goes to the same consumer each time, so no site is asked by two at once.',
    children: (web) => [
      child(PageProducer, {
        name: PageProducer,
        arg: {
          web,
          dispatcher: () =>
            new PartitionDispatcher({
              partitions: ['a-f', 'g-z'],
              hash: (page: string) => (page < 'g' ? 'a-f' : 'g-z'),
            }),
        },
      }),
      ...['a-f', 'g-z'].map((partition) =>
        child(PageConsumer, {
          id: partition,
          arg: { web, label: `PageConsumer ${partition}` },
          subscribeTo: [{ ...oneAtATime, partition }],
        }),
      ),
    ],
  },
]
