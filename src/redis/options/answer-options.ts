/** What may become of a message. */

import {
  type AnswerKind,
  type Answers,
  type AnswerOption as ConnectorAnswerOption,
  readAnswer,
} from '../../broadway/answers.ts'
import { isDelay, type OptionReader } from '../../stage/option-reader.ts'
import { refusal } from './option-reader.ts'

/** Of an entry of a list: it is done with; it goes back to the end of the list; it goes to `deadLetters`. */
export type ListAnswer = 'ack' | 'retry' | 'dead_letter'

/**
 * Of an entry of a stream: it is done with; it is delivered again, after a delay that doubles with each delivery; after a delay in
 * milliseconds, at most `claimIdle`; it goes to `deadLetters`.
 */
export type StreamAnswer = ListAnswer | { readonly retryAfter: number }

/** An answer, or a function that chooses it: by the failure in `message.status`, by the metadata. */
export type AnswerOption<Answer, Metadata> = ConnectorAnswerOption<Answer, Metadata>

/** How messages are answered for; of a source, or by `message.configureAck` of one message. */
export interface AnswerOptions<Answer, Metadata> {
  /** What becomes of a message that was handled. Default `ack`. */
  readonly onSuccess?: AnswerOption<Answer, Metadata> | undefined
  /** What becomes of a message that failed. Default `retry`. */
  readonly onFailure?: AnswerOption<Answer, Metadata> | undefined
}

const WORDS = ['ack', 'retry', 'dead_letter']
const isWord = (value: unknown): value is ListAnswer => WORDS.some((word) => word === value)

export const LIST_ANSWERS: AnswerKind<ListAnswer> = {
  isAnswer: isWord,
  expected: "'ack', 'retry' or 'dead_letter'",
  unknown: 'retry',
  refusal,
}
export const STREAM_ANSWERS: AnswerKind<StreamAnswer> = {
  isAnswer: (value): value is StreamAnswer =>
    isWord(value) ||
    (typeof value === 'object' && value !== null && 'retryAfter' in value && isDelay(value.retryAfter)),
  expected: "'ack', 'retry', { retryAfter: milliseconds } or 'dead_letter'",
  unknown: 'retry',
  refusal,
}

/** The answers of a source, and where dead letters go. */
export function readAnswers<Answer>(
  kind: AnswerKind<Answer>,
  options: OptionReader,
  ack: Answer,
  retry: Answer,
): Answers<Answer> & { readonly deadLetters: string | undefined } {
  const onSuccess = readAnswer(kind, options, 'onSuccess') ?? ack
  const onFailure = readAnswer(kind, options, 'onFailure') ?? retry
  const deadLetters = readKey(options, 'deadLetters')
  if ((onFailure === 'dead_letter' || onSuccess === 'dead_letter') && deadLetters === undefined)
    throw options.bad('deadLetters', "the key of dead letters, since an answer is 'dead_letter'")
  return { onSuccess, onFailure, deadLetters }
}

/** A key of Redis, which is not empty. */
export function readKey(options: OptionReader, key: string): string | undefined {
  const value = options.string(key)
  if (value === '') throw options.bad(key, 'a key of Redis, which is not empty')
  return value
}
