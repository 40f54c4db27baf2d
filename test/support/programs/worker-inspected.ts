/** Looks at a worker as a debugger does: which threads there are, and where their sources are. */

import { Session } from 'node:inspector'
import { startLink } from 'sluice'
import { inWorker, workerModule } from 'sluice/worker'

const module = workerModule<typeof import('../../worker/modules/servers.ts')>(
  new URL('../../worker/modules/servers.js', import.meta.url),
)
const session = new Session()
session.connect()
const source = new Promise<string>((resolve) => {
  session.on('NodeWorker.receivedMessageFromWorker', ({ params }) => {
    const { method, params: script } = JSON.parse(params.message)
    if (method === 'Debugger.scriptParsed' && script.url.endsWith('/servers.ts')) resolve(script.sourceMapURL)
  })
})
const title = new Promise<string>((resolve) => {
  session.on('NodeWorker.attachedToWorker', ({ params }) => {
    resolve(params.workerInfo.title)
    const message = JSON.stringify({ id: 1, method: 'Debugger.enable' })
    session.post('NodeWorker.sendMessageToWorker', { sessionId: params.sessionId, message })
  })
})
session.post('NodeWorker.enable', { waitForDebuggerOnStart: false })
const counter = await startLink(inWorker(module, 'Counter'))
console.log(await title)
console.log((await source).slice(0, 26))
session.disconnect()
await counter.stop()
