/** The shape of a row: one piece of work, done by sluice and by its peers. */

/** Does the work once and says how it went: a rate per second, or what `unit` of the row names. */
export type Measure = () => number | Promise<number>

export interface Contender {
  readonly name: string
  readonly measure: Measure
}

export interface Peer extends Contender {
  /** The least ratio ours / peer (peer / ours where lower is better); null shows the peer for scale only. */
  readonly goal: number | null
}

export interface Row {
  readonly id: string
  readonly work: string
  readonly unit: string
  /** For sizes and delays, whose peer is a fixed limit. */
  readonly lowerIsBetter?: boolean
  /** Each run in a process of its own, for figures that an earlier run would falsify, such as the size of the heap. */
  readonly isolated?: boolean
  readonly nodeOptions?: readonly string[]
  /** Gives what is missing on this machine, such as a server: then the row is left out. */
  readonly missing?: () => Promise<string | undefined>
  readonly ours: Contender
  readonly peers: readonly Peer[]
  /** What the row observed besides, asked for after the last run. */
  readonly notes?: () => readonly string[]
}

/** Rate per second of doing `amount` pieces of work; the result must be `amount`, so that no contender can cheat. */
export async function rate(amount: number, work: () => number | Promise<number>): Promise<number> {
  const start = performance.now()
  const done = await work()
  const seconds = (performance.now() - start) / 1000
  if (done !== amount) throw new Error(`The work was ${amount} pieces, but ${done} were done.`)
  return amount / seconds
}

/** A limit takes part like a peer that always measures the same. */
export function limit(value: number, name: string): Peer {
  return { name, goal: 1, measure: () => value }
}
