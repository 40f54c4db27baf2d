import { type Ref, start } from 'sluice'
import { limit, type Row, rate } from '../row.ts'
import { Server } from './server.ts'

const PROCESSES = 1_000_000
const BYTES = 1024

const rates = { start: 0, call: 0, stop: 0 }

export const idleProcesses: Row = {
  id: 'idle-processes',
  work: '1 M idle GenServers',
  unit: 'bytes of heap each',
  lowerIsBetter: true,
  isolated: true,
  nodeOptions: ['--max-old-space-size=4096'],
  ours: { name: 'sluice', measure: bytesEach },
  peers: [limit(BYTES, `limit of ${BYTES} bytes`)],
  notes: () => [
    `one by one: ${million(rates.start)} starts, ${million(rates.call)} calls, ${million(rates.stop)} stops a second`,
  ],
}

/** Nothing is collected on purpose, so what the starts left behind counts too: an upper bound. */
async function bytesEach(): Promise<number> {
  const servers = new Array<Ref<Server> | undefined>(PROCESSES).fill(undefined)
  const before = process.memoryUsage().heapUsed
  rates.start = await eachServer(async (index) => {
    servers[index] = await start(Server)
  })
  const bytes = (process.memoryUsage().heapUsed - before) / PROCESSES
  rates.call = await eachServer((index) => servers[index]?.call.echo(index))
  rates.stop = await eachServer((index) => servers[index]?.stop())
  return bytes
}

function eachServer(work: (index: number) => unknown): Promise<number> {
  return rate(PROCESSES, async () => {
    let index = 0
    for (; index < PROCESSES; index++) await work(index)
    return index
  })
}

function million(value: number): string {
  return `${(value / 1e6).toFixed(2)} M`
}
