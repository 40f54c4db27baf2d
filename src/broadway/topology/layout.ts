/** The processes of a pipeline and who hangs on whom: from its options to the specification of its main supervisor. */

import { planStart } from '../../otp/start.ts'
import { ChildSpec, child } from '../../otp/supervision/child-spec.ts'
import { Supervisor } from '../../otp/supervision/supervisor.ts'
import type { SupervisorOptions } from '../../otp/supervision/supervisor-options.ts'
import { isOrderly } from '../../process/exit-reason.ts'
import type { Class, Name } from '../../process/name.ts'
import type { Process } from '../../process/process.ts'
import { DemandDispatcher } from '../../stage/dispatchers/demand-dispatcher.ts'
import type { Dispatcher } from '../../stage/dispatchers/dispatcher.ts'
import { type NumberedPartitions, PartitionDispatcher } from '../../stage/dispatchers/partition-dispatcher.ts'
import type { Producer } from '../../stage/producer.ts'
import { Stage } from '../../stage/stage.ts'
import type { Batch } from '../batch.ts'
import type { Message } from '../message.ts'
import type { CheckedBatcher, CheckedPipeline, PartitionBy } from '../options/checked-options.ts'
import type { Parts } from './abandoned.ts'
import { Allowance } from './allowance.ts'
import type { Barrier } from './barrier.ts'
import { BatchProcessor } from './batch-processor-stage.ts'
import { Batcher } from './batcher-stage.ts'
import { fail, failureOf } from './failing.ts'
import { partitionOf } from './partitions.ts'
import type { Place } from './place.ts'
import { ProcessNames } from './process-names.ts'
import type { ProcessorArgument } from './processing.ts'
import { ForwardingProcessor, Processor } from './processor-stage.ts'
import { BroadwayProducerBehaviour } from './producer-stage.ts'
import { PipelineRateLimiter } from './rate-limiter.ts'
import { Terminator } from './terminator.ts'

/** What the supervisor of all batchers is called. */
const BATCHERS = 'BatchersSupervisor'

/** What a pipeline is made of. */
export interface Layout {
  /** Of the main supervisor. */
  readonly spec: ChildSpec<Supervisor>
  readonly supervisor: Name<Supervisor>
  readonly producers: readonly Name[]
  readonly terminator: Name<Terminator>
  readonly rateLimiter: Name<PipelineRateLimiter>
  /** `undefined` without rate limiting. */
  readonly allowance: Allowance | undefined
  readonly parts: Parts
  /** Without the producers and those above them. */
  readonly partsBehind: Parts
  readonly barrier: Barrier
  /** What comes behind the producers, in the order of its start: children of the main supervisor. */
  readonly behind: readonly ChildSpec[]
  readonly processors: Ends['processors']
  /** The stages that are the end. */
  readonly last: Ends['last']
  readonly count: ProcessorCount
  readonly ended: EndedProducers
}

/** How many processors there are now, for producers, which may outlive them. */
interface ProcessorCount {
  processors: number
}

/** The names of producers that have come to their end and do not come back, for processors that start after that. */
type EndedProducers = Set<string>

/** Who is in front of the end, and who is the end. */
interface Ends {
  readonly processors: readonly Name<ForwardingProcessor | Processor>[]
  readonly last: readonly Name<Processor | BatchProcessor>[]
}

/** What each part needs to know of the whole. */
interface Plan {
  readonly options: CheckedPipeline
  readonly names: ProcessNames
  readonly producers: readonly Name<Producer<Message>>[]
  readonly processors: readonly Name<ForwardingProcessor>[]
  readonly allowance: Allowance | undefined
  readonly count: ProcessorCount
  readonly ended: EndedProducers
}

/**
 * Works out the processes of a pipeline. `extra` are children of the user's, which start before all others. `running` is what runs now
 * in front of its processors, when only those and what is behind them are to be others.
 */
export function layOut(options: CheckedPipeline, extra: readonly ChildSpec[] = [], running?: Layout): Layout {
  const names = new ProcessNames(options)
  const { producer, processors, batchers } = options
  const plan: Plan = {
    options,
    names,
    producers: times(
      producer.concurrency,
      (index) => names.of(producer.type, `Producer_${index}`) as Name<Producer<Message>>,
    ),
    processors: times(processors.concurrency, (index) =>
      names.of(ForwardingProcessor, `Processor_${processors.key}_${index}`),
    ),
    allowance: running?.allowance ?? (producer.rateLimiting && new Allowance(producer.rateLimiting)),
    count: running?.count ?? { processors: processors.concurrency },
    ended: running?.ended ?? new Set(),
  }
  // In the order of their start, which is the order of the names.
  const front = [...extra, ...rateLimiterOf(plan), producersOf(plan)]
  const behind = [processorsOf(plan), ...(batchers.length > 0 ? [batchersOf(plan)] : []), terminatorOf(plan)]
  const children = [...front, ...behind]
  const { maxRestarts, maxSeconds } = options
  const tree = { strategy: 'rest_for_one', children, maxRestarts, maxSeconds } as const
  return {
    spec: supervisor(plan, 'Supervisor', tree),
    supervisor: names.of(Supervisor, 'Supervisor'),
    producers: plan.producers,
    terminator: names.of(Terminator, 'Terminator'),
    rateLimiter: names.of(PipelineRateLimiter, 'RateLimiter'),
    allowance: plan.allowance,
    parts: partsOf(plan),
    partsBehind: partsBehind(plan),
    barrier: barrierOf(plan),
    behind,
    ...endsOf(plan),
    count: plan.count,
    ended: plan.ended,
  }
}

