/** In which order the children of a supervisor finish what they hold. */

import type { Process } from '../../process/process.ts'
import { ServerBehaviour } from '../server-behaviour.ts'
import { processesBelow } from './process-tree.ts'
import { childrenOf, type SupervisedChild } from './supervised-child.ts'

/**
 * Servers finish as they stop, the last one first, since those that started later use those before them. Stages finish from
 * the source on, so all of them together, when the last of them would stop: each behind those whose events it takes, otherwise the
 * first one first. What has all of its stages below it, such as a pipeline, is a server to the others.
 */
export function drainOrder<C extends SupervisedChild>(children: readonly C[]): readonly C[] {
  const flowingSomehow = children.filter(({ process }) => process?.alive && flows(process))
  const tied = new Set(flowingSomehow.flatMap((child) => tiesOf(child, flowingSomehow)))
  const stages = flowingSomehow.filter((child) => isStage(child) || tied.has(child))
  const last = stages.at(-1)
  const flowing = alongTheFlow(stages)
  const isFlowing = new Set(flowing)
  return children.toReversed().flatMap((child) => (child === last ? flowing : isFlowing.has(child) ? [] : [child]))
}

/**
 * Tells all that are below that they will be drained, each in its turn. Whoever would end with the first of its producers that
 * has finished, would lose what the others still send.
 */
export function announceDrain(children: Iterable<SupervisedChild>): void {
  for (const { process } of children) {
    if (!process?.alive) continue
    if (process.behaviour instanceof ServerBehaviour) process.behaviour.announceDrain()
    announceDrain(childrenOf(process) ?? [])
  }
}

/** Stages in the order in which events go through them, as far as that has no circles. */
function alongTheFlow<C extends SupervisedChild>(stages: readonly C[]): readonly C[] {
  const ordered = new Set<C>()
  const begun = new Set<C>()
  const add = (child: C): void => {
    if (begun.has(child)) return
    begun.add(child)
    for (const producer of producersOf(child, stages)) add(producer)
    ordered.add(child)
  }
  for (const child of stages) add(child)
  return [...ordered]
}

/** A child and those whose events it takes; nobody when there are none. */
function tiesOf<C extends SupervisedChild>(child: C, children: readonly C[]): readonly C[] {
  const producers = producersOf(child, children)
  return producers.length === 0 ? [] : [child, ...producers]
}

/** The other children whose events a child takes, in the order in which they stand. */
function producersOf<C extends SupervisedChild>(child: C, children: readonly C[]): readonly C[] {
  const byProcess = new Map(children.map((each) => [each.process, each]))
  const producers = new Set(upstreamOf(child).map((process) => byProcess.get(topmost(process, byProcess))))
  return children.filter((each) => each !== child && producers.has(each))
}

function isStage({ process }: SupervisedChild): boolean {
  return process?.behaviour instanceof ServerBehaviour && process.behaviour.flows
}

/** The processes whose events a child takes, or something below it. */
function upstreamOf({ process }: SupervisedChild): readonly Process[] {
  if (process === undefined) return []
  return [process, ...processesBelow(process)].flatMap(({ behaviour }) =>
    behaviour instanceof ServerBehaviour ? behaviour.upstream : [],
  )
}

/** A process, or the one above it that is a child here. */
function topmost(process: Process, children: ReadonlyMap<Process | undefined, unknown>): Process | undefined {
  let above: Process | undefined = process
  while (above !== undefined && !children.has(above)) above = above.parent
  return above
}

/** Events flow through a process, or through something below it. */
function flows(process: Process): boolean {
  const { behaviour } = process
  if (behaviour instanceof ServerBehaviour && behaviour.flows) return true
  for (const { process: below } of childrenOf(process) ?? []) if (below?.alive && flows(below)) return true
  return false
}
