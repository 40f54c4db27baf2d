/** Tells how the run goes, every now and then. */

import { CallError, estimateBufferedCount, GenServer, name, whereis } from 'sluice'
import { whole } from '../table.ts'
import { Chaos } from './chaos.ts'
import { Filter } from './filter.ts'
import { Reader } from './reader.ts'
import { Tally } from './tally.ts'

export interface ProgressOptions {
  /** Milliseconds between two lines. */
  readonly every: number
  readonly show: (line: string) => void
  /** The run is over. */
  readonly clear: () => void
}

const TICK = Symbol('tick')

export class Progress extends GenServer {
  readonly #options: ProgressOptions
  readonly #started = performance.now()

  constructor(options: ProgressOptions) {
    super()
    this.#options = options
    this.sendAfter(TICK, options.every)
  }

  override async handleInfo(message: unknown) {
    if (message !== TICK) {
      super.handleInfo(message)
      return
    }
    const line = await this.#line()
    if (line !== undefined) this.#options.show(line)
    this.sendAfter(TICK, this.#options.every)
  }

  override terminate() {
    this.#options.clear()
  }

  /** Nothing while somebody who would have to be asked is being restarted. */
  async #line() {
    const filter = whereis(Filter)
    if (filter === undefined) return undefined
    try {
      const [{ rows }, { demand, unconfirmed }, buffered, kills] = await Promise.all([
        name(Tally).call.totals(),
        name(Reader).call.state(),
        estimateBufferedCount(filter),
        whereis(Chaos)?.call.kills(),
      ])
      const perSecond = rows / ((performance.now() - this.#started) / 1000)
      const batches = `batches: ${demand} asked for, ${buffered} buffered, ${unconfirmed} on their way`
      const killed = kills === undefined ? '' : ` · ${kills} counters killed`
      return `${whole(rows)} rows · ${whole(perSecond)} rows/s · ${batches}${killed}`
    } catch (error) {
      if (error instanceof CallError) return undefined
      throw error
    }
  }
}
