/**
 * What the connector needs of a client of Redis: connections that come back by themselves, and commands as Redis documents them.
 * Another client has to do no more than this.
 */

/** Where to connect to, and how; complete. */
export interface RedisTarget {
  /** `redis://host:port/0`, without user and password. */
  readonly url: string
  readonly username: string | undefined
  readonly password: string | undefined
  /** What the server shows as the connection. */
  readonly name: string | undefined
  /** Milliseconds until an attempt to connect is given up. */
  readonly timeout: number
  /** Options of `tls.connect`, for `rediss://`. */
  readonly tls: Readonly<Record<string, unknown>> | undefined
  /**
   * Told when a connection was lost, and of each attempt to make it again that failed. Gives the milliseconds until the next attempt,
   * `undefined` for none.
   */
  readonly failed: (error: unknown) => number | undefined
  /** Told of each connection that was made. */
  readonly ready: () => void
}

export interface RedisClient {
  /** Loads what it needs, if there is something: a source does not start without it. */
  load?(): Promise<unknown>
  /** Makes the first connection, or rejects, without another attempt; one that is lost it makes again, as `failed` says. */
  connect(target: RedisTarget): Promise<RedisConnection>
}

/** As the server sends them, by its protocol RESP2: text that may be any bytes is a `Buffer`, a status such as `OK` a string. */
export type RedisReply = null | number | string | Buffer | readonly RedisReply[]

export interface RedisConnection {
  /** There is a connection now. */
  readonly isReady: boolean
  /**
   * Sends a command, now or when there is a connection again. Rejects with what the server refuses, a `RedisRefusal`, and when the
   * connection was lost before the answer came.
   */
  command(...args: readonly (string | Buffer)[]): Promise<RedisReply>
  /** Resolves when what was sent is answered. */
  close(): Promise<void>
  /** Lets go of the socket at once; what was not answered rejects. */
  destroy(): void
}

/** The server has understood a command, and refused it. */
export class RedisRefusal extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = 'RedisRefusal'
  }
}
