/** Linked processes end in an orderly way, and an unlinked one crashes: the program goes on to its end. */

import { GenServer, start, startLink } from 'sluice'

class Worker extends GenServer {
  explode() {
    throw new RangeError('the tank is empty')
  }
}

for (const reason of ['normal', 'shutdown', { shutdown: 'moved' }]) {
  const worker = await startLink(Worker)
  await worker.stop({ reason })
}
const worker = await start(Worker)
worker.cast.explode()
await worker.done
console.log('done')
