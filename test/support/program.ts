/** Runs a program of its own in a child process, with the sources as `sluice`, until it ends by itself. */

import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { NODE_FLAGS } from './node-flags.ts'

export interface Ended {
  /** `null` when it had to be killed, because it did not end. */
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Far more than any of the programs needs; one that still runs then hangs. */
const PATIENCE = 120_000

/** Runs a program of `test/support/programs`. */
export function runProgram(name: string, ...args: readonly string[]): Promise<Ended> {
  const path = fileURLToPath(new URL(`./programs/${name}.ts`, import.meta.url))
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [...NODE_FLAGS, path, ...args],
      { timeout: PATIENCE, killSignal: 'SIGKILL' },
      (error, stdout, stderr) => {
        const code = error === null ? 0 : typeof error.code === 'number' ? error.code : null
        resolve({ code, stdout, stderr })
      },
    )
  })
}
