/** Idle processes, one of them linked, one with an idle timeout, do not keep the program alive. */

import { GenServer, start, startLink } from 'sluice'

class Idle extends GenServer {
  constructor() {
    super()
    this.idleTimeout(3_600_000)
  }
  ask() {
    return 'answer'
  }
}

const ref = await start(Idle)
await startLink(Idle)
console.log(await ref.call.ask())
