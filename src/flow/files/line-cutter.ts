/**
 * Cuts text into lines. It works on bytes, in which a line break is never part of another character, so that each line is a string
 * of its own: one that was cut out of a longer text would keep all of that text in memory for as long as it is kept itself.
 */
export class LineCutter {
  readonly #longest: number
  readonly #keepReturns: boolean
  /** The beginning of a line whose end has not come yet. */
  #held: Buffer[] = []
  #length = 0
  /** A line was longer than allowed: the one behind those that were cut. */
  tooLong = false

  /** @param keepReturns Leaves the `\r` of a `\r\n` at the end of its line. */
  constructor(longest: number, keepReturns: boolean) {
    this.#longest = longest
    this.#keepReturns = keepReturns
  }

  /** The lines that end in a piece of text, which may be overwritten afterwards. */
  push(piece: Buffer): string[] {
    const lines: string[] = []
    let from = 0
    for (let to = piece.indexOf(LF); to >= 0; to = piece.indexOf(LF, from)) {
      if (this.#length + to - from > this.#longest) return this.#stop(lines)
      if (this.#length > 0) {
        this.#held.push(piece.subarray(from, to))
        lines.push(this.#joined())
      } else {
        lines.push(piece.toString('utf8', from, this.#end(piece, from, to)))
      }
      from = to + 1
    }
    if (from < piece.length) {
      this.#length += piece.length - from
      if (this.#length > this.#longest) return this.#stop(lines)
      this.#held.push(Buffer.from(piece.subarray(from)))
    }
    return lines
  }

  /** What is left behind the last line break, if anything. */
  end(): string | undefined {
    return this.#length > 0 ? this.#joined() : undefined
  }

  #joined(): string {
    const line = Buffer.concat(this.#held)
    this.#held = []
    this.#length = 0
    return line.toString('utf8', 0, this.#end(line, 0, line.length))
  }

  #end(bytes: Buffer, from: number, to: number): number {
    return !this.#keepReturns && to > from && bytes[to - 1] === CR ? to - 1 : to
  }

  #stop(lines: string[]): string[] {
    this.tooLong = true
    return lines
  }
}

const LF = 10
const CR = 13
