/** Numbers in [0, 1) that a seed reproduces. Source: mulberry32. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

let next = process.env['SLUICE_SEED'] === undefined ? Number.NaN : Number(process.env['SLUICE_SEED'])

/**
 * The seed of what was given none: any, or when the environment variable `SLUICE_SEED` holds an integer, that one and the
 * ones after it, so that a whole run of tests can be repeated.
 */
export function defaultSeed(): number {
  return Number.isSafeInteger(next) ? next++ : Math.floor(Math.random() * 2 ** 31)
}
