/** What a supervisor starts for an event: an instance of a class, what a function specifies, or a function as a task. */

import { StartError } from '../../otp/errors.ts'
import type { GenServer } from '../../otp/gen-server.ts'
import { launchChild, planStart } from '../../otp/start.ts'
import { ChildSpec, isShutdown, type Restart, type Shutdown } from '../../otp/supervision/child-spec.ts'
import type { ChildTerms } from '../../otp/supervision/supervised-child.ts'
import { badOption, checkChild } from '../../otp/supervision/supervisor-options.ts'
import { labelOf, spawnTask } from '../../otp/task/spawn-task.ts'
import { tasks } from '../../otp/task/task.ts'
import type { TaskContext } from '../../otp/task/task-context.ts'
import type { Class } from '../../process/name.ts'
import type { Process } from '../../process/process.ts'
import { lineage } from '../../process/stubs.ts'
import { EventChild } from './event-child.ts'
import type { BareTask } from './event-tasks.ts'
import type { Intake } from './intake.ts'

/** When the child of an event is started again: never, or after an abnormal end. For ever makes no sense. */
export type EventRestart = Exclude<Restart, 'permanent'>

/** A task for each event. One that does not declare the parameter `context` (its `length` is less than 2) runs without a process. */
export type EventFunction<In> = (event: In, context: TaskContext) => unknown

/** A class whose argument is the event. */
export type EventClass<In> = new (event: In) => GenServer

/** Says what to start for an event. */
export type EventTemplate<In> = (event: In) => ChildSpec<unknown, EventRestart>

/** What the children have in common when it is not each child's own specification that says so. */
export interface EventChildOptions {
  /** `transient` starts the child of the same event again after an abnormal end. Default `temporary`: never. */
  readonly restart?: EventRestart | undefined
  /** Milliseconds a child has to stop. Default 5000, `Infinity` for supervisors. */
  readonly shutdown?: Shutdown | undefined
}

/** One of `child` and `run`. */
export type EventWorkOptions<In> =
  | (EventChildOptions & {
      /** A task for each event: `async (event, { signal }) => { ... }`. */
      readonly run: EventFunction<In>
      readonly child?: undefined
    })
  | (EventChildOptions & {
      /** A process for each event: a class whose argument is the event ... */
      readonly child: EventClass<In>
      readonly run?: undefined
    })
  | {
      /** ... or what to start, such as `(event) => child(Page, { arg: { event, depth: 1 }, restart: 'transient' })`. */
      readonly child: EventTemplate<In>
      readonly run?: undefined
      readonly restart?: undefined
      readonly shutdown?: undefined
    }

/** How children are made and started. */
export interface EventWork {
  /** The task, when it wants no context. */
  readonly bare: BareTask | undefined
  /** Throws what the user's function throws, or `StartError` `bad_child` or `bad_options` for what it returns. */
  childFor(event: unknown, intake: Intake | undefined): EventChild
  /** Starts a child, linked to the supervisor; throws `StartError`. */
  start(child: EventChild, supervisor: Process, restarts: number): Process | Promise<Process>
}

/** @throws `StartError` `bad_options` or `bad_class`. */
export function checkEventWork(owner: string, options: EventWorkOptions<unknown>): EventWork {
  const { run, child, restart, shutdown } = options
  if ((run === undefined) === (child === undefined)) {
    const got = run === undefined ? 'neither' : 'both'
    throw refused(`${owner} needs either run, a function of the event, or child, what to start for it; got ${got}`)
  }
  if (restart !== undefined) checkRestart(owner, restart)
  if (shutdown !== undefined && !isShutdown(shutdown)) {
    throw badOption(owner, 'shutdown', shutdown, "milliseconds >= 0, Infinity or 'brutal_kill'")
  }
  if (run !== undefined) return taskWork(owner, run, { restart, shutdown })
  if (isClass(child)) return classWork(child, { restart, shutdown })
  if (typeof child !== 'function') {
    throw badOption(owner, 'child', child, 'a class whose argument is the event, or (event) => child(Class, { ... })')
  }
  if (restart === undefined && shutdown === undefined) return templateWork(owner, child)
  const option = restart === undefined ? 'shutdown' : 'restart'
  throw refused(`${option} of ${owner}: what child returns says it, child: (event) => child(Class, { ${option} })`)
}

function taskWork(
  owner: string,
  run: EventFunction<unknown>,
  { restart = 'temporary', shutdown = 5000 }: EventChildOptions,
): EventWork {
  if (typeof run !== 'function') throw badOption(owner, 'run', run, 'a function of the event')
  const label = labelOf(run)
  const terms: ChildTerms = { label, restart, shutdown, type: 'worker' }
  return {
    bare: run.length < 2 ? { label, run: run as BareTask['run'] } : undefined,
    childFor: (event, intake) => new EventChild(terms, undefined, event, intake),
    start({ event }, supervisor, restarts) {
      const process = spawnTask(
        {
          owner: supervisor,
          parent: supervisor,
          label,
          run: (context) => run(event, context),
        },
        tasks,
      )
      process.restarts = restarts
      supervisor.link(process)
      return process
    },
  }
}

function classWork(type: Class, { restart = 'temporary', shutdown }: EventChildOptions): EventWork {
  const spec = new ChildSpec(planStart(type), { restart, shutdown })
  return {
    bare: undefined,
    childFor: (event, intake) => new EventChild(spec, { ...spec.plan, arg: event }, event, intake),
    start: startPlanned,
  }
}

function templateWork(owner: string, template: EventTemplate<unknown>): EventWork {
  return {
    bare: undefined,
    childFor(event, intake) {
      const spec: ChildSpec = template(event)
      checkChild(spec, 'never')
      checkRestart(owner, spec.restart)
      return new EventChild(spec, spec.plan, event, intake)
    },
    start: startPlanned,
  }
}

function startPlanned({ plan, label }: EventChild, supervisor: Process, restarts: number): Process | Promise<Process> {
  if (plan === undefined) throw refused(`there is nothing to start for ${label}`)
  return launchChild(plan, supervisor, restarts)
}

function checkRestart(owner: string, restart: unknown): void {
  if (restart === 'transient' || restart === 'temporary') return
  const why =
    restart === 'permanent' ? '; a permanent child would be started again when its event is done, for ever' : ''
  throw badOption(owner, 'restart', restart, `transient or temporary${why}`)
}

/** Any class: one that is none of ours is refused as such, and not called as a function. */
function isClass(child: EventClass<unknown> | EventTemplate<unknown> | undefined): child is EventClass<unknown> {
  if (typeof child !== 'function') return false
  return lineage(child as Class).base !== undefined || /^class\b/.test(Function.prototype.toString.call(child))
}

function refused(text: string): StartError {
  return new StartError('bad_options', text)
}
