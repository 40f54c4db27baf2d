/** A place to write to. */

export interface Output {
  readonly isTTY?: boolean | undefined
  /** The size of a terminal, in characters. */
  readonly columns?: number | undefined
  readonly rows?: number | undefined
  write(text: string): unknown
}

/** Ends the program, quietly, when nobody reads what it writes any more: as in `npm start | head`. */
export function endWithReader(...outputs: readonly NodeJS.WritableStream[]) {
  for (const output of outputs) {
    output.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error
      process.exit()
    })
  }
}
