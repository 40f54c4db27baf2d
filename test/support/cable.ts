/** A way to a server that can be cut, and on which nothing may get through for a while. */

import { connect, createServer, type Socket } from 'node:net'

export class Cable implements AsyncDisposable {
  #target: string
  /** Both ends of each connection, both ways round. */
  readonly #ends = new Map<Socket, Socket>()
  #paused = false
  readonly #server = createServer((near) => {
    const { hostname, port } = new URL(this.#target)
    const far = connect(Number(port || 5672), hostname)
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#ends.set(one, other)
      one.on('error', () => {})
      one.on('close', () => {
        this.#ends.delete(one)
        other.destroy()
      })
      if (!this.#paused) one.pipe(other)
    }
  })

  private constructor(target: string) {
    this.#target = target
  }

  /** @param target The URL of the server. */
  static async lay(target: string): Promise<Cable> {
    const cable = new Cable(target)
    await new Promise<void>((resolve) => cable.#server.listen(0, '127.0.0.1', resolve))
    return cable
  }

  get uri(): string {
    const address = this.#server.address()
    const uri = new URL(this.#target)
    uri.host = `127.0.0.1:${typeof address === 'object' ? address?.port : 0}`
    return uri.href
  }

  /** New connections lead to another server, as when a name is given to it. */
  leadTo(target: string): void {
    this.#target = target
  }

  /** How many there are. */
  get connections(): number {
    return this.#ends.size / 2
  }

  cut(): void {
    for (const socket of this.#ends.keys()) socket.destroy()
  }

  /** Nothing gets through, not even that somebody hung up. */
  pause(): void {
    this.#paused = true
    for (const socket of this.#ends.keys()) socket.unpipe().pause()
  }

  resume(): void {
    this.#paused = false
    for (const [one, other] of this.#ends) one.pipe(other)
  }

  /** For good: nobody is there any more. */
  async remove(): Promise<void> {
    this.cut()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.remove()
  }
}
