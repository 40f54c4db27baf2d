/** The options of a supervisor, checked. */

import { StartError } from '../errors.ts'
import { unknownOption } from '../start.ts'
import { unknownKey } from '../unknown-option.ts'
import { ChildSpec } from './child-spec.ts'

/**
 * Who is restarted when a child ends: `one_for_one` only that child, `rest_for_one` it and those started after it,
 * `one_for_all` all.
 */
export type Strategy = 'one_for_one' | 'rest_for_one' | 'one_for_all'

/** Whether the orderly end of significant children stops the supervisor: of any, of all, or never. */
export type AutoShutdown = 'never' | 'any_significant' | 'all_significant'

export interface SupervisorOptions {
  readonly strategy: Strategy
  /** Started in this order, stopped in reverse. Default none. */
  readonly children?: readonly ChildSpec[] | undefined
  /** Restarts tolerated within `maxSeconds`; one more and the supervisor stops. Default 3. */
  readonly maxRestarts?: number | undefined
  /** Seconds, more than 0. Default 5. */
  readonly maxSeconds?: number | undefined
  /** Default `never`. */
  readonly autoShutdown?: AutoShutdown | undefined
}

/** The options of supervisors whose children come and go. */
export interface DynamicOptions {
  /** Children at the same time, those being restarted included; 0 refuses all. Default `Infinity`. */
  readonly maxChildren?: number | undefined
  /** Restarts tolerated within `maxSeconds`, of all children together; one more and the supervisor stops. Default 3. */
  readonly maxRestarts?: number | undefined
  /** Seconds, more than 0. Default 5. */
  readonly maxSeconds?: number | undefined
}

/** The options with their defaults. */
export type CheckedDynamicOptions = {
  readonly [K in keyof DynamicOptions]-?: Exclude<DynamicOptions[K], undefined>
}

/** The options with their defaults. */
export type CheckedSupervisorOptions = {
  readonly [K in keyof SupervisorOptions]-?: Exclude<SupervisorOptions[K], undefined>
}

const STRATEGIES: readonly unknown[] = ['one_for_one', 'rest_for_one', 'one_for_all']
const AUTO_SHUTDOWNS: readonly unknown[] = ['never', 'any_significant', 'all_significant']
const OPTIONS = ['strategy', 'children', 'maxRestarts', 'maxSeconds', 'autoShutdown']

/** @throws `StartError` `bad_options` or `bad_child`, which name the option, the value and what is allowed. */
export function checkSupervisorOptions(options: SupervisorOptions): CheckedSupervisorOptions {
  checkKeys('Supervisor', options, OPTIONS)
  const { strategy, children = [], autoShutdown = 'never' } = options
  if (!STRATEGIES.includes(strategy)) throw badOption('Supervisor', 'strategy', strategy, STRATEGIES.join(', '))
  const { maxRestarts, maxSeconds } = checkIntensity('Supervisor', options)
  if (!AUTO_SHUTDOWNS.includes(autoShutdown)) {
    throw badOption('Supervisor', 'autoShutdown', autoShutdown, AUTO_SHUTDOWNS.join(', '))
  }
  const ids = new Set<unknown>()
  for (const spec of children) {
    checkChild(spec, autoShutdown)
    if (ids.has(spec.id)) {
      throw new StartError(
        'bad_child',
        `two children have the id ${spec.label}: give each child of a class its own id, child(${spec.plan.type.name}, { id: '...' })`,
      )
    }
    ids.add(spec.id)
  }
  return { strategy, children, maxRestarts, maxSeconds, autoShutdown }
}

/** @throws `StartError` `bad_child` when the supervisor cannot use the specification. */
export function checkChild(spec: ChildSpec, autoShutdown: AutoShutdown): void {
  if (!(spec instanceof ChildSpec)) {
    throw new StartError('bad_child', `expected children made by child(Class, options), got ${String(spec)}`)
  }
  if (!spec.significant) return
  if (autoShutdown === 'never') {
    throw new StartError(
      'bad_child',
      `child ${spec.label} is significant, which needs autoShutdown 'any_significant' or 'all_significant'`,
    )
  }
  if (spec.restart === 'permanent') {
    throw new StartError(
      'bad_child',
      `child ${spec.label} is significant and permanent: it never ends for good; make it transient or temporary`,
    )
  }
}

/** @throws `StartError` `bad_options`; `more` are options of the kind of supervisor called `owner`. */
export function checkDynamicOptions(
  owner: string,
  options: DynamicOptions,
  more: readonly string[] = [],
): CheckedDynamicOptions {
  checkKeys(owner, options, ['maxChildren', 'maxRestarts', 'maxSeconds', ...more])
  const { maxChildren = Infinity } = options
  if (!(maxChildren === Infinity || (Number.isInteger(maxChildren) && maxChildren >= 0))) {
    throw badOption(owner, 'maxChildren', maxChildren, 'an integer >= 0 or Infinity')
  }
  return { maxChildren, ...checkIntensity(owner, options) }
}

/** @throws `StartError` `bad_options`. */
export function checkIntensity(
  owner: string,
  { maxRestarts = 3, maxSeconds = 5 }: Pick<SupervisorOptions, 'maxRestarts' | 'maxSeconds'>,
): { readonly maxRestarts: number; readonly maxSeconds: number } {
  if (!Number.isInteger(maxRestarts) || maxRestarts < 0) {
    throw badOption(owner, 'maxRestarts', maxRestarts, 'an integer >= 0')
  }
  if (!(maxSeconds > 0)) throw badOption(owner, 'maxSeconds', maxSeconds, 'seconds > 0')
  return { maxRestarts, maxSeconds }
}

/** @throws `StartError` `bad_options` when the options are no object or have a key that is not known. */
export function checkKeys(owner: string, options: object, known: readonly string[]): void {
  if (typeof options !== 'object' || options === null) throw badOption(owner, 'the options', options, 'an object')
  const unknown = unknownKey(options, known)
  if (unknown !== undefined) throw unknownOption(owner, unknown, known)
}

/** An option of a supervisor with a value it cannot use. */
export function badOption(owner: string, option: string, value: unknown, expected: string): StartError {
  return new StartError('bad_options', `${option} of ${owner}: expected ${expected}, got ${String(value)}`)
}
