/** Stopping one child: the request, its deadline, the kill. */

import type { Timer } from '../../process/clock.ts'
import { describeReason, isOrderly } from '../../process/exit-reason.ts'
import { DRAIN } from '../../process/message.ts'
import type { Process } from '../../process/process.ts'
import type { ChildSpec } from './child-spec.ts'
import { describeActivity } from './process-tree.ts'
import type { SupervisedChild } from './supervised-child.ts'

/** What stopping one needs to know of it. */
type StopTerms = Pick<ChildSpec, 'label' | 'shutdown'>

/** Stops a child as its specification says; a promise when it is not dead on return. */
export function stopChild(supervisor: Process, child: Process, known: SupervisedChild): void | Promise<void> {
  const { shutdown } = known.spec
  // Its exit is no news to the supervisor.
  supervisor.unlink(child)
  child.stopTimed = true
  if (shutdown === 'brutal_kill') child.kill()
  else child.signal(supervisor, 'shutdown')
  // Most children have nothing to do before they end; they cost neither a listener nor a look at the clock.
  if (!child.buried) return endOfStopped(supervisor, child, known)
}

/** Resolves when a child has ended that was asked to stop, or had to be killed because it took too long. */
function endOfStopped({ runtime }: Process, child: Process, known: SupervisedChild): Promise<void> {
  const { clock, logger } = runtime
  const { label, shutdown } = known.spec
  known.stopping = child
  const now = clock.now()
  const askedAt = (known.askedAt ??= now)
  return new Promise((resolve) => {
    let timer: Timer | undefined
    if (typeof shutdown === 'number') {
      // What it has used to finish what it held counts.
      timer = clock.setTimer(Math.max(0, askedAt + shutdown - now), () => killOverdue(child, shutdown))
    }
    // It may have unlinked itself, so its end is watched directly.
    child.onEnd((reason) => {
      known.stopping = undefined
      timer?.cancel()
      if (!isOrderly(reason) && reason !== 'killed') {
        logger.debug({ child: label }, `${child} ended while being stopped: ${describeReason(reason)}`)
      }
      resolve()
    })
  })
}

/** Kills a process that has used up its time, and says what it was doing. */
function killOverdue(child: Process, allowed: number): void {
  const { logger } = child.runtime
  const text = `${child} was not stopped within ${allowed} ms and was killed: ${describeActivity(child)}`
  logger.warn({ process: `${child}`, supervisor: `${child.parent}` }, text)
  child.kill()
}

/** Lets a child finish what it holds; resolves when it has ended, or has used up the time it has to stop. */
export function drainChild(child: Process, spec: StopTerms): Promise<void> {
  child.stopping = true
  child.stopTimed = true
  child.deliver(DRAIN, 'shutdown')
  return endOf(child, spec)
}

/** Resolves when a child has ended by itself, or has used up the time it has to stop. */
export function endOf(child: Process, { shutdown }: StopTerms): Promise<void> {
  return new Promise((resolve) => {
    const timer = child.runtime.clock.setTimer(typeof shutdown === 'number' ? shutdown : 0, resolve)
    child.onEnd(() => {
      timer.cancel()
      resolve()
    })
  })
}
