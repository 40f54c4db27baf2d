/** A server that a test starts, kills and starts again: it keeps what it has on the disk, and its port. */

import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from './free-port.ts'

export interface ServerPlan {
  /** For its folder. */
  readonly name: string
  readonly program: string
  readonly args: (port: number, home: string) => readonly string[]
  /** What it says when it listens. */
  readonly ready: RegExp
}

export class ServerProcess implements AsyncDisposable {
  readonly port: number
  readonly #plan: ServerPlan
  readonly #home: string
  #child: ChildProcess | undefined
  #ended: Promise<unknown> = Promise.resolve()

  private constructor(plan: ServerPlan, port: number, home: string) {
    this.#plan = plan
    this.port = port
    this.#home = home
  }

  static async start(plan: ServerPlan): Promise<ServerProcess> {
    const home = await mkdtemp(join(tmpdir(), `sluice-${plan.name}-`))
    const server = new ServerProcess(plan, await freePort(), home)
    await server.revive()
    return server
  }

  /** After it was killed; resolves when it listens. */
  async revive(): Promise<void> {
    const { program, args, ready } = this.#plan
    const child = spawn(program, args(this.port, this.#home), { stdio: ['ignore', 'pipe', 'pipe'] })
    this.#child = child
    const leave = (): void => void child.kill('SIGKILL')
    process.once('exit', leave)
    this.#ended = new Promise((resolve) => child.once('close', resolve).once('error', resolve))
    void this.#ended.then(() => process.off('exit', leave))
    let said = ''
    await new Promise<void>((resolve, reject) => {
      const note = (text: Buffer): void => {
        said = `${said}${text}`.slice(-5000)
        if (ready.test(said)) resolve()
      }
      child.stdout.on('data', note)
      child.stderr.on('data', note)
      void this.#ended.then((how) => reject(new Error(`${program} has ended (${String(how)}): ${said}`)))
    })
  }

  /** As a power failure does it. */
  async kill(): Promise<void> {
    this.#child?.kill('SIGKILL')
    await this.#ended
  }

  /** It does nothing at all until it thaws; its connections stay. */
  freeze(): void {
    this.#child?.kill('SIGSTOP')
  }

  thaw(): void {
    this.#child?.kill('SIGCONT')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill()
    await rm(this.#home, { recursive: true, force: true })
  }
}
