/** A picture of a step: a line a mail, with a bar for the time that it was on its way. */

import type { Flight, Flights } from './flights.ts'

export interface ChartOptions {
  readonly addresses: readonly string[]
  readonly flights: Flights
  /** When the caller could go on, in milliseconds since the step began; `undefined` while it waits. */
  readonly returned: number | undefined
  /** Milliseconds a column stands for. */
  readonly scale: number
}

const COLUMNS = 48
const MARK = { 'on its way': ' ', sent: '✓', failed: '✗', cut: '✂' } as const

/** The scale that a step needs, at least that of those before it, so that their pictures can be compared. */
export function scaleFor(elapsed: number, before: number): number {
  let scale = before
  while (elapsed / scale > COLUMNS) scale *= 2
  return scale
}

export function chart({ addresses, flights, returned, scale }: ChartOptions): readonly string[] {
  const now = flights.elapsed
  const width = Math.max('the caller'.length, ...addresses.map((address) => address.length))
  const line = (name: string, drawn: string, note: string) =>
    `   ${name.padEnd(width)}  ${drawn.padEnd(COLUMNS + 2)} ${note}`.trimEnd()
  const byAddress = new Map(flights.list.map((flight) => [flight.address, flight]))
  const waits = bar(0, returned ?? now, scale, '░')
  return [
    line('the caller', waits, returned === undefined ? 'waits' : `waits ${time(returned)}`),
    ...addresses.map((address) => {
      const flight = byAddress.get(address)
      if (flight === undefined) return line(address, '', returned === undefined ? '' : 'never tried')
      const { began, ended, outcome } = flight
      const drawn = bar(began, ended ?? now, scale, outcome === 'sent' || ended === undefined ? '█' : '▒')
      return line(address, drawn + MARK[outcome], note(flight))
    }),
  ]
}

function note({ began, ended, outcome, said }: Flight): string {
  if (ended === undefined) return ''
  return `${time(ended - began)}${outcome === 'sent' ? '' : `  ${brief(said, 48)}`}`
}

function bar(from: number, to: number, scale: number, cell: string): string {
  const start = Math.round(from / scale)
  const end = Math.max(start + 1, Math.round(to / scale))
  return ' '.repeat(Math.min(start, COLUMNS)) + cell.repeat(Math.min(end, COLUMNS + 1) - Math.min(start, COLUMNS))
}

/** Milliseconds, for people: `131 ms`, `1,532 ms`. */
export function time(ms: number): string {
  return `${Math.round(ms).toLocaleString('en')} ms`.padStart(8)
}

/** Text in one line of limited length. */
export function brief(text: string, longest: number): string {
  return text.length > longest ? `${text.slice(0, longest - 3)}...` : text
}
