/** What hangs below a process, read from the kernel's own records: nobody is asked, so it works while everybody is busy. */

import { isUpkeep } from '../../process/message.ts'
import { contextOf } from '../../process/plain.ts'
import type { Process } from '../../process/process.ts'
import { childrenOf, type SupervisedChild } from './supervised-child.ts'

/** A place below a process: a supervised child, running or not, or a process that it started and is linked to. */
export interface Place {
  /** `undefined` when the child does not run now. */
  readonly process: Process | undefined
  /** `undefined` for a process without a specification: one that is being started, or a task. */
  readonly child: SupervisedChild | undefined
}

/** The places right below a process: supervised children in the order of their start, then others. */
export function placesBelow(process: Process): readonly Place[] {
  const places: Place[] = []
  const supervised = new Set<Process>()
  for (const child of childrenOf(process) ?? []) {
    const running = child.stopping ?? child.process
    if (running !== undefined) supervised.add(running)
    places.push({ process: running?.alive ? running : undefined, child })
  }
  for (const linked of process.links) {
    if (linked.parent === process && !supervised.has(linked)) places.push({ process: linked, child: undefined })
  }
  return places
}

/** All processes below one, each before those below it. */
export function processesBelow(process: Process): readonly Process[] {
  return placesBelow(process).flatMap(({ process }) =>
    process === undefined ? [] : [process, ...processesBelow(process)],
  )
}

/** What a process is doing, in words. */
export function describeActivity(process: Process): string {
  const { awaiting } = process
  const doing = awaiting === undefined ? (process.busy ? 'it is running' : 'it is idle') : `it waits for ${awaiting}`
  const messages = waitingMessages(process)
  return `${doing}, ${messages} ${messages === 1 ? 'message' : 'messages'} in its mailbox`
}

/** The messages in a mailbox that bring something, without the one in hand. */
export function waitingMessages({ mailbox }: Process): number {
  if (mailbox.size === 0) return 0
  const waiting = mailbox.entries().slice(mailbox.inHand ? 1 : 0)
  return waiting.filter(([tag]) => !isUpkeep(tag)).length
}

/** It is in the middle of something that it was asked for: a callback, or its only function. */
export function hasInHand(process: Process): boolean {
  const { mailbox } = process
  if (mailbox.inHand) return !isUpkeep(mailbox.tag)
  return process.awaiting !== undefined || contextOf(process) !== undefined
}
