/** Streams for tests: they count what passes, and give or take only when they are told. */

import { Readable, Writable } from 'node:stream'
import { WritableStream } from 'node:stream/web'

/** A Node `Readable` that counts up and knows how far it was pulled. */
export class Numbers extends Readable {
  pulled = 0
  readonly #until: number

  constructor(until = Infinity, highWaterMark = 4) {
    super({ objectMode: true, highWaterMark })
    this.#until = until
  }

  override _read(): void {
    this.push(this.pulled < this.#until ? this.pulled++ : null)
  }
}

/** A Node `Readable` of bytes, in chunks of `size`, that knows how many it gave. */
export class Bytes extends Readable {
  given = 0
  readonly #size: number
  readonly #until: number

  constructor({ size, until = Infinity, highWaterMark }: { size: number; until?: number; highWaterMark: number }) {
    super({ highWaterMark })
    this.#size = size
    this.#until = until
  }

  override _read(): void {
    if (this.given >= this.#until) return void this.push(null)
    this.given += this.#size
    this.push(Buffer.alloc(this.#size, 'x'))
  }
}

/** A source that counts how far it was read and notices when it is closed. */
export class Tape {
  pulled = 0
  closed = 0

  async *later(until = Infinity): AsyncGenerator<number> {
    try {
      while (this.pulled < until) yield this.pulled++
    } finally {
      this.closed++
    }
  }

  *now(until = Infinity): Generator<number> {
    try {
      while (this.pulled < until) yield this.pulled++
    } finally {
      this.closed++
    }
  }
}

/** A Node `Writable` that takes a chunk when it is told to. */
export class Gate extends Writable {
  readonly taken: unknown[] = []
  #callback: ((error?: Error | null) => void) | undefined

  constructor(options: { objectMode?: boolean; highWaterMark: number } = { objectMode: true, highWaterMark: 4 }) {
    super(options)
  }

  override _write(chunk: unknown, _encoding: string, callback: (error?: Error | null) => void): void {
    this.taken.push(chunk)
    this.#callback = callback
  }

  /** Lets the chunk in hand pass. */
  pass(error?: Error): void {
    const callback = this.#callback
    this.#callback = undefined
    callback?.(error)
  }

  /** Chunks that were written and have not passed. */
  get held(): number {
    return this.writableLength
  }
}

/** A Web `WritableStream` that takes a chunk when it is told to. */
export class WebGate {
  readonly taken: unknown[] = []
  closed = false
  isAborted = false
  aborted: unknown = undefined
  #pass: (() => void) | undefined
  #fail: ((error: unknown) => void) | undefined
  readonly stream: WritableStream<unknown>

  constructor(highWaterMark = 4) {
    this.stream = new WritableStream<unknown>(
      {
        write: (chunk) => {
          this.taken.push(chunk)
          return new Promise<void>((resolve, reject) => {
            this.#pass = resolve
            this.#fail = reject
          })
        },
        close: () => {
          this.closed = true
        },
        abort: (reason) => {
          this.isAborted = true
          this.aborted = reason
        },
      },
      { highWaterMark },
    )
  }

  pass(error?: Error): void {
    if (error === undefined) this.#pass?.()
    else this.#fail?.(error)
  }
}

/** A Node `Writable` that keeps what it gets. */
export function collector(into: unknown[], options: { objectMode?: boolean } = { objectMode: true }): Writable {
  return new Writable({
    ...options,
    write(chunk, _encoding, callback) {
      into.push(chunk)
      callback()
    },
  })
}

/** The listeners that somebody has put on a stream. */
export function listeners(stream: {
  eventNames(): (string | symbol)[]
  listenerCount(event: string | symbol): number
}): Record<string, number> {
  return Object.fromEntries(stream.eventNames().map((name) => [String(name), stream.listenerCount(name)]))
}
