/** The nearest of several words to one that may be misspelt. */

/** The candidate with the fewest edits to a word. */
export function closest(
  word: string,
  candidates: readonly string[],
): { readonly name: string; readonly distance: number } {
  return candidates
    .map((name) => ({ name, distance: editDistance(word, name) }))
    .reduce((best, next) => (next.distance < best.distance ? next : best), { name: '', distance: Infinity })
}

function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, column) => column)
  for (let row = 1; row <= a.length; row++) {
    const current = [row]
    for (let column = 1; column <= b.length; column++) {
      const substitution = (previous[column - 1] ?? 0) + (a[row - 1] === b[column - 1] ? 0 : 1)
      current.push(Math.min(substitution, (previous[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1))
    }
    previous = current
  }
  return previous[b.length] ?? 0
}
