/** The scraper as a pipeline: pages are checked in processors, and scraped in batches of one, never two of a site at once. */

import { type ChildSpec, name } from 'sluice'
import { Broadway, Message } from 'sluice/broadway'
import { PageProducer } from './page-producer.ts'
import type { Web } from './web.ts'

/** Batch processors. */
const SCRAPERS = 2

export function onlinePipeline(web: Web): ChildSpec {
  return Broadway.child({
    name: 'scraper',
    // Found as in the other steps.
    processName: (base) => (base === 'Producer_0' ? name(PageProducer) : `scraper.${base}`),
    producer: { module: PageProducer, arg: { web }, transformer: (page) => new Message(page) },
    processors: {
      default: {
        concurrency: 2,
        maxDemand: 1,
        minDemand: 0,
        async handleMessage(message, _context, { signal }) {
          web.log(`Processor received ${message.data}`)
          const online = await web.isOnline(message.data, signal)
          return online ? message.putBatchKey(message.data) : message.failed('offline')
        },
      },
    },
    batchers: {
      default: {
        batchSize: 1,
        concurrency: SCRAPERS,
        // All pages of a site go to the same batch processor, which scrapes one at a time.
        partitionBy: ({ data }) => data.charCodeAt(0),
        async handleBatch(messages, { batchKey }, _context, { signal }) {
          web.log(`BatchProcessor received ${batchKey}`)
          for (const { data } of messages) await web.scrape(data, signal)
          return messages
        },
      },
    },
    handleFailed(messages) {
      for (const { data, status } of messages) web.log(`${data} failed: ${status === 'ok' ? status : status.reason}`)
      return messages
    },
  })
}
