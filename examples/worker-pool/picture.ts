/** Draws how it goes, a line every now and then: the queue, the workers, the client. */

import { CallError, GenServer, name, type QueueInfo } from 'sluice'
import { Jobs } from './jobs.ts'
import type { Pool } from './pool.ts'

export interface PictureOptions {
  /** A function, because an argument is copied. */
  readonly pool: () => Pool
  /** Milliseconds between two lines. */
  readonly every: number
  readonly draw: (line: string) => void
}

const COLUMNS = 20
const TICK = Symbol('tick')

export class Picture extends GenServer {
  readonly #options: PictureOptions

  constructor(options: PictureOptions) {
    super()
    this.#options = options
    this.sendAfter(TICK, options.every)
  }

  override async handleInfo(message: unknown) {
    if (message !== TICK) {
      super.handleInfo(message)
      return
    }
    const { pool, every, draw } = this.#options
    draw(line(pool(), await queueInfo()))
    this.sendAfter(TICK, every)
  }
}

/** Nothing when the queue has ended. */
async function queueInfo(): Promise<QueueInfo | undefined> {
  try {
    return await name(Jobs).call.queueInfo()
  } catch (error) {
    if (error instanceof CallError) return undefined
    throw error
  }
}

export const heading = (workers: number, capacity: number): string =>
  `   time  ${`queue of ${capacity}`.padEnd(COLUMNS + 5)}${'workers'.padEnd(workerColumns(workers))}done  the client`

function line(pool: Pool, queue: QueueInfo | undefined): string {
  const queued = queue?.queued ?? 0
  const filled = Math.ceil((queued / (queue?.capacity ?? 1)) * COLUMNS)
  const bar = '█'.repeat(Math.min(filled, COLUMNS)).padEnd(COLUMNS)
  const workers = pool.workers.map((job) => (job === undefined ? '·' : '▶')).join(' ')
  const waits = queue !== undefined && queue.waiting > 0 ? ' and waits for room' : ''
  return [
    `${(pool.elapsed / 1000).toFixed(1).padStart(5)} s  `,
    `${bar}${queued === 0 ? '' : queued.toString().padStart(3)}`.padEnd(COLUMNS + 5),
    workers.padEnd(workerColumns(pool.workers.length)),
    `${pool.done.toString().padStart(4)}  ${pool.client}${waits}`,
  ].join('')
}

function workerColumns(workers: number): number {
  return Math.max('workers'.length, 2 * workers) + 2
}
