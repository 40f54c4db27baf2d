/** The pipeline that tells buyers: the tickets that somebody bought within a window of time go into one e-mail. */

import { type BatchInfo, Broadway, type Message } from 'sluice'
import type { Confirmation } from './booking.ts'
import type { BrokerQueue, Delivery } from './broker/broker.ts'
import { digestOf, type SendMail } from './digest.ts'
import type { Tally } from './tally.ts'
import type { Tickets } from './tickets.ts'

export interface TellingOptions {
  readonly confirmations: BrokerQueue<Confirmation>
  readonly tickets: Tickets
  readonly tally: Tally
  readonly send: SendMail
  /** Milliseconds for which tickets of one buyer are collected. */
  readonly window: number
  readonly maxRestarts: number
}

/** Tickets in a mail at most. */
const MOST = 50
/** Mails on their way at the same time. */
export const MAILS = 4

export function telling(options: TellingOptions) {
  const { source, retry, deadLetter } = options.confirmations
  return Broadway.child({
    name: 'telling',
    context: options,
    maxRestarts: options.maxRestarts,
    producer: { module: source.module, transformer: (event: unknown) => source.read(event) },
    retry,
    deadLetter,
    processors: {
      default: {
        concurrency: 1,
        maxDemand: 100,
        handleMessage: byRecipient,
      },
    },
    batchers: {
      email: {
        concurrency: MAILS,
        batchSize: MOST,
        batchTimeout: options.window,
        // Or two mails could tell of the same ticket, when it was confirmed twice.
        ...(!source.isPartitioned && { partitionBy: byBuyer }),
        handleBatch: tell,
      },
    },
  })
}

type ConfirmationMessage = Message<Confirmation | undefined, 'default', Delivery>

function byRecipient(message: ConfirmationMessage) {
  const { data: confirmation } = message
  if (confirmation === undefined) return message.failed('no confirmation')
  return message.putData(confirmation).putBatcher('email').putBatchKey(confirmation.recipient)
}

function byBuyer({ data }: Message<Confirmation>) {
  return data.buyer
}

/** Mails are sent at least once: who sent one and ends before that is noted down leaves it to be sent again. */
async function tell(
  messages: readonly Message<Confirmation>[],
  { batchKey: recipient }: BatchInfo,
  { tickets, tally, send }: TellingOptions,
) {
  const untold = await tickets.unconfirmed(messages.map(({ data }) => data.booking))
  if (untold.length > 0) {
    const digest = await send(digestOf(`${recipient}`, untold))
    await tickets.confirm(
      untold.map(({ booking }) => booking),
      digest,
    )
    tally.digests++
  }
  return messages
}
