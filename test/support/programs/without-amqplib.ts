/** Starts a publisher with the sources in a folder that has no packages, and tells why it ends. */

import { pathToFileURL } from 'node:url'

const [folder = ''] = process.argv.slice(2)
const { configure, start } = await import(`${pathToFileURL(folder)}/index.ts`)
const { RabbitMQPublisher } = await import(`${pathToFileURL(folder)}/rabbitmq/index.ts`)
const silent = () => {}
configure({ logger: { debug: silent, info: silent, warn: silent, error: silent } })
const publisher = await start(RabbitMQPublisher)
const { code, message } = await publisher.done
console.log(`${code}: ${message}`)
