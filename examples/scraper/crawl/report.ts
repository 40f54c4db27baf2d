/** What people get to read. */

import { isBroken, type Visit } from './page.ts'
import { pathOf, type Summary, type Totals } from './visits.ts'

/** Pages in a list. */
const LISTED = 5
/** Characters of the longest bar. */
const BAR = 32

/** One line on how it goes. */
export function progressLine({ visited, broken, running, latest }: Totals, waiting: number, ms: number): string {
  const rate = `${(visited / (ms / 1000)).toFixed(1)} pages/s`
  const path = latest === '' ? '' : pathOf(latest)
  return [`${visited} visited`, `${running} on their way`, `${waiting} to go`, `${broken} broken`, rate, path]
    .filter((part) => part !== '')
    .join(' · ')
}

/** Pages by their outcome, the slowest ones, the broken links. */
export function report(summary: Summary, ms: number): readonly string[] {
  const { visits } = summary
  const broken = visits.filter(isBroken)
  const slowest = visits.toSorted((a, b) => b.ms - a.ms).slice(0, LISTED)
  const digits = whole(slowest[0]?.ms ?? 0).length
  return [
    ...outcomes(summary),
    ...section(
      'slowest',
      slowest.map(({ url, ms }) => [`${whole(ms).padStart(digits)} ms`, pathOf(url)]),
    ),
    ...section(
      'broken links',
      broken.map(({ url, outcome, from }) => [outcome, pathOf(url), linked(from)]),
    ),
    '',
    totals(summary, ms),
  ]
}

function outcomes({ visits, keptOut, leftOver }: Summary): readonly string[] {
  const counts = new Map<string, number>()
  for (const { outcome } of visits) counts.set(outcome, (counts.get(outcome) ?? 0) + 1)
  const rows: [string, number][] = [...counts].toSorted(([, a], [, b]) => b - a)
  if (keptOut > 0) rows.push(['kept out by robots.txt', keptOut])
  if (leftOver > 0) rows.push(['not visited any more', leftOver])
  const width = Math.max(...rows.map(([outcome]) => outcome.length))
  const most = Math.max(...rows.map(([, count]) => count))
  const digits = whole(most).length
  return rows.map(
    ([outcome, count]) => `${outcome.padEnd(width)}  ${whole(count).padStart(digits)}  ${bar(count / most)}`,
  )
}

/** Columns of the same width; the last one may be as long as it likes. */
function section(title: string, rows: readonly (readonly string[])[]): readonly string[] {
  if (rows.length === 0) return []
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  const line = (row: readonly string[]) =>
    `  ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')}`.trimEnd()
  return ['', title, ...rows.map(line)]
}

function totals({ visits, mostAtOnce }: Summary, ms: number): string {
  const bytes = visits.reduce((sum, visit) => sum + visit.bytes, 0)
  const again = visits.filter(({ attempts }) => attempts > 1).length
  const seconds = ms / 1000
  return [
    `${whole(visits.length)} ${visits.length === 1 ? 'page' : 'pages'} and ${whole(bytes / 1000)} kB in ${seconds.toFixed(1)} s`,
    `${(visits.length / seconds).toFixed(1)} pages/s`,
    `at most ${mostAtOnce} at a time`,
    `${again} tried more than once`,
  ].join(', ')
}

function linked(from: Visit['from']) {
  return from === undefined ? '' : `linked from ${pathOf(from)}`
}

/** A bar in eighths of a character; what is there at all is seen. */
function bar(share: number) {
  const eighths = Math.max(1, Math.round(share * BAR * 8))
  return `${'█'.repeat(eighths >> 3)}${' ▏▎▍▌▋▊▉'[eighths & 7]}`.trimEnd()
}

/** A number with separators: 69,899. */
function whole(value: number) {
  return Math.round(value).toLocaleString('en')
}
