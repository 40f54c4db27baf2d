/**
 * Keeps a connection to the server: makes it, notices when it is gone, and makes it again, after a while that grows. Only bad
 * options end the process; everything else can be better the next time.
 */

import { Backoff, type BackoffOptions } from '../../connector/backoff.ts'
import { reportFailure } from '../../connector/failure-report.ts'
import type { Timer } from '../../process/clock.ts'
import type { Process } from '../../process/process.ts'
import { channels } from '../../telemetry/channels.ts'
import { RabbitMQError } from '../errors.ts'
import { failureReason, isFatal, withoutPassword } from './failure.ts'
import type { ServerChannel } from './server-channel.ts'

/** What a link is for; `S` is a channel and what belongs to it. */
export interface LinkPlan<S> {
  /** Reads the options, which may be others each time. What it throws is fatal. */
  begin(lost: (why: unknown) => void): { readonly server: ServerChannel; readonly backoff: BackoffOptions }
  /** Opens the channel, and declares and asks for everything. */
  setUp(server: ServerChannel): Promise<S>
  up(session: S): void
  /** The session is over; `text` is for people. */
  down(session: S, text: string, why: unknown): void
  /** Never again. */
  fatal(error: unknown): void
}

export class Link<S> {
  readonly #process: Process
  readonly #plan: LinkPlan<S>
  #backoff: Backoff | undefined = undefined
  #server: ServerChannel | undefined = undefined
  #session: S | undefined = undefined
  /** Since when there is a session. */
  #upSince = 0
  #retry: Timer | undefined = undefined
  #closed = false

  constructor(process: Process, plan: LinkPlan<S>) {
    this.#process = process
    this.#plan = plan
  }

  /** The channel that works now. */
  get session(): S | undefined {
    return this.#session
  }

  /** Makes the connection, now and whenever it is needed. */
  start(): void {
    if (this.#closed) return
    let begun: ReturnType<LinkPlan<S>['begin']>
    try {
      begun = this.#plan.begin((why) => this.#lost(server, why))
    } catch (error) {
      this.#closed = true
      return this.#plan.fatal(error)
    }
    const { server, backoff } = begun
    this.#server = server
    // Its options may change, what has been waited for not.
    this.#backoff ??= new Backoff(backoff, () => this.#process.runtime.random())
    this.#attempt(server, backoff)
  }

  /** The consumer was cancelled, or the like: everything is made anew. */
  restart(why: unknown): void {
    const server = this.#server
    if (server !== undefined) this.#lost(server, why)
  }

  /** Connects no more, and ends the connection that there is. */
  async close(): Promise<void> {
    this.#closed = true
    this.#retry?.cancel()
    const server = this.#server
    this.#server = this.#session = undefined
    await server?.close()
  }

  /** Connects no more; what there is goes on as long as it can. */
  leave(): void {
    this.#closed = true
    this.#retry?.cancel()
    if (this.#session === undefined) void this.close().catch(() => {})
  }

  #attempt(server: ServerChannel, backoff: BackoffOptions): void {
    let open = true
    const timer = this.#process.setTimer(server.timeout, () => {
      const text = `the server did not answer within ${server.timeout} ms`
      settled(() => this.#failed(server, new RabbitMQError('setup_timeout', text)))
    })
    const settled = (then: () => void): void => {
      if (!open) return
      open = false
      timer.cancel()
      if (this.#server === server) then()
    }
    this.#plan.setUp(server).then(
      (session) =>
        settled(() => {
          if (server.isGone) this.#failed(server, server.gone)
          else this.#connected(server, session, backoff)
        }),
      (error: unknown) => settled(() => this.#failed(server, error)),
    )
  }

  #connected({ connection }: ServerChannel, session: S, { min }: BackoffOptions): void {
    const process = this.#process
    this.#session = session
    this.#upSince = process.runtime.clock.now() + min
    if (channels.rabbitmqConnect.hasSubscribers) {
      const { shown, target } = connection
      channels.rabbitmqConnect.publish({ process: `${process}`, connection: shown, name: target.name })
    }
    this.#plan.up(session)
  }

  #failed(server: ServerChannel, error: unknown): void {
    // Who did not answer is not asked to agree to the end.
    if (failureReason(error) === 'timeout') server.destroy()
    else void server.close().catch(() => {})
    this.#server = undefined
    if (isFatal(error)) {
      this.#closed = true
      return this.#plan.fatal(error)
    }
    const process = this.#process
    const { connection } = server
    const delay = this.#backoff?.next()
    const { text, err } = withoutPassword(error, connection.target.password)
    const reason = failureReason(error)
    if (channels.rabbitmqConnectionFailure.hasSubscribers) {
      channels.rabbitmqConnectionFailure.publish({ process: `${process}`, reason, message: text, retryIn: delay })
    }
    reportFailure(process, `cannot connect to ${connection.shown}`, { text, err, reason }, delay)
    this.#later(delay)
  }

  #lost(server: ServerChannel, why: unknown): void {
    // While it is set up, that fails.
    if (this.#server !== server || this.#session === undefined) return
    const process = this.#process
    const session = this.#session
    const { text, err } = withoutPassword(why, server.connection.target.password)
    this.#server = this.#session = undefined
    void server.close().catch(() => {})
    if (!this.#closed) {
      process.runtime.logger.warn(
        { process: `${process}`, retryIn: 0, err },
        `${process} lost its channel of ${server.connection.shown}: ${text}; it connects again`,
      )
    }
    this.#plan.down(session, text, why)
    if (this.#closed) return
    // One that is lost at once, again and again, is no success.
    if (process.runtime.clock.now() < this.#upSince) return this.#later(this.#backoff?.next())
    this.#backoff?.reset()
    this.start()
  }

  #later(delay: number | undefined): void {
    if (delay === undefined || this.#closed) return
    this.#retry = this.#process.setTimer(delay, () => this.start())
  }
}
