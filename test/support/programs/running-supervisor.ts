/** A supervisor keeps the program alive, although nothing else does, until it is stopped. */

import { child, GenServer, supervise } from 'sluice'

class Idle extends GenServer {}

const supervisor = await supervise({ strategy: 'one_for_one', children: [child(Idle)] })
process.on('beforeExit', () => console.log('nothing left to wait for'))
// An unref'd timer does not keep the program alive either: it can fire only because the supervisor does.
setTimeout(async () => {
  console.log('still alive')
  await supervisor.stop()
  console.log('stopped')
}, 50).unref()
