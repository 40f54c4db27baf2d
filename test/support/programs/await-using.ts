/** `await using` stops what it holds when the block is left, without waiting for what still lies in mailboxes elsewhere. */

import { child, type ExitReason, GenServer, start, supervise } from 'sluice'

class Worker extends GenServer {
  override terminate(reason: ExitReason) {
    console.log(`terminate ${reason}`)
  }
}

{
  await using worker = await start(Worker)
  await using supervisor = await supervise({ strategy: 'one_for_one', children: [child(Worker)] })
  console.log(worker.alive && supervisor.alive)
}
console.log('left')
