/** Where the pictures go. */

import type { Output } from '../command-line/output.ts'

/** Milliseconds between two drawings. */
const EVERY = 50

/**
 * Draws again and again on a terminal that is large enough, anywhere else once: when the function is called that it returns.
 */
export function drawOn(out: Output, draw: () => readonly string[]): () => void {
  const { isTTY = false, columns = 80, rows = 24 } = out
  let drawn = 0
  const paint = () => {
    // A line that the terminal breaks would be two to go back over.
    const lines = isTTY ? draw().map((line) => line.slice(0, columns - 1)) : draw()
    const back = drawn === 0 ? '' : `\x1b[${drawn}A\x1b[J`
    out.write(`${back}${lines.join('\n')}\n`)
    drawn = lines.length
  }
  if (!isTTY || draw().length >= rows) return paint
  const timer = setInterval(paint, EVERY)
  return () => {
    clearInterval(timer)
    paint()
  }
}
