/**
 * What the connector needs of a client of Redis: connections, and commands as Redis documents them. Another client has to do no more
 * than this.
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
  /** Told when the connection was lost. It is not made again: that is for `Link` to do. */
  readonly lost: (error: unknown) => void
}

export interface RedisClient {
  /** Loads what it needs, if there is something: a source does not start without it. */
  load?(): Promise<unknown>
  /** Makes a connection, or rejects, without another attempt. */
  connect(target: RedisTarget): Promise<RedisConnection>
}

/** As the server sends them, by its protocol RESP2: text that may be any bytes is a `Buffer`, a status such as `OK` a string. */
export type RedisReply = null | number | string | Buffer | readonly RedisReply[]

export interface RedisConnection {
  /** There is a connection now. */
  readonly isReady: boolean
  /**
   * Sends a command. Rejects with what the server refuses, a `RedisRefusal`, and when the connection is lost, or was lost before the
   * answer came.
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
