/** A linked process without a supervisor crashes: the program is to fail with it. */

import { GenServer, startLink } from 'sluice'

class Worker extends GenServer {
  explode() {
    throw new RangeError('the tank is empty')
  }
}

process.on('exit', (code) => console.log(`exit ${code}`))
const worker = await startLink(Worker)
worker.cast.explode()
console.log(`ended with ${await worker.done}`)
