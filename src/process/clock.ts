/**
 * Time. Everything in Sluice that waits asks a clock, so that a simulation can turn it by hand. This file and the
 * scheduler are the only places that touch the timers of Node.
 */

/** A timer that was set; `cancel` is O(1) and says how many milliseconds were left, `undefined` when it had fired. */
export interface Timer {
  cancel(): number | undefined
  /** Milliseconds left, `undefined` when it fired or was cancelled. */
  remaining(): number | undefined
}

export interface Clock {
  /** Monotonic milliseconds. */
  now(): number
  /** Calls `fire` once after `ms` milliseconds. `holds`: keeps the program alive until then (default true). */
  setTimer(ms: number, fire: () => void, holds?: boolean): Timer
}

/** Node clamps longer timers to 1 ms, so they are set in steps. */
const LONGEST_TIMEOUT = 2_147_483_647

class SystemTimer implements Timer {
  #handle: NodeJS.Timeout | undefined
  readonly #at: number
  readonly #fire: () => void
  readonly #holds: boolean

  constructor(ms: number, fire: () => void, holds: boolean) {
    this.#at = performance.now() + ms
    this.#fire = fire
    this.#holds = holds
    this.#arm(ms)
  }

  #arm(ms: number): void {
    this.#handle = setTimeout(() => this.#elapsed(), Math.min(ms, LONGEST_TIMEOUT))
    if (!this.#holds) this.#handle.unref()
  }

  #elapsed(): void {
    const left = this.#at - performance.now()
    // Node may fire up to a millisecond early; only a step of a long timer is far from its end.
    if (left > 1) return this.#arm(left)
    this.#handle = undefined
    this.#fire()
  }

  remaining(): number | undefined {
    return this.#handle === undefined ? undefined : Math.max(0, this.#at - performance.now())
  }

  cancel(): number | undefined {
    const left = this.remaining()
    clearTimeout(this.#handle)
    this.#handle = undefined
    return left
  }
}

/** The clock of the machine. */
export const systemClock: Clock = {
  now: () => performance.now(),
  setTimer: (ms, fire, holds = true) => new SystemTimer(ms, fire, holds),
}

/** Keeps the program alive until the returned function is called. */
export function holdProgram(): () => void {
  const handle = setInterval(() => {}, LONGEST_TIMEOUT)
  return () => clearInterval(handle)
}
