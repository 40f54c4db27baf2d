/** Programs with workers, which have to end by themselves: `stopped`, `idle`, `cast`. */

import { subscribe } from 'node:diagnostics_channel'
import { Worker } from 'node:worker_threads'
import { start, startLink } from 'sluice'
import { inWorker, Workers, workerModule } from 'sluice/worker'

const module = workerModule<typeof import('../../worker/modules/dying.ts')>(
  new URL('../../worker/modules/dying.js', import.meta.url),
)
const Dying = inWorker(module, 'Dying')

/** The threads that run, as Node tells. */
const threads = new Set<Worker>()
/** Resolves when one of them keeps the program alive no longer. */
const idle = new Promise<void>((resolve) => {
  subscribe('worker_threads', (message) => {
    const worker: unknown = Reflect.get(Object(message), 'worker')
    if (!(worker instanceof Worker)) return
    threads.add(worker)
    worker.once('exit', () => threads.delete(worker))
    const unref = worker.unref.bind(worker)
    worker.unref = () => {
      unref()
      resolve()
    }
  })
})

const programs: Readonly<Record<string, () => Promise<void>>> = {
  /** After a stop no thread is left. */
  async stopped() {
    const dying = await startLink(Dying)
    console.log(await dying.call.ping())
    await dying.stop()
    await using workers = new Workers({ size: 2 })
    const other = await start(inWorker(module, 'Dying', { on: workers }))
    console.log(await other.call.ping())
    await workers.stop()
    console.log(
      `${threads.size} threads, ${process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length} timers`,
    )
  },

  /** An idle process that nobody is linked to does not keep the program alive. */
  async idle() {
    await start(Dying)
    console.log('started')
  },

  /** Work does, as it would in this thread. */
  async cast() {
    const dying = await start(Dying)
    // Once it is idle, it does not keep the program alive; then it has work again.
    await idle
    dying.cast.works('worked\n')
  },
}

await programs[process.argv[2] ?? '']?.()
