/** What is known of every job: the only process that remembers. */

import { Down, type ExitReason, GenServer, isOrderly, type Monitor, type Ref } from 'sluice'
import type { JobRecord, Order } from './order.ts'

export interface BoardOptions {
  /** In the order in which they are to be started; each has an id of its own. */
  readonly orders: readonly Order[]
  /** Told of everything that happens to a job. */
  readonly tell?: Tell | undefined
  /** Told how all jobs stand when the board ends. */
  readonly finish?: ((jobs: readonly JobRecord[]) => void) | undefined
}

export type Tell = (id: string, event: Event, remark: string) => void

export type Event = 'started' | 'refused' | 'errored' | 'crashed' | 'gave up' | 'failed' | 'done' | 'dropped'

const STOPPED = 'was stopped before it was done'

type Entry = { -readonly [K in keyof JobRecord]: JobRecord[K] }

/**
 * Jobs say how they go, as long as they can. Who has died the board sees for itself: it watches each job and its supervisor.
 * It does no work that could fail, so what it knows outlives whatever happens to jobs.
 */
export class Board extends GenServer {
  readonly #jobs = new Map<string, Entry>()
  readonly #watched = new Map<Monitor, (reason: ExitReason) => void>()
  readonly #tell: Tell
  readonly #finish: BoardOptions['finish']

  constructor({ orders, tell = () => {}, finish }: BoardOptions) {
    super()
    for (const order of orders) {
      if (this.#jobs.has(order.id)) throw new Error(`two orders have the id ${order.id}, expected one each`)
      this.#entry(order)
    }
    this.#tell = tell
    this.#finish = finish
  }

  // ---- Questions

  jobs(): readonly JobRecord[] {
    return [...this.#jobs.values()].map((entry) => ({ ...entry }))
  }

  /** Those that are still to be started. */
  waiting(): readonly Order[] {
    return this.jobs().filter(({ status }) => status === 'waiting')
  }

  // ---- What is said of a job that starts

  /** It was not started; `forNow` when it may be later. */
  refused(id: string, why: string, forNow: boolean) {
    const entry = this.#jobs.get(id)
    // It is tried again and again, and told once.
    if (entry === undefined || entry.remark === why) return
    entry.remark = why
    if (!forNow) entry.status = 'refused'
    this.#tell(id, 'refused', why)
  }

  started(order: Order, supervisor: Ref) {
    const entry = this.#entry(order)
    // The job itself may have been quicker.
    if (entry.status === 'waiting') Object.assign(entry, { status: 'running', remark: '' })
    this.#tell(order.id, 'started', order.subject)
    this.#watch(supervisor, (reason) => {
      if (entry.status !== 'crashed') return
      // One that gives up does so in order; otherwise it would have started the job again.
      if (isOrderly(reason)) this.#tell(order.id, 'gave up', `after ${entry.crashes} crashes`)
      else this.#drop(entry, entry.remark)
    })
  }

  // ---- What a job says

  /** An attempt begins; the first of each process of the job is how the board learns of it. */
  attempt(order: Order, job: Ref, first: boolean) {
    const entry = this.#entry(order)
    Object.assign(entry, { status: 'running', attempts: entry.attempts + 1, progress: 0, remark: '' })
    if (first) this.#watch(job, (reason) => this.#jobEnded(entry, reason))
  }

  progress(id: string, share: number) {
    const entry = this.#jobs.get(id)
    if (entry !== undefined) entry.progress = share
  }

  /** The attempt is over. */
  ended(id: string, status: 'errored' | 'failed' | 'done', remark: string) {
    const entry = this.#jobs.get(id)
    if (entry === undefined) return
    Object.assign(entry, { status, remark, progress: status === 'done' ? 1 : entry.progress })
    this.#tell(id, status, remark)
  }

  // ---- What the board sees

  override handleInfo(message: unknown) {
    const seen = message instanceof Down ? this.#watched.get(message.monitor) : undefined
    if (!(message instanceof Down) || seen === undefined) return super.handleInfo(message)
    this.#watched.delete(message.monitor)
    return seen(message.reason)
  }

  override terminate() {
    for (const entry of this.#jobs.values()) {
      if (entry.status === 'waiting') this.#drop(entry, 'not started')
      if (entry.status === 'running' || entry.status === 'errored') this.#drop(entry, STOPPED)
    }
    this.#finish?.(this.jobs())
  }

  #jobEnded(entry: Entry, reason: ExitReason) {
    if (entry.status === 'done' || entry.status === 'failed') return
    if (reason === 'killed' || isOrderly(reason)) return this.#drop(entry, STOPPED)
    const remark = reason instanceof Error ? `${reason.name}: ${reason.message}` : String(reason)
    Object.assign(entry, { status: 'crashed', crashes: entry.crashes + 1, remark })
    return this.#tell(entry.id, 'crashed', remark)
  }

  #drop(entry: Entry, remark: string) {
    Object.assign(entry, { status: 'dropped', remark })
    this.#tell(entry.id, 'dropped', remark)
  }

  #watch(process: Ref, ended: (reason: ExitReason) => void) {
    this.#watched.set(this.monitor(process), ended)
  }

  #entry({ id, type, subject }: Order): Entry {
    let entry = this.#jobs.get(id)
    if (entry === undefined) {
      entry = { id, type, subject, status: 'waiting', attempts: 0, crashes: 0, progress: 0, remark: '' }
      this.#jobs.set(id, entry)
    }
    return entry
  }
}
