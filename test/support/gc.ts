/** Collects garbage now, so that a test can see what is still held. */

import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

setFlagsFromString('--expose-gc')
const gc: () => void = runInNewContext('gc')

export async function collectGarbage(): Promise<void> {
  // What a WeakRef was made for, or asked for, in this turn is held until the next.
  for (let round = 0; round < 3; round++) {
    await new Promise((resolve) => setImmediate(resolve))
    gc()
  }
}
