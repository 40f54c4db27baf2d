/** Programs with workers, which have to end by themselves: `stopped`, `idle`, `cast`, `replaced`. */

import { start, startLink } from 'sluice'
import { inWorker, Workers, workerModule } from 'sluice/worker'

const module = workerModule<typeof import('../../worker/modules/dying.ts')>(
  new URL('../../worker/modules/dying.js', import.meta.url),
)
const Dying = inWorker(module, 'Dying')

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
    console.log(process.getActiveResourcesInfo().filter((kind) => /Worker|MessagePort|Timeout/.test(kind)))
  },

  /** An idle process that nobody is linked to does not keep the program alive. */
  async idle() {
    await start(Dying)
    console.log('started')
  },

  /** Work does, as it would in this thread. */
  async cast() {
    const dying = await start(Dying)
    dying.cast.works('worked\n')
  },
}

await programs[process.argv[2] ?? '']?.()