function barrierOf(plan: Plan): Barrier {
  const { options, names, producers } = plan
  const { processors, last } = endsOf(plan)
  const batchers = options.batchers.map(({ key }) => names.of(Batcher, `Batcher_${key}`))
  return { producers, behind: batchers.length === 0 ? [processors] : [processors, batchers, last] }
}

/** All that were named until now. */
function partsOf({ options, names }: Plan): Parts {
  const is = (kind: Class, { type }: Name): boolean => type === kind || type.prototype instanceof kind
  return {
    pipeline: `${options.name}`,
    supervisors: names.known.filter((name) => is(Supervisor, name)),
    stages: names.known.filter((name) => is(Stage, name)),
    onAbandoned: options.onAbandoned,
  }
}

function partsBehind(plan: Plan): Parts {
  const parts = partsOf(plan)
  const { names, producers } = plan
  const above = ['Supervisor', 'ProducerSupervisor'].map((base) => names.of(Supervisor, base))
  const front = new Set([...above, ...producers].map(String))
  const behind = (name: Name): boolean => !front.has(`${name}`)
  return { ...parts, supervisors: parts.supervisors.filter(behind), stages: parts.stages.filter(behind) }
}

// ---- Producers

function rateLimiterOf({ names, producers, allowance, options }: Plan): readonly ChildSpec[] {
  if (allowance === undefined) return []
  const name = names.of(PipelineRateLimiter, 'RateLimiter')
  const arg = () => ({ allowance, producers })
  return [child(PipelineRateLimiter, { arg, name, id: 'RateLimiter', shutdown: options.shutdown })]
}

function producersOf(plan: Plan): ChildSpec {
  const { concurrency } = plan.options.producer
  const children = times(concurrency, (index) => producerOf(plan, index))
  const intensity = { maxRestarts: 2 * concurrency, maxSeconds: concurrency }
  return supervisor(plan, 'ProducerSupervisor', { strategy: 'one_for_one', children, ...intensity })
}

/** The user's class, with a behaviour of ours. */
function producerOf({ options, names, producers, allowance, count, ended }: Plan, index: number): ChildSpec {
  const { producer, processors, shutdown } = options
  const { type, arg, finite } = producer
  const base = `Producer_${index}`
  const start = planStart(type, { arg, name: names.of(type, base) })
  const { partitionBy } = processors
  const partitions = partitionBy && (() => byNumber(partitionBy, count.processors))
  const place = { name: `${options.name}`, index, options, partitions, allowance }
  const definition = {
    ...start.definition,
    makeBehaviour: (process: Process) => {
      if (finite) noteEnd(process, producers[index], ended)
      return new BroadwayProducerBehaviour(process, definition, place)
    },
  }
  return new ChildSpec({ ...start, definition }, { id: base, shutdown, restart: finite ? 'transient' : 'permanent' })
}

/** A producer of a source has not ended as long as it runs, or is started again. */
function noteEnd(process: Process, name: Name | undefined, ended: EndedProducers): void {
  ended.delete(`${name}`)
  process.onEnd((reason) => {
    if (isOrderly(reason)) ended.add(`${name}`)
  })
}

/** Messages go to the processor whose number a function says. */
function byNumber(partitionBy: PartitionBy, count: number): NumberedPartitions<Message> {
  return {
    partitions: count,
    hash: (message) => {
      try {
        return partitionOf(message, partitionBy, count)
      } catch (thrown) {
        // The producer is not to blame, and the others go on: a processor acknowledges it as failed.
        return { event: fail(message, failureOf(thrown)), partition: 0 }
      }
    },
  }
}

// ---- Processors

function processorsOf(plan: Plan): ChildSpec {
  const { concurrency } = plan.options.processors
  const children = times(concurrency, (index) => processorOf(plan, index))
  return supervisor(plan, 'ProcessorSupervisor', { strategy: 'one_for_all', children, maxRestarts: 0 })
}

