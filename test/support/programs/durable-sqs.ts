/** A server that speaks as SQS does and has all in a folder; of Node 24. Told its port and its folder, it says when it listens. */

import { startFauxqs } from 'fauxqs-durable'

const [port, dataDir = ''] = process.argv.slice(2)
await startFauxqs({ port: Number(port), dataDir, logger: false })
console.log('listens')
