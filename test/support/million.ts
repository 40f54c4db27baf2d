/** Starts a million servers, calls each once, stops each; prints what is left. Run with 4 GB of heap. */

import { GenServer, start } from 'sluice'

class Echo extends GenServer {
  echo(n: number): number {
    return n
  }
}

const COUNT = 1_000_000
const refs = []
for (let n = 0; n < COUNT; n++) refs.push(await start(Echo))
let wrong = 0
for (const [n, ref] of refs.entries()) if ((await ref.call.echo(n)) !== n) wrong++
for (const ref of refs) await ref.stop()
console.log(JSON.stringify({ wrong, alive: refs.filter((ref) => ref.alive).length }))
