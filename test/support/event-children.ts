/** Children of a ConsumerSupervisor in the hands of a test: each runs until the test lets it finish or fail. */

import {
  ConsumerSupervisor,
  type ConsumerSupervisorOptions,
  child,
  type EventRestart,
  GenServer,
  type Ref,
  start,
} from 'sluice'

/** What children can be: an instance of a class, what a template says, a task, a task that wants no context. */
export type Kind = 'class' | 'template' | 'task' | 'bare'

export const kinds: readonly Kind[] = ['class', 'template', 'task', 'bare']

export interface Running {
  finish(): void
  fail(error: Error): void
}

export class Children {
  /** The events whose children were started, in order; one that is started again comes again. */
  readonly started: string[] = []
  readonly #running = new Map<string, Running>()

  /** Without the order: processes start as the seed decides. */
  get sorted(): readonly string[] {
    return [...this.started].sort()
  }

  /** The events whose children run. */
  get running(): readonly string[] {
    return [...this.#running.keys()]
  }

  begin(event: string, running: Running): void {
    this.started.push(event)
    this.#running.set(event, running)
  }

  /** Ends children in order. */
  finish(...events: readonly string[]): void {
    for (const event of events) this.#take(event).finish()
  }

  fail(event: string, text = 'boom'): void {
    this.#take(event).fail(new Error(text))
  }

  #take(event: string): Running {
    const running = this.#running.get(event)
    if (running === undefined) throw new Error(`no child runs for ${event}`)
    this.#running.delete(event)
    return running
  }

  readonly #run = (event: string): Promise<void> =>
    new Promise((finish, fail) => {
      this.begin(event, { finish, fail })
    })

  /** What makes such children. */
  options(kind: Kind, restart: EventRestart = 'temporary'): ConsumerSupervisorOptions<string> {
    const children = this
    class Child extends GenServer {
      constructor(event: string) {
        super()
        children.begin(event, {
          finish: () => this.selfAs(Child).cast.leave(),
          fail: (error) => this.selfAs(Child).cast.crash(error),
        })
      }
      leave(): void {
        this.stop()
      }
      crash(error: Error): void {
        throw error
      }
    }
    switch (kind) {
      case 'class':
        return { child: Child, restart }
      case 'template':
        return { child: (event) => child(Child, { arg: event, restart }) }
      case 'task':
        return { run: (event, _context) => this.#run(event), restart }
      case 'bare':
        return { run: (event) => this.#run(event), restart }
    }
  }

  start(
    kind: Kind,
    options: Pick<ConsumerSupervisorOptions<string>, 'maxRestarts' | 'timeout'> & { restart?: EventRestart } = {},
  ): Promise<Ref<ConsumerSupervisor<string>>> {
    const { restart, ...rest } = options
    return start(ConsumerSupervisor<string>, { arg: { ...this.options(kind, restart), ...rest } })
  }
}

/** The children that run, or what stands in their place. */
export async function refs(
  supervisor: Ref<ConsumerSupervisor<string>>,
): Promise<readonly (Ref | string | undefined)[]> {
  return (await supervisor.call.whichChildren()).map(({ ref }) => ref)
}

/** The children, all of which must run. */
export async function alive(supervisor: Ref<ConsumerSupervisor<string>>): Promise<readonly Ref[]> {
  return (await refs(supervisor)).map((ref) => {
    if (typeof ref !== 'object') throw new Error(`expected children that run, got ${String(ref)}`)
    return ref
  })
}
