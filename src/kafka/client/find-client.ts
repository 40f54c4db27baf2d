/** Which client talks to the cluster. */

import type { OptionReader } from '../../stage/option-reader.ts'
import { KafkaError } from '../errors.ts'
import { kafkajsClient } from './kafkajs-client.ts'
import type { KafkaClient } from './port.ts'

/** A package, or a client of your own. */
export type ClientOption = 'platformatic' | 'kafkajs' | (() => KafkaClient)

/** Loads it; rejects with `missing_package`. */
export type FindClient = () => Promise<KafkaClient>

/** @throws what the options are refused with. */
export function readClient(options: OptionReader): FindClient {
  const given = options.get('client')
  if (given === undefined) return findClient
  if (given === 'kafkajs') return kafkajsClient
  if (given === 'platformatic') return platformaticClient
  const client = options.method<() => KafkaClient>(
    'client',
    "'platformatic', 'kafkajs' or a function that gives a client",
  )
  return async () => client?.() ?? findClient()
}

async function findClient(): Promise<KafkaClient> {
  if (!runsPlatformatic()) return kafkajsClient()
  try {
    return await platformaticClient()
  } catch (first) {
    try {
      return await kafkajsClient()
    } catch {
      throw first
    }
  }
}

/** It is loaded only where it runs. */
async function platformaticClient(): Promise<KafkaClient> {
  if (!runsPlatformatic()) {
    const text = `the package @platformatic/kafka needs Node 22.22, 24.6 or newer, this is Node ${process.versions.node}: use client 'kafkajs' (npm install kafkajs)`
    throw new KafkaError('missing_package', text)
  }
  const { loadPlatformatic } = await import('./platformatic-client.ts')
  return loadPlatformatic()
}

function runsPlatformatic(): boolean {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  if (major === 22) return minor >= 22
  return major === 24 ? minor >= 6 : major > 24
}
