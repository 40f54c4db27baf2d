/** What users write where a subscription is wanted, and the producer that it stands for. */

import { asName, type Class, isName, type Name } from '../process/name.ts'
import type { Process } from '../process/process.ts'
import { ProcessRef, processOf, type Ref } from '../process/ref.ts'
import { distantKind } from './distant-stages.ts'
import { StageError } from './errors.ts'
import { StageBehaviour } from './stage-behaviour.ts'
import type { ProducerTarget, SubscribeTo, SubscriptionOptions } from './subscription-options.ts'

/** A subscription as users write it: a target, or a target with options. */
export type Subscribing<In> = SubscribeTo<In> | ProducerTarget<In>

/** The target and the options of what users write. */
export function subscribing<In>(given: Subscribing<In>): {
  readonly to: ProducerTarget<In>
  readonly options: SubscriptionOptions<In>
} {
  if ((typeof given !== 'object' && typeof given !== 'function') || given === null) {
    throw new StageError('bad_options', `expected { to: producer } or a producer to subscribe to, got ${String(given)}`)
  }
  if (isName(given) || given instanceof ProcessRef) return { to: given, options: {} }
  if (!('to' in given)) {
    const text = `expected { to: producer } or a producer to subscribe to, got { ${Object.keys(given).join(', ')} } without to`
    throw new StageError('bad_options', text)
  }
  const { to, ...options } = given
  return { to, options }
}

/**
 * The process of a producer that is to be subscribed to with these options.
 *
 * @throws `StageError` `noproc` when nobody bears the name, `not_a_producer` when the process emits nothing, `bad_options`
 * when the options do not fit the producer's dispatcher.
 */
export function producerBehind(
  subscriber: Process,
  target: Class | Name | Ref,
  options: SubscriptionOptions<never>,
): Process {
  const process = processAt(subscriber, target)
  const { behaviour } = process
  const elsewhere = distantKind(process)
  // Whether its dispatcher takes the options it says itself.
  if (elsewhere !== undefined && elsewhere !== 'consumer') return process
  if (!(behaviour instanceof StageBehaviour) || behaviour.outlet === undefined) {
    const text = `${subscriber} cannot subscribe to ${process}: it is no Producer or ProducerConsumer, it emits no events`
    throw new StageError('not_a_producer', text)
  }
  const problem = behaviour.outlet.problem(options)
  if (problem === undefined) return process
  throw new StageError('bad_options', `${subscriber} cannot subscribe to ${process}: ${problem}`)
}

/** The process that is to be subscribed to. @throws `StageError` `noproc` when nobody bears the name. */
export function processAt(subscriber: Process, target: Class | Name | Ref): Process {
  if (!isName(target)) return processOf(target)
  const name = asName(target)
  const process = name.holder(subscriber.runtime)
  if (process !== undefined) return process
  const text = `${subscriber} cannot subscribe to ${name}: no process bears that name; start it before, with { name: ${name} }`
  throw new StageError('noproc', text)
}
