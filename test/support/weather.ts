/**
 * The weather of a busy machine, for all tests and programs that are run with WEATHER=1: the time of a turn is over after any
 * message, timers are late, and every now and then everything stands still. What fails then has counted on its luck.
 */

const { setTimeout } = globalThis
const now = performance.now.bind(performance)

/** Milliseconds by which the clock may be ahead: more than a turn may take. */
const AHEAD = 3
/** Milliseconds by which a timer may be late. */
const LATE = 10
/** Node takes no longer ones. */
const LONGEST = 2_147_483_647
/** Milliseconds between two halts, and of the longest. */
const EVERY = 50
const HALT = 30

let told = 0
performance.now = () => {
  told = Math.max(told, now() + Math.random() ** 2 * AHEAD)
  return told
}

globalThis.setTimeout = Object.assign(
  (callback: (...args: unknown[]) => void, ms = 0, ...args: unknown[]) =>
    setTimeout(callback, Math.min(ms + Math.random() * LATE, LONGEST), ...args),
  setTimeout,
) as typeof setTimeout

setInterval(() => {
  const until = now() + Math.random() * HALT
  while (now() < until);
}, EVERY).unref()

export {}
