/** What the checks have to know of a connector and of its server. */

import type { Message } from '../../broadway/message.ts'
import type { Emits } from '../../stage/subscription-options.ts'

/** What the checks publish: plain text, with the key that it is ordered by, where there are keys. */
export interface ConnectorPayload {
  readonly text: string
  readonly key: string
}

/** A source, as the option `producer` of a pipeline has it. */
export interface ConnectorProducer {
  readonly module: new (options: never) => Emits<Message>
  readonly arg: unknown
}

/** The connector's own way to publish. */
export interface ConnectorPublisher {
  /** Resolves when the server has all of them. */
  publish(payloads: readonly ConnectorPayload[]): Promise<void>
  close(): Promise<void>
}

/**
 * Introduces a connector to `connectorChecks`. A `Site` is whatever the harness needs to find one queue, topic or stream again:
 * each check has a fresh one. What is optional and left out is not checked.
 *
 * The server is asked for facts and waited for, so all may take their time; numbers have to become right in the end.
 *
 * Set backoffs, polls and waits between attempts low, so that what was given back comes again at once, and attempts to no limit.
 * Leave leases, such as a visibility timeout, at 30 seconds or more, since a slow machine must not run into them; a short one goes
 * to `soon`. A proxy between the connector and its server makes `disrupt` and `connections` easy; `publish` goes past it.
 */
export interface ConnectorHarness<Site> {
  /** What errors call it: the name of its class. */
  readonly name: string

  /** Makes a fresh queue, topic or stream, with nothing in it. */
  open(): Promise<Site>
  /** Disposes of it, also after a check that failed. All pipelines have ended. */
  close(site: Site): Promise<void>

  /**
   * The source for a pipeline, with these options laid over those of the harness: `soon`, or some of `badOptions`.
   */
  producer(site: Site, options: object): ConnectorProducer
  /** Publishes, in this order, past the connector; resolves when the server has them. It also works while `disrupt` does its work. */
  publish(site: Site, payloads: readonly ConnectorPayload[]): Promise<void>
  /** What was published. Default: the data of the message, a string or bytes. */
  textOf?(message: Message): string

  /** Which messages are handled in the order in which they were published: none, all with one source and one processor, or those with the same key. */
  readonly order: 'none' | 'queue' | 'key'
  /** The source itself has messages with the same key handled one after another: pipelines are given no `partitionBy`. */
  readonly keepsLanes?: boolean | undefined
  /** A message that failed comes again. False: it is done with, like one that was handled. */
  readonly redelivers: boolean
  /** Whether the message says that it was delivered before; leave it out where messages do not tell. */
  isRedelivered?(message: Message): boolean
  /**
   * How many messages a source may hand to the pipeline before they are handled, when its processors have asked for `demand` of
   * them: just that many, or what the source has the server send ahead.
   */
  mostHeld(demand: number): number
  /** What a processor had that died is delivered again while the pipeline runs. Default false: when the pipeline ends. */
  readonly redeliversLost?: boolean | undefined
  /** Options with which the server soon takes back what a dead pipeline, or processor, had. Default none: it hears of it at once. */
  readonly soon?: object | undefined
  /** Options that make no sense, each with the name of the option that the error has to tell. */
  readonly badOptions: readonly (readonly [options: object, name: string])[]

  /** Cuts the connections of sources and publishers, as a server that is started again does it. */
  disrupt?(site: Site): Promise<void>
  /** Messages at the server that nobody has, or, in a log, those behind the committed position. Exact in the end. */
  waiting?(site: Site): Promise<number>
  /** Messages that were handed out and are not answered for. Exact in the end. */
  unacknowledged?(site: Site): Promise<number>
  /** Connections that sources and publishers have open. */
  connections?(site: Site): number | Promise<number>
  /** A publisher of the connector. */
  publisher?(site: Site): Promise<ConnectorPublisher>

  /** Milliseconds that a check may take, far more than it does; only one that fails gets there. Default 60000. */
  readonly deadline?: number | undefined
}
