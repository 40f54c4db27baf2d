/** A sink in the hands of a stage. */

import { StageError } from '../errors.ts'

/** It fails once: whoever waits for it gets the error, or else `SinkOwner.failed`. */
export interface OpenSink<T> {
  /** Writes events in order. A promise means that the sink is full: it is to be waited for before more is written. */
  write(events: readonly T[]): Promise<void> | undefined
  /** Ends it when all is written; resolves when all has been taken. */
  end(): Promise<void>
  /** Lets go of a sink that stays open; resolves when all has been taken. */
  release(): Promise<void>
  /** Gives up: what was not taken yet is lost. */
  abort(reason: Error | undefined): void
}

/** The stage that writes. */
export interface SinkOwner {
  /** Name and number, for texts. */
  toString(): string
  /** The sink failed while nobody waited for it. */
  failed(error: unknown): void
}

/** The sink was closed by whoever reads it: a fault, unless it has had enough, as a program that ends early. */
export function closedByOther(owner: SinkOwner, part: string, cause: unknown): StageError {
  const how = cause === undefined ? 'ended' : 'closed'
  const error = new StageError('stream_closed', `${part} of ${owner} was ${how} by somebody else while it was written`)
  error.cause = cause
  return error
}
