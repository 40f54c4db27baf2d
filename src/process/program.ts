/** What a runtime needs of the program it runs in: the signals that ask it to end, and its end. A simulation has its own. */

import { constants } from 'node:os'
import { systemClock } from './clock.ts'

/** A signal by which the outside asks a program to end. */
export type Signal = 'SIGINT' | 'SIGTERM' | 'SIGHUP' | 'SIGQUIT' | 'SIGBREAK' | 'SIGUSR2'

export interface Program {
  /** Calls back at each signal, instead of what it does by default, until the returned function is called. */
  onSignal(signal: Signal, listener: () => void): () => void
  /** Ends the program at once. */
  exit(code: number): void
  /**
   * Lets the program end by itself, with this code. What still keeps it alive after `ms` milliseconds is told to `late`, and
   * the program is ended.
   */
  end(code: number, ms: number, late: (kept: readonly string[]) => void): void
}

export const SIGNALS: readonly Signal[] = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGBREAK', 'SIGUSR2']

/** The code that shells expect of a program that a signal has ended. */
export function exitCodeOf(signal: Signal): number {
  // SIGBREAK exists on Windows only.
  return 128 + (signal === 'SIGBREAK' ? 21 : constants.signals[signal])
}

/** This program. */
export const systemProgram: Program = {
  onSignal(signal, listener) {
    process.on(signal, listener)
    return () => process.off(signal, listener)
  },
  exit(code) {
    process.exit(code)
  },
  end(code, ms, late) {
    process.exitCode = code
    const end = (): void => {
      late([...new Set(process.getActiveResourcesInfo())])
      // The program may have chosen another code meanwhile.
      process.exit()
    }
    // It does not keep the program alive itself, so it fires only if something else does.
    systemClock.setTimer(ms, end, false)
  },
}
