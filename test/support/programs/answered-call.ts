/** Calls that were answered, failed or given up leave nothing that keeps the program alive, however long they might have waited. */

import { GenServer, start } from 'sluice'

class Worker extends GenServer {
  soon() {
    return this.later(() => new Promise<string>((resolve) => void setTimeout(() => resolve('answer'), 5)))
  }
  never() {
    return this.later<string>()
  }
}

const worker = await start(Worker)
const patient = worker.with({ timeout: Infinity })
console.log(await patient.call.soon())

const controller = new AbortController()
setTimeout(() => controller.abort(), 5)
await worker
  .with({ timeout: Infinity, signal: controller.signal })
  .call.never()
  .catch((error) => console.log(error.code))

setTimeout(() => worker.kill(), 5)
await patient.call.never().catch((error) => console.log(error.code))
