/**
 * Other numbers of stages in a pipeline that runs: all that is behind the producers finishes what it has, goes, and comes back in the
 * new numbers. Producers stay, and what they emit meanwhile waits with them.
 */

import type { Runtime } from '../../process/runtime.ts'
import type { Layout } from './layout.ts'
import { repartition } from './producer-stage.ts'

/**
 * Has the stages behind the producers finish what they have, with no deadline, and without the producers. Messages that wait to be
 * handled again have their time. `pause` waits a little, `ended` says that it is no use any more.
 */
export async function finishBehind(
  { supervisor, processors, last }: Layout,
  runtime: Runtime,
  pause: () => Promise<void>,
  ended: () => boolean,
): Promise<void> {
  for (;;) {
    const before = processors.map((name) => name.holder(runtime))
    const drained = last.map((stage) => stage.with({ timeout: Infinity }).call.drained())
    for (const processor of processors) processor.cast.letGo()
    // Who has died has nothing left to do.
    await Promise.allSettled(drained)
    if (ended()) return
    await supervisor.with({ timeout: Infinity }).call.whichChildren()
    const after = processors.map((name) => name.holder(runtime))
    if (after.every((process, index) => process !== undefined && process === before[index])) return
    // A processor has crashed, and the new ones have subscribed again, or will.
    await pause()
  }
}

/** Puts the stages behind the producers of a layout in the place of those of another, which have nothing left to do. */
export async function exchange(from: Layout, to: Layout, runtime: Runtime): Promise<void> {
  const { call } = from.supervisor.with({ timeout: Infinity })
  for (const { id } of from.behind.toReversed()) {
    await call.terminateChild(id)
    await call.deleteChild(id)
  }
  to.count.processors = to.processors.length
  await Promise.all(
    to.producers.map((name) => {
      const producer = name.holder(runtime)
      return producer && repartition(producer)
    }),
  )
  for (const spec of to.behind) await call.startChild(spec)
}
