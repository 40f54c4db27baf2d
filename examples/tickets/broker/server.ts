/** What the example needs of a server of messages. */

import type { ChildSpec, Emits, Message } from 'sluice'

export interface Server {
  /** For people: `RabbitMQ at 127.0.0.1:5672`. */
  readonly name: string
  /** The processes that publish, and whatever they need. */
  readonly children: readonly ChildSpec[]
  /** It tries again by itself what has failed, and gives it up after some deliveries. */
  readonly triesAgain: boolean
  /** What is published with the same key stays together, and the pipelines must not partition its messages. */
  readonly isPartitioned?: boolean
  /** A queue, which is there. */
  queue(options: ServerQueueOptions): Promise<ServerQueue>
  close(): Promise<void>
}

export interface ServerQueueOptions {
  readonly name: string
  /** The pipeline that handles its messages. */
  readonly pipeline: string
  /** Messages that the pipeline may have at the same time. */
  readonly prefetch: number
  /** Milliseconds after which a message that a killed process had comes again. */
  readonly lostAfter: number
  /** A message has failed: whether it is given up; others are to come again. */
  readonly givesUp: (message: Message) => boolean
}

export interface ServerQueue {
  /** Messages that waited when it was opened; `undefined` when the server cannot say it. */
  readonly waiting: number | undefined
  /** A producer of its messages, of whatever it emits. */
  readonly module: new () => Emits<unknown>
  /** What it emits; it has been delivered to the pipeline. */
  read(event: unknown): Delivered
  /** Resolves when the server has all of them. */
  publish(messages: readonly Published[], signal: AbortSignal | undefined): Promise<void>
  /** Publishes what has failed: some as dead letters, others to come again. Only where nothing becomes of it by its acknowledgement. */
  readonly takeFailed?: (dead: readonly Message[], again: readonly Message[]) => Promise<void>
  /** These have been acknowledged; for a server that cannot be asked what is left. */
  readonly answered?: (ids: readonly string[]) => void
  /** `undefined` when nobody is there to say it. */
  state(): Promise<ServerQueueState | undefined>
  /** The ids of the messages that are in it when its pipeline has ended. They stay there. Rejects when nobody is there to say it. */
  left(): Promise<readonly string[]>
}

export interface Delivered {
  readonly message: Message
  readonly content: string
  /** As it was published; `undefined` for what somebody else has put there. */
  readonly id: string | undefined
  /** So far, with this one; 2 stands for any that came before where the server does not count. */
  readonly deliveries: number
  /** What the server wants to find in the metadata of the message, later. */
  readonly metadata?: object
}

interface Published {
  readonly id: string
  /** What has the same one is handled in order. */
  readonly key: string
  readonly content: string
}

export interface ServerQueueState {
  /** Messages that nobody has, as far as is known. */
  readonly ready: number
  /** Messages that were delivered, and nobody has answered for. */
  readonly unanswered: number
  /** Messages that it is done with since it was opened; `undefined`: as many as were answered for. */
  readonly done?: number
}
