/** Another program as a transform: what it reads and writes, how it ended, and its end with the stage. */

import type { ChildProcess } from 'node:child_process'
import type { Writable } from 'node:stream'
import { StageError } from '../errors.ts'
import { type OpenSource, openSource } from './source.ts'

/** Characters of what a program says on its standard error that are kept for the report. */
const KEPT = 2000

export function isProgram(value: object): value is ChildProcess {
  return 'stdin' in value && 'stdout' in value && 'kill' in value
}

/**
 * @param failed Called when it cannot be started. That it failed is told at the end of its output.
 * @throws `StageError` `bad_options` when its input or output is no pipe.
 */
export function openProgram<Out>(
  program: ChildProcess,
  owner: string,
  failed: (error: unknown) => void,
): { readonly writable: Writable; readonly source: OpenSource<Out> } {
  const { stdin, stdout, stderr } = program
  if (stdin === null || stdout === null) {
    const text = `transform of ${owner}: expected a program whose input and output are pipes, spawn(..., { stdio: ['pipe', 'pipe', 'inherit'] })`
    throw new StageError('bad_options', text)
  }
  let said = ''
  // A pipe that nobody reads would stop the program when it is full.
  if (stderr?.readableFlowing === null) {
    stderr.setEncoding('utf8').on('data', (text) => {
      said = `${said}${text}`.slice(-KEPT)
    })
  }
  const exit = new Promise<void>((resolve, reject) => {
    program.on('error', reject)
    program.on('exit', (code, signal) => {
      if (code === 0) resolve()
      else reject(programFailed(program, code ?? signal, said))
    })
  })
  program.on('error', failed)
  // Who reads to the end gets it.
  exit.catch(() => {})
  const output = openSource<Out>(stdout, owner, failed)
  const reader = output.async
  if (reader === undefined || 'nextBatch' in reader)
    throw new StageError('bad_options', `transform of ${owner}: the program has no output`)
  const next = async (): Promise<IteratorResult<Out, unknown>> => {
    const result = await reader.next()
    if (result.done === true) await exit
    return result
  }
  const close = (): void => {
    output.close()
    program.kill()
  }
  return { writable: stdin, source: { async: { now: () => reader.now?.(), next }, close } }
}

function programFailed(program: ChildProcess, how: number | string | null, said: string): StageError {
  const text = `${program.spawnfile} ended with ${typeof how === 'number' ? `code ${how}` : how}`
  return new StageError('program_failed', said === '' ? text : `${text}: ${said.trim()}`)
}
