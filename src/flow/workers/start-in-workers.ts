/** What is started in workers before the stages of a flow: the flow itself, and those who read parts of its sources. */

import type { GenServer } from '../../otp/gen-server.ts'
import type { Ref } from '../../process/ref.ts'
import { PARTS_A_READER, type SplitSource } from '../splits/split-source.ts'
import type { Deployment } from './deployment.ts'
import { SplitFeed } from './split-feed.ts'

/** The place of what belongs to no group of the plan. */
const NO_GROUP = -1

/** Is told of what was started, with the place of its group in the plan. */
type Own = (ref: Ref, place: number) => Ref

/** Has the workers load the flow, and build the same. */
export async function startHosts(owner: GenServer, own: Own, deployment: Deployment): Promise<void> {
  const hosts = deployment.workers.map(async (worker) => {
    const host = await owner.startLink(deployment.host(worker), { arg: deployment.run })
    own(host, NO_GROUP)
    return host
  })
  deployment.hosted(await allDone(hosts))
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
  const parts = planned(source, PARTS_A_READER * run.workers)
  deployment.needs(parts)
  const feed = await owner.startLink(SplitFeed, { arg: () => parts })
  own(feed, NO_GROUP)
  const workers = deployment.workers.slice(0, deployment.readersOf(place))
  const readers = workers.map(async (worker) => {
    const reader = await owner.startLink(deployment.reader(worker), { arg: { run: run.id, place, index, feed } })
    deployment.reads(reader, worker)
    return own(reader, place)
  })
  return { feed, readers: await allDone(readers) }
}

async function planned(source: SplitSource<unknown>, count: number): Promise<readonly unknown[]> {
  return await source.plan(count)
}

/** What all of them have come to; when one fails it is waited for the others, so that nothing starts later. @throws The first failure. */
export async function allDone<T>(started: readonly (T | PromiseLike<T>)[]): Promise<Awaited<T>[]> {
  await Promise.allSettled(started)
  return await Promise.all(started)
}
