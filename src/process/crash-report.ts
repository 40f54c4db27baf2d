/** What is told about a process that failed: one structured object, with what a person needs to find the cause. */

import { fileURLToPath } from 'node:url'
import { inspect } from 'node:util'
import type { ExitReason } from './exit-reason.ts'
import { CALL, CAST, CAST_ONE, INFO, type Tag } from './message.ts'
import type { Process } from './process.ts'

/** The fields of the log line of a crash. */
export interface CrashReport {
  /** Name or class, and number. */
  readonly process: string
  /** The error, or the reason where there is none. `err` is the key that pino formats. */
  readonly err: ExitReason
  /** The error's stack with the frames of the user's code first. */
  readonly stack: string | undefined
  /** The message that was being handled, shortened. */
  readonly lastMessage: string | undefined
  /** How often a supervisor had started it again before this crash. */
  readonly restarts: number
  readonly supervisor: string | undefined
}

export function crashReport(process: Process, reason: ExitReason): CrashReport {
  const { mailbox, parent, runtime } = process
  return {
    process: `${process}`,
    err: reason,
    stack: reason instanceof Error ? userFramesFirst(reason) : undefined,
    lastMessage: mailbox.inHand ? describeMessage(mailbox.tag, mailbox.payload, process) : undefined,
    restarts: process.restarts,
    supervisor: parent === undefined || parent === runtime.main ? undefined : `${parent}`,
  }
}

/** One line for a message: `push('a')`, `info {...}`. */
function describeMessage(tag: Tag, payload: unknown, process: Process): string {
  if (tag.kind === CALL || tag.kind === CAST || tag.kind === CAST_ONE) {
    const methods = [...(process.stubs?.messages ?? [])]
    const name = methods.find(([, method]) => method === tag.subject)?.[0] ?? 'unknown'
    const args = tag.kind === CAST_ONE ? [payload] : Array.isArray(payload) ? payload : []
    return `${name}(${args.map(brief).join(', ')})`
  }
  return tag === INFO ? `info ${brief(payload)}` : brief(payload)
}

function brief(value: unknown): string {
  const text = inspect(value, { depth: 1, breakLength: Infinity, maxArrayLength: 5, maxStringLength: 80 })
  return text.length > 200 ? `${text.slice(0, 200)}...` : text
}

/** What code that is made at run time gives as its place. */
const GENERATED = /(?:\(|at )sluice:/
/** Where our own code lies, as stacks write it: its frames only say how the user's code was reached. */
const ours = [new URL('..', import.meta.url).href, fileURLToPath(new URL('..', import.meta.url))]

function userFramesFirst(error: Error): string | undefined {
  const lines = error.stack?.split('\n') ?? []
  const frames = lines.filter((line) => /^\s+at /.test(line))
  const head = lines.slice(0, lines.length - frames.length)
  const inner = (line: string): boolean =>
    ours.some((place) => line.includes(place)) || line.includes('node:internal') || GENERATED.test(line)
  const users = frames.filter((line) => !inner(line))
  return [...head, ...users, ...frames.filter(inner)].join('\n')
}
