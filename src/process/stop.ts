/** Stopping a process from outside: a request in the order of its mailbox, with a deadline. */

import { failInCallersFrame } from './call.ts'
import { CallError } from './errors.ts'
import { describeReason, type ExitReason } from './exit-reason.ts'
import { DRAIN, STOP } from './message.ts'
import type { Process } from './process.ts'

export interface StopOptions {
  /** The exit reason it is to end with. Default `normal`. */
  readonly reason?: ExitReason | undefined
  /** Milliseconds until it is killed. Default 5000; `Infinity` for supervisors, whose children have their own deadlines. */
  readonly timeout?: number | undefined
  /**
   * What is in hand and in the mailbox is finished first: below a supervisor by servers in reverse order of their start, by
   * stages from the producers on. Default false.
   */
  readonly drain?: boolean | undefined
}

/** Looks at who requests the stop of a process, while it runs; gives the error for one who must not. */
type StopGuard = (by: Process) => Error | undefined

const guards = new WeakMap<Process, StopGuard>()

/** Has the stop of a process throw at once when it is requested by those who would wait for themselves. */
export function guardStop(target: Process, guard: StopGuard): void {
  guards.set(target, guard)
}

/** Requests the stop of a process and resolves when it has ended with the reason asked for. */
export function stop(target: Process, options: StopOptions): Promise<void> {
  const { reason = 'normal', timeout = target.stubs?.stopTimeout ?? 5000, drain = false } = options
  const { runtime } = target
  const fail = (code: 'noproc' | 'calling_self' | 'exit' | 'timeout', text: string, ended?: ExitReason): CallError => {
    const cause = ended instanceof Error ? ended : undefined
    return new CallError(code, `${target}`, 'stop', `stop of ${target}: ${text}`, { reason: ended, cause })
  }
  if (!target.alive) {
    const ended = target.exitReason ?? 'noproc'
    return Promise.reject(fail('noproc', `it is not running, it ended with ${describeReason(ended)}`, ended))
  }
  if (runtime.current === target) {
    return Promise.reject(fail('calling_self', 'a process cannot wait for its own end; use this.stop(reason)'))
  }
  const refusal = runtime.current && guards.get(target)?.(runtime.current)
  if (refusal !== undefined) throw refusal
  return new Promise((resolve, reject) => {
    let late = false
    const timer = runtime.clock.setTimer(timeout, () => {
      late = true
      target.kill()
    })
    target.onEnd((ended) => {
      timer.cancel()
      if (late) {
        failInCallersFrame(resolve, reject, () => fail('timeout', `it had to be killed after ${timeout} ms`, ended))
      } else if (same(ended, reason)) resolve()
      else failInCallersFrame(resolve, reject, () => fail('exit', `it ended with ${describeReason(ended)}`, ended))
    })
    target.stopping = true
    target.stopTimed = true
    target.deliver(drain ? DRAIN : STOP, reason)
  })
}

/** An orderly detail is compared by its content, anything else by identity. */
function same(ended: ExitReason, asked: ExitReason): boolean {
  if (ended === asked) return true
  if (typeof ended === 'string' || typeof asked === 'string') return false
  return 'shutdown' in ended && 'shutdown' in asked && ended.shutdown === asked.shutdown
}
