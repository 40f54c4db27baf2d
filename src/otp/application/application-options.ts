/** The options of `run`, checked. */

import type { Logger } from '../../process/logger.ts'
import type { Class, Name } from '../../process/name.ts'
import { SIGNALS, type Signal } from '../../process/program.ts'
import { StartError } from '../errors.ts'
import type { Supervisor } from '../supervision/supervisor.ts'
import { badOption, checkKeys, type SupervisorOptions } from '../supervision/supervisor-options.ts'

export type SignalExitCode = 'signal' | 'zero_when_drained'

export interface RunOptions extends Omit<SupervisorOptions, 'strategy' | 'children'> {
  /** Who is restarted when a child ends. Default `one_for_one`. */
  readonly strategy?: SupervisorOptions['strategy'] | undefined
  /** The name of the root supervisor. */
  readonly name?: Class<Supervisor> | Name<Supervisor> | undefined
  /**
   * Milliseconds for stopping the whole application; what is left then is killed and reported. Each child's own `shutdown`
   * stays. Default 9000, which leaves time to report: docker kills a program after 10 seconds, Kubernetes after 30.
   */
  readonly shutdown?: number | undefined
  /**
   * What is in hand and in mailboxes is finished first: by servers in reverse order of their start, by stages from the
   * producers on. Default true.
   */
  readonly drain?: boolean | undefined
  /** The signals that stop the application. Default `SIGINT` and `SIGTERM`; none: `[]`. */
  readonly signals?: readonly Signal[] | undefined
  /**
   * What the program ends with after a signal. `signal`: 128 and its number (130, 143), as shells expect. `zero_when_drained`: 0
   * when nothing was dropped, as who runs services expects of one that stopped in order, and only otherwise that number.
   * Default `signal`.
   */
  readonly exitCode?: SignalExitCode | undefined
  /** Stops the application when it fires. */
  readonly signal?: AbortSignal | undefined
  /** Where reports go, as with `configure({ logger })`. */
  readonly logger?: Logger | undefined
}

/** The options with their defaults. */
export interface CheckedRunOptions {
  readonly supervisor: SupervisorOptions
  readonly name: RunOptions['name']
  readonly shutdown: number
  readonly drain: boolean
  readonly signals: readonly Signal[]
  readonly exitCode: SignalExitCode
  readonly signal: AbortSignal | undefined
}

const SUPERVISOR_OPTIONS = ['strategy', 'maxRestarts', 'maxSeconds', 'autoShutdown']
const OPTIONS = [...SUPERVISOR_OPTIONS, 'name', 'shutdown', 'drain', 'signals', 'exitCode', 'signal', 'logger']
const EXIT_CODES: readonly SignalExitCode[] = ['signal', 'zero_when_drained']

/** @throws `StartError` `bad_options` or `bad_child`, which name the option, the value and what is allowed. */
export function checkRunOptions(children: SupervisorOptions['children'], options: RunOptions): CheckedRunOptions {
  if (!Array.isArray(children)) {
    const text = `run: expected the children as an array, run([child(Worker)], options), got ${String(children)}`
    throw new StartError('bad_child', text)
  }
  checkKeys('run', options, OPTIONS)
  const { name, shutdown = 9000, drain = true, signals = ['SIGINT', 'SIGTERM'], ...others } = options
  const { exitCode = 'signal', signal, logger: _, ...rest } = others
  if (!(typeof shutdown === 'number' && shutdown >= 0)) throw bad('shutdown', shutdown, 'milliseconds >= 0')
  if (typeof drain !== 'boolean') throw bad('drain', drain, 'true or false')
  if (!Array.isArray(signals)) throw bad('signals', signals, 'an array of signals')
  for (const each of signals) if (!SIGNALS.includes(each)) throw bad('signals', each, SIGNALS.join(', '))
  if (!EXIT_CODES.includes(exitCode)) throw bad('exitCode', exitCode, EXIT_CODES.join(' or '))
  if (signal !== undefined && !(signal instanceof AbortSignal)) throw bad('signal', signal, 'an AbortSignal')
  const supervisor = { ...rest, strategy: rest.strategy ?? 'one_for_one', children }
  return { supervisor, name, shutdown, drain, signals, exitCode, signal }
}

function bad(option: string, value: unknown, expected: string): StartError {
  return badOption('run', option, value, expected)
}
