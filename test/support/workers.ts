/** Children for the tests of supervisors: they write into a journal when they start and stop, and end as they are told. */

import { CallError, type ChildId, child, type ExitReason, GenServer, type Ref, type Supervisor } from 'sluice'

export interface WorkerOptions {
  readonly id: string
  readonly journal?: (line: string) => void
  /** Runs in `init` at every start: may wait with `worker.sleep`, or refuse by throwing. */
  readonly init?: (worker: Worker) => void | Promise<void>
}

export class Worker extends GenServer {
  readonly #options: WorkerOptions

  constructor(options: WorkerOptions) {
    super()
    this.#options = options
  }

  override async init(): Promise<void> {
    await this.#options.init?.(this)
    this.#options.journal?.(`start ${this.#options.id}`)
  }

  crash(text = 'boom'): void {
    throw new Error(text)
  }

  leave(reason: ExitReason): void {
    this.stop(reason)
  }

  unlinkFrom(other: Ref): void {
    this.unlink(other)
  }

  override terminate(reason: ExitReason): void | Promise<void> {
    const detail = typeof reason === 'object' && !(reason instanceof Error) ? 'shutdown with detail' : reason
    this.#options.journal?.(`stop ${this.#options.id}: ${detail instanceof Error ? detail.message : detail}`)
  }
}

/** A worker whose `terminate` takes `ms` milliseconds of the runtime's clock, or for ever. */
export class SlowWorker extends Worker {
  readonly #ms: number
  readonly #written: (line: string) => void

  constructor(options: WorkerOptions & { readonly ms: number }) {
    super(options)
    this.#ms = options.ms
    this.#written = (line) => options.journal?.(`${line} ${options.id}`)
  }

  override async terminate(): Promise<void> {
    this.#written('stopping')
    await this.sleep(this.#ms)
    this.#written('stopped')
  }
}

/** A child with the id of its worker. */
export const worker = (
  id: string,
  journal?: (line: string) => void,
  options: {
    restart?: 'permanent' | 'transient' | 'temporary'
    significant?: boolean
    init?: WorkerOptions['init']
  } = {},
) => {
  const { init, ...rest } = options
  return child(Worker, { ...rest, id, arg: { id, ...(journal && { journal }), ...(init && { init }) } })
}

/** The worker behind a child; fails when it does not run. */
export async function running(supervisor: Ref<Supervisor>, id: ChildId): Promise<Ref<Worker>> {
  const { ref } = (await supervisor.call.whichChildren()).find((each) => each.id === id) ?? {}
  if (typeof ref !== 'object') throw new Error(`${String(id)} does not run: ${String(ref)}`)
  return ref as Ref<Worker>
}

/** `id: #number`, or what stands in its place, for each child. */
export async function shown(supervisor: Ref<Supervisor>): Promise<readonly string[]> {
  const children = await supervisor.call.whichChildren()
  return children.map(
    ({ id, ref }) => `${typeof id === 'string' ? id : id.name}: ${typeof ref === 'object' ? 'runs' : ref}`,
  )
}

/** Process numbers of the children, which are new after a restart. */
export async function numbers(supervisor: Ref<Supervisor>): Promise<readonly (number | string | undefined)[]> {
  return (await supervisor.call.whichChildren()).map(({ ref }) => (typeof ref === 'object' ? ref.id : ref))
}

/** What a call that the supervisor refuses is rejected with: the cause of its `CallError` `failed`. */
export async function refusal(call: Promise<unknown>): Promise<unknown> {
  const error = await call.then(
    (value) => new Error(`it was not refused, the reply is ${String(value)}`),
    (rejected: unknown) => rejected,
  )
  if (error instanceof CallError && error.code === 'failed') return error.cause
  throw error
}
