/** What people get to read. */

import type { JobRecord, Status } from './order.ts'

const HEAD = ['job', 'type', 'status', 'attempts', 'crashes', 'what became of it'] as const
/** Columns of numbers, which stand to the right. */
const NUMBERS: readonly number[] = [3, 4]

/** How each job stands, in columns. */
export function table(jobs: readonly JobRecord[]): readonly string[] {
  const rows = jobs.map(({ id, type, status, attempts, crashes, remark }) => [
    id,
    type,
    status,
    `${attempts}`,
    `${crashes}`,
    remark,
  ])
  const widths = HEAD.map((title, column) => Math.max(title.length, ...rows.map((cells) => cells[column]?.length ?? 0)))
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, column) =>
        NUMBERS.includes(column) ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd()
  return [line(HEAD), line(widths.map((width) => '─'.repeat(width))), ...rows.map(line)]
}

/** How many jobs there were, and of each status; what was dropped by its name. */
export function summary(jobs: readonly JobRecord[], ms: number): readonly string[] {
  const counts = new Map<Status, number>()
  for (const { status } of jobs) counts.set(status, (counts.get(status) ?? 0) + 1)
  const parts = [...counts].map(([status, count]) => `${count} ${status}`)
  const dropped = jobs.filter(({ status }) => status === 'dropped').map(({ id }) => id)
  return [
    `${jobs.length} jobs in ${(ms / 1000).toFixed(1)} s: ${parts.join(', ')}`,
    ...(dropped.length > 0 ? [`dropped: ${dropped.join(', ')}`] : []),
  ]
}

/** What happened, and when. */
export function eventLine(ms: number, id: string, event: string, remark: string): string {
  const time = `${(ms / 1000).toFixed(2)} s`.padStart(8)
  return [time, ...(id === '' ? [] : [id.padEnd(12), event.padEnd(8)]), remark].join('  ').trimEnd()
}

/** One line on how it goes. */
export function progressLine(jobs: readonly JobRecord[]): string {
  const having = (...statuses: readonly Status[]) => jobs.filter(({ status }) => statuses.includes(status))
  const running = having('running', 'errored', 'crashed')
  const waiting = having('waiting').length
  const over = jobs.length - running.length - waiting
  const shares = having('running').map(({ id, progress }) => `${id} ${Math.round(progress * 100)}%`)
  return [`${over} over, ${running.length} running, ${waiting} waiting`, ...shares].join(' · ')
}
