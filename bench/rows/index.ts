import type { Row } from '../row.ts'
import { acrossThreads } from './across-threads.ts'
import { airports } from './airports.ts'
import { airports2Workers } from './airports-2-workers.ts'
import { asyncStream2, asyncStream100 } from './async-stream.ts'
import { broadway, broadwayBatches } from './broadway.ts'
import { call } from './call.ts'
import { cast } from './cast.ts'
import { consumerSupervisor, consumerSupervisorProcess } from './consumer-supervisor.ts'
import { dynamicSupervisor } from './dynamic-supervisor.ts'
import { eventLoop } from './event-loop.ts'
import { fanOutBroadcast, fanOutDemand, fanOutPartition } from './fan-out.ts'
import { flow } from './flow.ts'
import { gs1To0 } from './gs-1-0.ts'
import { gs1To0Async } from './gs-1-0-async.ts'
import { gs10To5 } from './gs-10-5.ts'
import { gsDefault } from './gs-default.ts'
import { idleProcesses } from './idle-processes.ts'
import { rabbitmq100, rabbitmq1000 } from './rabbitmq.ts'
import { task } from './task.ts'
import { wordCount1Worker, wordCount2Workers, wordCount4Workers } from './word-count.ts'

/** Every row, in the order of the table. */
export const rows: readonly Row[] = [
  gsDefault,
  gs10To5,
  gs1To0,
  gs1To0Async,
  fanOutDemand,
  fanOutBroadcast,
  fanOutPartition,
  call,
  cast,
  task,
  asyncStream2,
  asyncStream100,
  dynamicSupervisor,
  consumerSupervisor,
  consumerSupervisorProcess,
  flow,
  acrossThreads,
  airports,
  airports2Workers,
  wordCount1Worker,
  wordCount2Workers,
  wordCount4Workers,
  broadway,
  broadwayBatches,
  rabbitmq100,
  rabbitmq1000,
  idleProcesses,
  eventLoop,
]
