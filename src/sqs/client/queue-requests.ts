/** Requests about messages of one queue: any number of them, in as few requests as there have to be. */

import type { BatchResult, FailedEntry, SqsClient } from './port.ts'

/** AWS takes so many at once. */
export const MAX_BATCH = 10

/**
 * Whose fault it is: the sender's, and it is of no use to try again, as with a receipt that is worth nothing any more; that of the
 * service, for this message; or the whole request has failed.
 */
type Fault = 'sender' | 'service' | 'request'

/** A message about which a request failed. */
export interface RequestFailure {
  readonly receipt: string
  readonly error: Error
  readonly fault: Fault
}

export interface Visibility {
  readonly receipt: string
  /** Seconds, whole. */
  readonly seconds: number
}

export class QueueRequests {
  readonly #client: SqsClient
  readonly #queueUrl: string

  constructor(client: SqsClient, queueUrl: string) {
    this.#client = client
    this.#queueUrl = queueUrl
  }

  /** They are done with. Gives those that are not, also when no request got through. */
  delete(receipts: readonly string[]): Promise<readonly RequestFailure[]> {
    return this.#inBatches(
      receipts,
      (receipt) => receipt,
      (batch) =>
        this.#client.deleteMessageBatch({
          QueueUrl: this.#queueUrl,
          Entries: batch.map((receipt, index) => ({ Id: String(index), ReceiptHandle: receipt })),
        }),
    )
  }

  /** They can be received by others after so many seconds from now on. Gives those for which that failed. */
  changeVisibility(visibilities: readonly Visibility[]): Promise<readonly RequestFailure[]> {
    return this.#inBatches(
      visibilities,
      ({ receipt }) => receipt,
      (batch) =>
        this.#client.changeMessageVisibilityBatch({
          QueueUrl: this.#queueUrl,
          Entries: batch.map(({ receipt, seconds }, index) => ({
            Id: String(index),
            ReceiptHandle: receipt,
            VisibilityTimeout: seconds,
          })),
        }),
    )
  }

  async #inBatches<T>(
    all: readonly T[],
    receiptOf: (each: T) => string,
    request: (batch: readonly T[]) => Promise<BatchResult>,
  ): Promise<readonly RequestFailure[]> {
    const batches: (readonly T[])[] = []
    for (let start = 0; start < all.length; start += MAX_BATCH) batches.push(all.slice(start, start + MAX_BATCH))
    const failures = await Promise.all(
      batches.map(async (batch): Promise<readonly RequestFailure[]> => {
        try {
          return failuresOf(await request(batch), batch, receiptOf)
        } catch (cause) {
          const error = cause instanceof Error ? cause : new Error(String(cause))
          return batch.map((each) => ({ receipt: receiptOf(each), error, fault: 'request' }))
        }
      }),
    )
    return failures.flat()
  }
}

/** Their ids are their places in the request: AWS refuses two of the same, and a message may come twice at once. */
function failuresOf<T>(
  { Failed = [] }: BatchResult,
  batch: readonly T[],
  receiptOf: (each: T) => string,
): readonly RequestFailure[] {
  return Failed.flatMap((failed) => {
    const each = batch[Number(failed.Id)]
    const fault = failed.SenderFault === true ? 'sender' : 'service'
    return each === undefined ? [] : [{ receipt: receiptOf(each), error: new Error(textOf(failed)), fault }]
  })
}

/** Why an entry failed, as AWS says it. */
export function textOf({ Code = 'unknown', Message = '' }: FailedEntry): string {
  return Message === '' ? Code : `${Code}: ${Message}`
}
