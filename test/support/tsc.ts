/** Runs the real compiler, as a user would, and reads its errors. TypeScript 7 has no JS API to ask instead. */
import { execFile } from 'node:child_process'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

export interface CompilerError {
  /** Relative to the working directory. */
  readonly file: string
  readonly line: number
  /** The whole message, with its indented continuation lines. */
  readonly text: string
}

const typescript = dirname(createRequire(import.meta.url).resolve('typescript/package.json'))

/** The errors that `tsc -p project` prints. */
export function compile(project: string): Promise<readonly CompilerError[]> {
  return new Promise((resolve, reject) => {
    const args = [join(typescript, 'bin', 'tsc'), '-p', project, '--noEmit', '--pretty', 'false']
    execFile(process.execPath, args, { maxBuffer: 1 << 26 }, (failure, output) => {
      const errors = parse(output)
      // An unhappy compiler that names no place has not checked anything: a bad tsconfig, no input, a crash.
      if (failure && errors.length === 0) reject(new Error(`tsc -p ${project} failed: ${output || failure.message}`))
      else resolve(errors)
    })
  })
}

function parse(output: string): readonly CompilerError[] {
  // An error begins at the margin, and its details are indented.
  return output.split(/\n(?=\S)/).flatMap((chunk) => {
    const [, file, line, text] = /^(.+?)\((\d+),\d+\): error (TS\d+: .*)$/s.exec(chunk.trimEnd()) ?? []
    return file && line && text ? [{ file, line: Number(line), text }] : []
  })
}
