/** The pages that are online, as a flow: what OnlinePageProducerConsumer does, without a class, in two stages. */

import { Flow } from 'sluice/flow'
import { PageProducer } from './page-producer.ts'
import type { Web } from './web.ts'

export function onlineFlow(web: Web): Flow<string> {
  return Flow.fromStages([PageProducer], { stages: 2, maxDemand: 1 }).filter((page) => {
    web.log(`OnlineFlow received ${page}`)
    return web.isOnline(page)
  })
}
