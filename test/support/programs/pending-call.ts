/** A call that waits for its reply keeps the program alive, although nothing else does. */

import { GenServer, start } from 'sluice'

class Silent extends GenServer {
  ask() {
    return this.later<string>()
  }
}

const silent = await start(Silent)
await silent
  .with({ timeout: 50 })
  .call.ask()
  .catch((error) => console.log(error.code))
