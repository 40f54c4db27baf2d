/**
 * A hundred runs with workers: stages and processes are started, talk, and end, nearly all of them in the same threads. Tells how much the
 * heap of each thread has grown, and how many threads there are in the middle and in the end.
 */

import { subscribe } from 'node:diagnostics_channel'
import { Worker } from 'node:worker_threads'
import { type Ref, start } from 'sluice'
import { stream, syncSubscribe } from 'sluice/stage'
import { inWorker, Workers, workerModule } from 'sluice/worker'
import { collectGarbage } from '../gc.ts'

const servers = workerModule<typeof import('../../worker/modules/servers.ts')>(
  new URL('../../worker/modules/servers.js', import.meta.url),
)
const stages = workerModule<typeof import('../../worker/modules/stages.ts')>(
  new URL('../../worker/modules/stages.js', import.meta.url),
)
const RUNS = 100

/** The threads that run, as Node tells. */
const threads = new Set<Worker>()
subscribe('worker_threads', (message) => {
  const worker: unknown = Reflect.get(Object(message), 'worker')
  if (!(worker instanceof Worker)) return
  threads.add(worker)
  worker.once('exit', () => threads.delete(worker))
})

const workers = new Workers({ size: 2 })
const [on, there] = [workers.at(0), workers.at(1)]
const gauges = await Promise.all([on, there].map((slot) => start(inWorker(servers, 'Gauge', { on: slot }))))

const Numbers = inWorker(stages, 'Numbers', { on })
const NumbersThere = inWorker(stages, 'Numbers', { on: there })
const NumbersAlone = inWorker(stages, 'Numbers')
const Doubler = inWorker(stages, 'Doubler', { on })
const DoublerThere = inWorker(stages, 'Doubler', { on: there })
const Freight = inWorker(servers, 'Freight', { on })

/** A line of stages through both workers, which ends; a call, a stage that is killed, and a loop that is left. */
async function run(alone: boolean): Promise<void> {
  const numbers = await start(alone ? NumbersAlone : Numbers, { arg: { count: 100 } })
  const doubler = await start(DoublerThere, { subscribeTo: [{ to: numbers }] })
  let sum = 0
  for await (const n of stream<number>(doubler)) sum += n
  if (sum !== 9900) throw new Error(`the sum is ${sum}`)
  // 40 kB, which both threads would keep if they kept the process.
  const freight = await start(Freight, { arg: { freight: Array.from({ length: 5000 }, (_, index) => index / 2) } })
  const endless = await start(NumbersThere)
  const middle = await start(Doubler)
  await syncSubscribe(middle, { to: endless, maxDemand: 10, cancel: 'temporary' })
  for await (const _ of stream<number>({ to: middle, maxDemand: 10 })) break
  await freight.call.unload()
  endless.kill()
  await middle.stop()
  await Promise.all([numbers, doubler, freight, endless].map((ref: Ref) => ref.done))
}

async function heaps(): Promise<readonly number[]> {
  await collectGarbage()
  const own = process.memoryUsage().heapUsed
  return [own, ...(await Promise.all(gauges.map((gauge) => gauge.with({ timeout: Infinity }).call.heap())))]
}

for (let round = 0; round < 20; round++) await run(round === 0)
const before = await heaps()
for (let round = 0; round < RUNS; round++) await run(round % 50 === 0)
const after = await heaps()
const kilobytes = after.map((heap, index) => Math.round((heap - (before[index] ?? 0)) / 1024))
const during = threads.size
await workers.stop()
console.log(JSON.stringify({ kilobytes, during, end: threads.size }))
