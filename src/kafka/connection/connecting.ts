/** Makes a connection, again and again until there is one. What becomes of it then is its client's business. */

import { Backoff, type BackoffOptions } from '../../connector/backoff.ts'
import { reportFailure } from '../../connector/failure-report.ts'
import type { Process } from '../../process/process.ts'
import { channels } from '../../telemetry/channels.ts'
import type { KafkaConnection } from '../client/port.ts'
import { KafkaError } from '../errors.ts'
import type { CheckedConnection } from '../options/connection-options.ts'
import { safeFailure } from '../options/safe-failure.ts'

/** `undefined` when the process has ended, or is not to try again. Rejects when no attempt would go better. */
export async function connectTo(
  process: Process,
  { target, findClient, shown, secrets }: CheckedConnection,
  options: BackoffOptions,
): Promise<KafkaConnection | undefined> {
  const backoff = new Backoff(options, () => process.runtime.random())
  const client = await findClient()
  const named = { ...target, clientId: `${target.clientId}${String(process).replace(/[^\w.-]+/g, '_')}` }
  while (process.alive) {
    try {
      const connection = await client.connect(named)
      if (!process.alive) {
        await connection.close()
        return undefined
      }
      if (channels.kafkaConnect.hasSubscribers) channels.kafkaConnect.publish({ process: `${process}`, hosts: shown })
      return connection
    } catch (error) {
      if (error instanceof KafkaError) throw error
      const retryIn = backoff.next()
      const { text, err } = safeFailure(error, secrets)
      if (channels.kafkaConnectionFailure.hasSubscribers) {
        channels.kafkaConnectionFailure.publish({ process: `${process}`, message: text, retryIn })
      }
      reportFailure(process, `cannot connect to Kafka at ${shown}`, { text, err }, retryIn)
      if (retryIn === undefined) return undefined
      await process.sleep(retryIn)
    }
  }
  return undefined
}
