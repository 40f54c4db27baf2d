/** Loads copies of the package from the folders given and tells of each whether it shares the runtime of the first. */

import { pathToFileURL } from 'node:url'

process.on('warning', (warning) => console.log(`${warning.name}: ${warning.message}`))
const [first = '', second = first] = process.argv.slice(2)
const load = (folder: string) => import(`${pathToFileURL(folder)}/index.ts`)
const one = await load(first)
const two = await load(second)

class Named extends one.GenServer {}
await one.start(Named, { name: Named })
console.log(`first finds it: ${one.whereis(Named) !== undefined}`)
console.log(`second finds it: ${two.whereis(Named) !== undefined}`)
