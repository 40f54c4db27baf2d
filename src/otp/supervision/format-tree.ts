/** The supervision tree as text, for people. */

import type { Class, Name } from '../../process/name.ts'
import type { Ref } from '../../process/ref.ts'
import { type ProcessNode, supervisionTree, type TreeOptions } from './supervision-tree.ts'

/** Children told of each process when nothing else is said: what a screen has room for. */
const LIMIT = 50

/**
 * The tree below a process as text: who runs, under which id, what it is doing, how many messages wait for it, how often it
 * was restarted. It needs no answer from anybody, so it may be called anywhere; `limit` children of each process are shown,
 * by default 50.
 *
 * @throws as `supervisionTree`.
 *
 * @example
 * ```ts
 * import { child, GenServer, formatTree, supervise } from 'sluice'
 *
 * class Worker extends GenServer {}
 * await using shop = await supervise({ strategy: 'one_for_one', children: [child(Worker, { id: 'worker_1' })] })
 * console.log(formatTree(shop))
 * // Supervisor#2          idle
 * // └─ worker_1 Worker#3  idle
 * ```
 * Elixir: the tree of `:observer`.
 */
export function formatTree(target: Ref | Class | Name, { limit = LIMIT }: TreeOptions = {}): string {
  return formatNode(supervisionTree(target, { limit }))
}

/** A tree that was taken before, as text. */
export function formatNode(root: ProcessNode): string {
  const rows: (readonly string[])[] = []
  addRows(rows, root, '', '')
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

/** @param branch What leads to the node. @param below What leads past those below it. */
function addRows(rows: (readonly string[])[], node: ProcessNode, branch: string, below: string): void {
  const { messages, restarts, children, more } = node
  rows.push([
    `${branch}${titleOf(node)}`,
    doingOf(node),
    messages > 0 ? counted(messages, 'message') : '',
    restarts > 0 ? counted(restarts, 'restart') : '',
  ])
  for (const [index, child] of children.entries()) {
    const last = index === children.length - 1 && more === 0
    addRows(rows, child, `${below}${last ? '└─ ' : '├─ '}`, `${below}${last ? '   ' : '│  '}`)
  }
  if (more > 0) rows.push([`${below}└─ and ${more.toLocaleString('en')} more`])
}

/** The id where it says more than the class, the name or class with its number, and the class where the name hides it. */
function titleOf({ id, label, process, type, kind }: ProcessNode): string {
  const numbered = process === undefined ? (type ?? label) : `${label}#${process}`
  const before = id === undefined || id === type || (process !== undefined && id === label) ? '' : `${id} `
  const hidden = kind === 'task' ? ' (task)' : type === undefined || numbered.includes(type) ? '' : ` (${type})`
  return `${before}${numbered}${hidden}`
}

function doingOf({ state, waitingFor, stoppingFor }: ProcessNode): string {
  if (state === 'waiting') return `waits for ${waitingFor ?? 'a promise'}`
  const since = stoppingFor === undefined || state !== 'stopping' ? '' : ` for ${Math.round(stoppingFor)} ms`
  const held = state === 'stopping' && waitingFor !== undefined ? `, waits for ${waitingFor}` : ''
  return `${state}${since}${held}`
}

function counted(count: number, what: string): string {
  return `${count.toLocaleString('en')} ${what}${count === 1 ? '' : 's'}`
}
