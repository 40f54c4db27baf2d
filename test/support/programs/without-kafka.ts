/** Starts a publisher with the sources in a folder that has no packages, and tells why it ends. */

import { pathToFileURL } from 'node:url'

const [folder = ''] = process.argv.slice(2)
const { configure, start } = await import(`${pathToFileURL(folder)}/index.ts`)
const { KafkaPublisher } = await import(`${pathToFileURL(folder)}/kafka/index.ts`)
const silent = () => {}
configure({ logger: { debug: silent, info: silent, warn: silent, error: silent } })
const publisher = await start(KafkaPublisher, { arg: { hosts: 'localhost:9092' } })
const { code, message } = await publisher.done
console.log(`${code}: ${message}`)
