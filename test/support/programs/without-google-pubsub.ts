/** Starts a publisher with the sources in a folder that has no packages, and tells why that fails. */

import { pathToFileURL } from 'node:url'

const [folder = ''] = process.argv.slice(2)
const { configure, start } = await import(`${pathToFileURL(folder)}/index.ts`)
const { PubSubPublisher } = await import(`${pathToFileURL(folder)}/pubsub/index.ts`)
const silent = () => {}
configure({ logger: { debug: silent, info: silent, warn: silent, error: silent } })
try {
  await start(PubSubPublisher, { arg: { topic: 'projects/shop/topics/mails' } })
} catch (error) {
  const { code, message } = Object(error).cause
  console.log(`${code}: ${message}`)
}
