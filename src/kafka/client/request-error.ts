/** A request to Kafka that failed. */

/**
 * The codes of Kafka that mean something to the connector; 0 is ours, for a request without an answer.
 *
 * Source: https://kafka.apache.org/protocol#protocol_error_codes
 */
export const CODES = {
  noAnswer: 0,
  offsetOutOfRange: 1,
  unknownTopic: 3,
  coordinatorLoading: 14,
  coordinatorNotAvailable: 15,
  notCoordinator: 16,
  illegalGeneration: 22,
  unknownMember: 25,
  rebalanceInProgress: 27,
  memberIdRequired: 79,
} as const

/** These will not go away when it is tried again: messages that are too large or broken, topics and groups that one may not use. */
const FINAL: readonly number[] = [2, 10, 17, 18, 29, 30, 32, 33, 35, 43, 58, 87]
/** Of these: messages that are too large or broken. */
const ABOUT_CONTENT: readonly number[] = [2, 10, 18, 32, 43, 87]

/** What a client could not get from a cluster. */
export class KafkaRequestError extends Error {
  /** Kafka's code; 0 when there was no answer. */
  readonly kafkaCode: number

  constructor(kafkaCode: number, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = 'KafkaRequestError'
    this.kafkaCode = kafkaCode
  }
}

/** Kafka's code of an error; 0 for what is none of its own. */
export function codeOf(error: unknown): number {
  return error instanceof KafkaRequestError ? error.kafkaCode : CODES.noAnswer
}

/** It is of no use to try again. */
export function isFinal(error: unknown): boolean {
  return FINAL.includes(codeOf(error))
}

/** It is about what is in a message, and not about where it goes to. */
export function isAboutContent(error: unknown): boolean {
  return ABOUT_CONTENT.includes(codeOf(error))
}
