/** The options of a ConsumerSupervisor, checked. */

import { badOption, checkIntensity, checkKeys, type DynamicOptions } from '../../otp/supervision/supervisor-options.ts'
import type { ConsumerOptions } from '../consumer.ts'
import { checkEventWork, type EventWork, type EventWorkOptions } from './event-work.ts'

interface CommonOptions<In> extends ConsumerOptions<In>, Pick<DynamicOptions, 'maxRestarts' | 'maxSeconds'> {
  /** Milliseconds that a child may take; then it is killed, which is an abnormal end. Default `Infinity`. */
  readonly timeout?: number | undefined
}

/** What to start for each event, where the events come from, and how often children may be restarted. */
export type ConsumerSupervisorOptions<In> = CommonOptions<In> & EventWorkOptions<In>

/** The options with their defaults. */
export interface CheckedConsumerSupervisorOptions {
  readonly work: EventWork
  readonly timeout: number
  readonly maxRestarts: number
  readonly maxSeconds: number
}

const KNOWN = ['subscribeTo', 'child', 'run', 'restart', 'shutdown', 'timeout', 'maxRestarts', 'maxSeconds']

/** @throws `StartError` `bad_options` or `bad_class`, which name the option, the value and what is allowed. */
export function checkConsumerSupervisorOptions(
  owner: string,
  options: ConsumerSupervisorOptions<unknown>,
): CheckedConsumerSupervisorOptions {
  checkKeys(owner, options, KNOWN)
  const { timeout = Infinity } = options
  if (!(typeof timeout === 'number' && timeout >= 0)) {
    throw badOption(owner, 'timeout', timeout, 'milliseconds >= 0 or Infinity')
  }
  return { work: checkEventWork(owner, options), timeout, ...checkIntensity(owner, options) }
}
