import { readFile } from 'node:fs/promises'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as wait } from 'node:timers/promises'
import { Consumer, start } from 'sluice'
import { limit, type Row } from '../row.ts'
import { Increment, Numbers } from './pipeline.ts'

const SECONDS = 5
const DELAY = 10
const DEMAND = { maxDemand: 1000, minDemand: 500 }

let handled = 0
let reads = 0

class Endless extends Consumer<number> {
  constructor() {
    super({})
  }

  override handleEvents(events: readonly number[]): void {
    handled += events.length
  }
}

export const eventLoop: Row = {
  id: 'event-loop',
  work: `event loop while a pipeline of sync stages saturates it for ${SECONDS} s`,
  unit: 'p99 of the delay in ms, the 1 ms of the timer that measures it included',
  lowerIsBetter: true,
  isolated: true,
  ours: { name: 'sluice', measure: delay },
  peers: [limit(DELAY, `limit of ${DELAY} ms`)],
  notes: () => [
    `beside it: ${(reads / SECONDS).toFixed(0)} small file reads a second, one after the other; ` +
      `${(handled / SECONDS / 1e6).toFixed(1)} M events a second`,
  ],
}

async function delay(): Promise<number> {
  const numbers = await start(Numbers, {})
  const increments = await start(Increment, { subscribeTo: [{ to: numbers, ...DEMAND }] })
  const sink = await start(Endless, { subscribeTo: [{ to: increments, ...DEMAND }] })
  // The first turns compile; what counts is the state that lasts.
  await wait(500)
  const histogram = monitorEventLoopDelay({ resolution: 1 })
  handled = 0
  reads = 0
  const stopped = new AbortController()
  const reading = readFiles(stopped.signal)
  histogram.enable()
  await wait(SECONDS * 1000)
  histogram.disable()
  stopped.abort()
  await reading
  await sink.stop()
  await increments.stop()
  await numbers.stop()
  return histogram.percentile(99) / 1e6
}

async function readFiles(signal: AbortSignal): Promise<void> {
  const file = new URL('../../package.json', import.meta.url)
  for (; !signal.aborted; reads++) await readFile(file)
}
