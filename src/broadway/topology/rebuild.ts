/**
 * Other numbers of stages in a pipeline that runs: all that is behind the producers finishes what it has, goes, and comes back in the
 * new numbers. Producers stay, and what they emit meanwhile waits with them.
 */

import type { Runtime } from '../../process/runtime.ts'
import { killAll } from './abandoned.ts'
import type { Layout } from './layout.ts'
import { repartition } from './producer-stage.ts'

/**
 * Has the stages behind the producers finish what they have, without the producers. Messages that wait to be handled again have their
 * time. `pause` waits a little, `ended` says that it is no use any more.
 */
export async function finishBehind(
  { supervisor, processors, last }: Layout,
  runtime: Runtime,
  pause: () => Promise<void>,
  ended: () => boolean,
): Promise<void> {
  const stages = [...processors, ...last]
  for (;;) {
    const before = stages.map((name) => name.holder(runtime))
    const drained = last.map((stage) => stage.with({ timeout: Infinity }).call.drained())
    for (const processor of processors) processor.cast.letGo()
    // Who has died has nothing left to do, but what was on its way to it may be with a stage in front of it.
    await Promise.allSettled(drained)
    if (ended()) return
    await supervisor.with({ timeout: Infinity }).call.whichChildren()
    const after = stages.map((name) => name.holder(runtime))
    if (after.every((process, index) => process !== undefined && process === before[index])) return
    // Stages have crashed, and the new ones have subscribed again, or will.
    await pause()
  }
}

/**
 * Puts the stages behind the producers of a layout in the place of those of another, which have nothing left to do; or have had `late`
 * milliseconds for it, and are killed.
 */
export async function exchange(from: Layout, to: Layout, runtime: Runtime, late: number | undefined): Promise<void> {
  const { call } = from.supervisor.with({ timeout: Infinity })
  const ids = from.behind.map(({ id }) => id).toReversed()
  const stopped = Promise.all(ids.map((id) => call.terminateChild(id)))
  // The supervisor hears of it when it has been asked to stop them, so that it does not start them again.
  if (late !== undefined) killAll(from.partsBehind, runtime, late, 'changed its concurrency, and left')
  await stopped
  for (const id of ids) await call.deleteChild(id)
  to.count.processors = to.processors.length
  await Promise.all(
    to.producers.map((name) => {
      const producer = name.holder(runtime)
      return producer && repartition(producer)
    }),
  )
  for (const spec of to.behind) await call.startChild(spec)
}