function processorOf(plan: Plan, index: number): ChildSpec {
  const { options, names, producers, ended } = plan
  const { producer, processors, batchers, resubscribeInterval, shutdown } = options
  const { key, maxDemand, minDemand, partitionBy } = processors
  const base = `Processor_${key}_${index}`
  const partition = partitionBy === undefined ? undefined : index
  const argument: ProcessorArgument = {
    place: placeOf(options, key, index),
    upstream: { producers, ended, maxDemand, minDemand, partition, finite: producer.finite, resubscribeInterval },
    processors,
  }
  if (batchers.length === 0) {
    return child(Processor, { arg: () => argument, name: names.of(Processor, base), id: base, shutdown })
  }
  const keys = batchers.map((batcher) => batcher.key)
  const known = new Set(keys)
  const dispatcher = (): Dispatcher<Message> => byBatcher(keys)
  const arg = () => ({ ...argument, batchers: known, dispatcher })
  return child(ForwardingProcessor, { arg, name: names.of(ForwardingProcessor, base), id: base, shutdown })
}

function byBatcher(keys: readonly string[]): Dispatcher<Message> {
  if (keys.length === 1) return new DemandDispatcher({ shuffleDemandsOnFirstDispatch: true })
  return new PartitionDispatcher<Message, string>({ partitions: keys, hash: ({ batcher }) => batcher })
}

// ---- Batchers

function batchersOf(plan: Plan): ChildSpec {
  const { batchers } = plan.options
  const children = batchers.map((batcher) => batcherWithProcessors(plan, batcher))
  const intensity = { maxRestarts: 2 * batchers.length, maxSeconds: batchers.length }
  return supervisor(plan, BATCHERS, { strategy: 'one_for_one', children, ...intensity })
}

function batcherWithProcessors(plan: Plan, batcher: CheckedBatcher): ChildSpec {
  const { options, names, processors } = plan
  const { key, concurrency } = batcher
  const base = `Batcher_${key}`
  const partitioned = options.batchers.length > 1
  const name = names.of(Batcher, base)
  const place = placeOf(options, key, 0)
  const arg = () => ({ place, batcher, processors, partitioned, dispatcher: () => byPartition(batcher) })
  const stages = times(concurrency, (index) => batchProcessorOf(plan, batcher, index))
  const children = [
    child(Batcher, { arg, name, id: base, shutdown: options.shutdown }),
    supervisor(plan, `BatchProcessorSupervisor_${key}`, { strategy: 'one_for_all', children: stages, maxRestarts: 0 }),
  ]
  const intensity = { maxRestarts: 4, maxSeconds: 2 }
  return supervisor(plan, `BatcherSupervisor_${key}`, { strategy: 'rest_for_one', children, ...intensity })
}

function byPartition({ partitionBy, concurrency }: CheckedBatcher): Dispatcher<Batch> {
  if (partitionBy === undefined) return new DemandDispatcher()
  return new PartitionDispatcher<Batch, number>({
    partitions: concurrency,
    hash: ({ info }) => info.partition ?? 0,
  })
}

function batchProcessorOf({ options, names }: Plan, batcher: CheckedBatcher, index: number): ChildSpec {
  const { key, partitionBy } = batcher
  const base = `BatchProcessor_${key}_${index}`
  const place = placeOf(options, key, index)
  const partition = partitionBy === undefined ? undefined : index
  const arg = () => ({ place, batcher, from: names.of(Batcher, `Batcher_${key}`), partition })
  return child(BatchProcessor, { arg, name: names.of(BatchProcessor, base), id: base, shutdown: options.shutdown })
}

// ---- The end

function terminatorOf(plan: Plan): ChildSpec {
  const { options, names, producers } = plan
  const { drainTimeout } = options
  const parts = partsOf(plan)
  const restarter = options.batchers.length === 0 ? undefined : names.of(Supervisor, BATCHERS)
  const arg = () => ({ producers, ...endsOf(plan), restarter, drainTimeout, parts })
  const name = names.of(Terminator, 'Terminator')
  // It keeps its own time.
  return child(Terminator, { arg, name, id: 'Terminator', shutdown: Infinity })
}

function endsOf({ options, names, processors }: Plan): Ends {
  if (options.batchers.length === 0) {
    const { key, concurrency } = options.processors
    const consumers = times(concurrency, (index) => names.of(Processor, `Processor_${key}_${index}`))
    return { processors: consumers, last: consumers }
  }
  const last = options.batchers.flatMap(({ key, concurrency }) =>
    times(concurrency, (index) => names.of(BatchProcessor, `BatchProcessor_${key}_${index}`)),
  )
  return { processors, last }
}

// ---- Parts

function supervisor({ names }: Plan, base: string, arg: SupervisorOptions): ChildSpec<Supervisor> {
  return child(Supervisor, { arg, name: names.of(Supervisor, base), id: base })
}

function placeOf(options: CheckedPipeline, key: string, index: number): Place {
  const { name, context, handleFailed, deadLetter, producer } = options
  const { type: module, arg } = producer
  return { pipeline: `${name}`, key, index, context, handleFailed, deadLetter, producer: { module, arg } }
}

function times<T>(count: number, make: (index: number) => T): readonly T[] {
  return Array.from({ length: count }, (_, index) => make(index))
}
