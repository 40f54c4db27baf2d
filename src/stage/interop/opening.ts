/** What a stage reads from or writes to, given open or as a function that opens it. */

import { fresh } from '../../otp/argument.ts'
import type { GenServer } from '../../otp/gen-server.ts'
import { isPromise } from '../../otp/server-behaviour.ts'

/**
 * The thing itself, or a function that opens it. A stream can be used once only, so under a supervisor give a function: it is
 * called at every start, and gets the signal of the process, which fires when that has ended. What is opened belongs to the
 * stage. The function may be async: the start waits for it and fails when it fails.
 */
export type Opening<S> = S | ((signal: AbortSignal) => S | Promise<S>)

/** Opens it for a stage and hands it to `take`, at once or when the promise that is returned settles. */
export function openFor<S>(stage: GenServer, given: Opening<S>, take: (opened: S) => void): Promise<void> | undefined {
  const opened = isOpener(given) ? given(stage.signal) : given
  if (!isPromise(opened)) {
    take(opened)
    return undefined
  }
  const taking = Promise.resolve(opened).then(take)
  // The start awaits it, unless it was refused before.
  taking.catch(() => {})
  return taking
}

/** Given to one start only, it need not be made anew at the next. */
export function usedOnce<T extends object>(given: T | undefined): T | undefined {
  return given && fresh(() => given)
}

function isOpener<S>(given: Opening<S>): given is (signal: AbortSignal) => S | Promise<S> {
  return typeof given === 'function'
}
