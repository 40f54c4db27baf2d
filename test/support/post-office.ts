/** The mail server of the sender example, for tests: it keeps what happened, and answers when it is told to. */

import { startLink } from 'sluice'
import { type Simulation, simulate } from 'sluice/testing'
import type { Send } from '../../examples/sender/mail.ts'
import { type Answer, MailServer, type ServerEvent } from '../../examples/sender/mail-server.ts'
import { smtp } from '../../examples/sender/smtp.ts'

export class PostOffice {
  readonly events: ServerEvent[] = []
  /** Mails that waited for their answer at the same time, at most. */
  most = 0
  /** Those that wait, by address. */
  readonly #waiting = new Map<string, (answer: Answer) => void>()
  readonly #heard = new Set<() => void>()
  readonly #hold: boolean

  /** With `hold` mails wait until they are released. */
  constructor(hold: boolean) {
    this.#hold = hold
  }

  readonly answer = (address: string): Answer | Promise<Answer> => {
    if (!this.#hold) return 'accepted'
    return new Promise((resolve) => this.#waiting.set(address, resolve))
  }

  readonly watch = (event: ServerEvent): void => {
    this.events.push(event)
    if (event.kind === 'asked') this.most = Math.max(this.most, this.#inHand())
    for (const heard of this.#heard) heard()
  }

  /** Answers a mail that waits. */
  release(address: string, answer: Answer = 'accepted'): void {
    const resolve = this.#waiting.get(address)
    if (resolve === undefined) throw new Error(`no mail for ${address} waits`)
    this.#waiting.delete(address)
    resolve(answer)
  }

  /** To whom it has happened, in order. */
  to(kind: ServerEvent['kind']): readonly (string | undefined)[] {
    return this.events.filter((event) => event.kind === kind).map(({ address }) => address)
  }

  /** Waits until it has happened to all of them. */
  async happened(kind: ServerEvent['kind'], ...addresses: readonly string[]): Promise<void> {
    const missing = () => addresses.filter((address) => !this.to(kind).includes(address))
    await new Promise<void>((resolve) => {
      const heard = () => {
        if (missing().length > 0) return
        this.#heard.delete(heard)
        resolve()
      }
      this.#heard.add(heard)
      heard()
    })
  }

  /** Connections with a mail that has no answer yet. */
  #inHand(): number {
    const busy = new Set<string>()
    for (const { kind, id } of this.events) {
      if (kind === 'asked') busy.add(id)
      else busy.delete(id)
    }
    return busy.size
  }
}

export interface Scene {
  readonly sim: Simulation
  readonly post: PostOffice
  readonly send: Send
  readonly url: string
}

/**
 * Runs a test with a mail server and real connections, in a simulation: time stands still until the test moves it on, so that
 * a timeout comes when it is to come, and no sooner.
 */
export function withPostOffice({ hold }: { readonly hold: boolean }, test: (scene: Scene) => Promise<void>) {
  return simulate().run(async (sim) => {
    const post = new PostOffice(hold)
    const server = await startLink(MailServer, { arg: { answer: post.answer, watch: post.watch } })
    try {
      const url = await server.call.url()
      await test({ sim, post, send: smtp({ url, from: 'sluice@example.org' }), url })
    } finally {
      await server.stop()
    }
  })
}
