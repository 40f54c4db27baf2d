/** What is started in workers before the stages of a flow: the flow itself, and those who read parts of its sources. */

import type { GenServer } from '../../otp/gen-server.ts'
import type { Ref } from '../../process/ref.ts'
import type { SplitSource } from '../splits/split-source.ts'
import type { Deployment } from './deployment.ts'
import { SplitFeed } from './split-feed.ts'

/** The place of what belongs to no group of the plan. */
const NO_GROUP = -1

/** Is told of what was started, with the place of its group in the plan. */
type Own = (ref: Ref, place: number) => Ref

/**
 * Has the workers load the flow, and build the same.
 *
 * @throws `FlowError` `different_module`.
 */
export async function prepareWorkers(owner: GenServer, own: Own, deployment: Deployment): Promise<void> {
  const workers = Array.from({ length: deployment.run.workers }, (_, worker) => worker)
  const fingerprints = workers.map(async (worker) => {
    const host = await owner.startLink(deployment.host(worker), { arg: deployment.run })
    own(host, NO_GROUP)
    return await host.call.fingerprint()
  })
  deployment.compare(await Promise.all(fingerprints))
}

/** Starts who reads a source that lies in parts, in as many workers as have something to do with it. `place` is that of the group of sources in the plan, `index` which of them it is. */
export async function startReaders(
  owner: GenServer,
  own: Own,
  deployment: Deployment,
  source: SplitSource<unknown>,
  place: number,
  index: number,
): Promise<{ readonly feed: Ref<SplitFeed>; readonly readers: readonly Ref[] }> {
  const { run } = deployment
  const feed = await owner.startLink(SplitFeed, { arg: () => ({ source, readers: run.workers }) })
  own(feed, NO_GROUP)
  const readers: Ref[] = []
  for (let worker = 0; worker < deployment.readersOf(place); worker++) {
    const arg = { run: run.id, place, index, feed }
    const reader = await owner.startLink(deployment.reader(worker), { arg })
    deployment.reads(reader, worker)
    readers.push(own(reader, place))
  }
  return { feed, readers }
}
