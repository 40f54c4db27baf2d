/** Counts the lines of a file in a flow that keeps one in a thousand, and tells how much memory that took outside of the heap. */

import { Flow, files } from 'sluice/flow'

const [path = ''] = process.argv.slice(2)
let most = 0
const kept = await Flow.from(files.lines(path))
  .filter((line) => {
    const wanted = line.endsWith('000')
    if (wanted) most = Math.max(most, process.memoryUsage().arrayBuffers)
    return wanted
  })
  .toArray()
console.log(JSON.stringify({ kept: kept.length, megabytes: Math.round(most / 2 ** 20) }))
