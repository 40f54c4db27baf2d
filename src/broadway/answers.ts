/**
 * What becomes of messages at their source, as the options `onSuccess` and `onFailure` of connectors say it: an answer, or a function
 * that chooses it for each message. Connectors tell their source; all of them choose in the same way.
 */

import type { Process } from '../process/process.ts'
import { badValue, OptionReader } from '../stage/option-reader.ts'
import { show } from '../stage/show.ts'
import type { Acknowledger } from './acknowledger.ts'
import type { Message } from './message.ts'

/** An answer, or a function that chooses it: by the failure in `message.status`, by the metadata. */
export type AnswerOption<Answer, Metadata = never> = Answer | ((message: Message<unknown, string, Metadata>) => Answer)

/** Both, as they are known of each message. */
export interface Answers<Answer> {
  readonly onSuccess: AnswerOption<Answer>
  readonly onFailure: AnswerOption<Answer>
}

/** The answers that a source understands. */
export interface AnswerKind<Answer> {
  readonly isAnswer: (value: unknown) => value is Answer
  /** All of them, as errors tell them. */
  readonly expected: string
  /** For a message whose function failed: nobody knows, and it must not be lost. */
  readonly unknown: Answer
  readonly refusal: (text: string) => Error
}

/** A message with its answer. */
export interface Answered<Answer, Data> {
  readonly message: Message
  readonly data: Data
  readonly answer: Answer
}

export const ANSWER_OPTIONS: readonly string[] = ['onSuccess', 'onFailure']

/** @throws what the options are refused with. */
export function readAnswer<Answer>(
  { isAnswer, expected }: AnswerKind<Answer>,
  options: OptionReader,
  key: keyof Answers<Answer>,
): AnswerOption<Answer> | undefined {
  const given = options.get(key)
  return given === undefined || isAnswer(given) ? given : options.method(key, expected)
}

/** The acknowledger of a source: finds the answers to messages, and has `tell` tell them all. `ackRef` is one run of the source. */
export function answeringAcknowledger<Answer, Ref extends { readonly process: Process }, Data extends Answers<Answer>>(
  kind: AnswerKind<Answer>,
  tell: (ref: Ref, answered: readonly Answered<Answer, Data>[]) => void | PromiseLike<void>,
): Acknowledger<Ref, Data> {
  const answer = (process: Process, message: Message, key: keyof Answers<Answer>): Answered<Answer, Data> => {
    const data = message.ackData as Data
    return { message, data, answer: choose(kind, process, message, key, data[key]) }
  }
  return {
    ack(ref, successful, failed) {
      const { process } = ref
      return tell(ref, [
        ...successful.map((message) => answer(process, message, 'onSuccess')),
        ...failed.map((message) => answer(process, message, 'onFailure')),
      ])
    },

    configure({ process }, data, given) {
      const owner = { name: `configureAck of ${process}`, refusal: kind.refusal }
      const options = new OptionReader(owner, given, ANSWER_OPTIONS)
      const { onSuccess, onFailure } = data
      return {
        ...data,
        onSuccess: readAnswer(kind, options, 'onSuccess') ?? onSuccess,
        onFailure: readAnswer(kind, options, 'onFailure') ?? onFailure,
      }
    },
  }
}

function choose<Answer>(
  kind: AnswerKind<Answer>,
  process: Process,
  message: Message,
  key: string,
  option: AnswerOption<Answer>,
): Answer {
  if (kind.isAnswer(option)) return option
  try {
    const chosen: unknown = option(message as Message<unknown, string, never>)
    if (kind.isAnswer(chosen)) return chosen
    throw kind.refusal(badValue(`the result of ${key} of ${process}`, kind.expected, chosen))
  } catch (err) {
    // The message is not to blame, and others are answered for in the same call.
    process.runtime.logger.error(
      { err, process: `${process}` },
      `${key} of ${process} failed; the message is answered for with ${show(kind.unknown)}`,
    )
    return kind.unknown
  }
}
