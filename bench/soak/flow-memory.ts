/**
 * Whether the memory of a flow stays flat: `npm --prefix bench run soak`. 50 M events, each an object, go through a map and a
 * partition to a count by key in 2 stages; what is alive is measured on the way, and what the process takes.
 */
import { Flow, range } from 'sluice/flow'

const AMOUNT = 50_000_000
const SAMPLES = 10
const KEYS = 1000

if (globalThis.gc === undefined) throw new Error('Run it with --expose-gc.')
const collect = globalThis.gc

const megabytes = (bytes: number) => `${(bytes / 2 ** 20).toFixed(1)} MB`
const heaps: number[] = []
let peak = 0

function sample(events: number): void {
  const { rss } = process.memoryUsage()
  collect()
  const { heapUsed } = process.memoryUsage()
  heaps.push(heapUsed)
  peak = Math.max(peak, rss)
  console.log(
    `after ${events / 1e6} M events: ${megabytes(heapUsed)} of heap are alive, the process takes ${megabytes(rss)}`,
  )
}

const counts = await Flow.from(range(1, AMOUNT))
  .map((n) => {
    if (n % (AMOUNT / SAMPLES) === 0) sample(n)
    return { n, key: n % KEYS }
  })
  .partition({ stages: 2, key: 'key' })
  .reduce(
    () => new Map<number, number>(),
    ({ key }, counts) => counts.set(key, (counts.get(key) ?? 0) + 1),
  )
  .toMap()

const total = [...counts.values()].reduce((sum, count) => sum + count, 0)
if (total !== AMOUNT) throw new Error(`${AMOUNT} events were sent, but ${total} counted.`)
console.log(
  `heap ${megabytes(Math.min(...heaps))} to ${megabytes(Math.max(...heaps))}, process at most ${megabytes(peak)}`,
)
