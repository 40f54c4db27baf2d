/** What an application lost when it stopped: the processes that ended before they had finished. */

import type { ExitReason } from '../../process/exit-reason.ts'
import { DRAIN, STOP } from '../../process/message.ts'
import type { Cause, Process } from '../../process/process.ts'
import { formatNode } from '../supervision/format-tree.ts'
import { hasInHand, waitingMessages } from '../supervision/process-tree.ts'
import { type ProcessNode, supervisionTree } from '../supervision/supervision-tree.ts'

/** A process that ended, while the application stopped, before it had finished: what it held is lost. */
export interface Dropped {
  /** Name or class, and number. */
  readonly process: string
  /** It was killed, because the time it had to stop was over; otherwise it was told to stop, and did not finish first. */
  readonly killed: boolean
  /** The callback that it waited for; `undefined` when it waited for none. */
  readonly waitedFor: string | undefined
  /** Messages in its mailbox that nobody handled, without the one in hand. */
  readonly messages: number
  /** Milliseconds after the application was asked to stop. */
  readonly ms: number
}

/** What a process that ends leaves undone; `undefined` when it had finished. Its mailbox must still be there. */
export function droppedBy(process: Process, reason: ExitReason, cause: Cause, ms: number): Dropped | undefined {
  const killed = reason === 'killed'
  const messages = waitingMessages(process)
  const torn = cause === 'signalled' && hasInHand(process)
  const unheard = messages > 0 && process.stubs?.childType === 'worker' && !endedAsAsked(process, cause)
  if (!(killed || torn || unheard)) return undefined
  return { process: `${process}`, killed, waitedFor: process.awaiting, messages, ms }
}

/**
 * It was asked to stop and got as far as that in its mailbox: it has handled all that came before. What lies behind came too
 * late, as it would have a moment later, when there is no such process any more.
 */
function endedAsAsked({ stopTimed, mailbox }: Process, cause: Cause): boolean {
  const waiting = mailbox.entries().slice(mailbox.inHand ? 1 : 0)
  return stopTimed && cause === 'stopped' && !waiting.some(([tag]) => tag === DRAIN || tag === STOP)
}

/** One line for a process that had not finished. */
export function describeDropped({ process, killed, waitedFor, messages, ms }: Dropped): string {
  const what = waitedFor === undefined ? '' : `, it waited for ${waitedFor}`
  const lost =
    messages === 0 ? '' : `, ${messages.toLocaleString('en')} ${messages === 1 ? 'message is' : 'messages are'} lost`
  return `${process} ${killed ? 'was killed' : 'ended'} after ${Math.round(ms)} ms${what}${lost}`
}

/** Children shown of each process. */
const LIMIT = 50

/** The part of a tree that still runs, as text. */
export function stillRunning(root: Process): string {
  return formatNode(alive(supervisionTree(root.ref)))
}

function alive(node: ProcessNode): ProcessNode {
  const living = node.children.filter(({ state }) => state !== 'ended' && state !== 'restarting')
  const shown = living.slice(0, LIMIT)
  return { ...node, children: shown.map(alive), more: living.length - shown.length }
}
