/** Runs an example as its readers do, on the built package. */

import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { NODE_FLAGS } from './node-flags.ts'

export interface Finished {
  /** `null` when it had to be killed, because it did not end. */
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Far more than a run needs, also on a machine with much else to do; one that still runs then hangs. */
const PATIENCE = 120_000
const root = fileURLToPath(new URL('../..', import.meta.url))

export interface Options {
  /** Called with all that was written so far. */
  readonly onOutput?: (stdout: string, program: ChildProcess) => void
  /** Variables of the environment, beside those that there are. */
  readonly env?: Readonly<Record<string, string>>
}

/** Runs `examples/<name>/main.ts`. */
export function runExample(name: string, args: readonly string[] = [], options: Options = {}): Promise<Finished> {
  return new Promise((resolve, reject) => {
    // Without the process of tsx in between: on a busy machine that one kills a program which is slow to take a signal.
    const env = { ...process.env, TSX_TSCONFIG_PATH: 'examples/tsconfig.json', ...options.env }
    const program = spawn(process.execPath, [...NODE_FLAGS, `examples/${name}/main.ts`, ...args], {
      cwd: root,
      env,
      timeout: PATIENCE,
      killSignal: 'SIGKILL',
    })
    let stdout = ''
    let stderr = ''
    program.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text
      options.onOutput?.(stdout, program)
    })
    program.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text
    })
    program.on('error', reject)
    program.on('close', (code) => resolve({ code, stdout, stderr }))
  })
}
