/** The process that allows a pipeline messages again, interval by interval. Source: `Broadway.Topology.RateLimiter`. */

import { GenServer } from '../../otp/gen-server.ts'
import type { Timer } from '../../process/clock.ts'
import type { Name } from '../../process/name.ts'
import { currentRuntime } from '../../process/runtime.ts'
import type { Allowance } from './allowance.ts'
import { intervalBegins } from './producer-stage.ts'

export interface RateLimiterArgument {
  readonly allowance: Allowance
  readonly producers: readonly Name[]
}

const INTERVAL_IS_OVER = Symbol('interval is over')

export class PipelineRateLimiter extends GenServer {
  readonly #allowance: Allowance
  readonly #producers: readonly Name[]
  #timer: Timer

  constructor(argument: () => RateLimiterArgument) {
    super()
    const { allowance, producers } = argument()
    this.#allowance = allowance
    this.#producers = producers
    allowance.left = allowance.settings.allowedMessages
    this.#timer = this.#armed()
  }

  /** Begins a new interval now. */
  beginInterval(): void {
    this.#timer.cancel()
    this.#timer = this.#armed()
    const allowance = this.#allowance
    allowance.left = allowance.settings.allowedMessages
    const runtime = currentRuntime()
    for (const name of this.#producers) {
      const producer = name.holder(runtime)
      if (producer !== undefined) intervalBegins(producer)
    }
  }

  override handleInfo(message: unknown): void {
    if (message === INTERVAL_IS_OVER) this.beginInterval()
    else super.handleInfo(message)
  }

  #armed(): Timer {
    return this.sendAfter(INTERVAL_IS_OVER, this.#allowance.settings.interval)
  }
}
