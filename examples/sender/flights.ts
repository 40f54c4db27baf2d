/** Notes when each mail was on its way, and how that ended. */

import type { Receipt, Send } from './mail.ts'

export interface Flight {
  readonly address: string
  /** Milliseconds since the step began. */
  readonly began: number
  /** `undefined` as long as it is on its way. */
  ended: number | undefined
  /** `cut`: whoever sent it has ended it. */
  outcome: 'on its way' | 'sent' | 'failed' | 'cut'
  /** What the server, or the network, said. */
  said: string
}

export class Flights {
  readonly list: Flight[] = []
  /** Mails that were on their way at the same time, at most. */
  most = 0
  readonly #sent = new Set<Promise<unknown>>()
  readonly #send: Send
  readonly #interrupt: AbortSignal
  readonly #zero = performance.now()

  /** Notes what goes through `send`; `interrupt` ends it all. */
  constructor(send: Send, interrupt: AbortSignal) {
    this.#send = send
    this.#interrupt = interrupt
  }

  /** Milliseconds since the step began. */
  get elapsed(): number {
    return performance.now() - this.#zero
  }

  /** Sends a mail and takes note. */
  readonly send: Send = async (address, signal) => {
    const flight: Flight = { address, began: this.elapsed, ended: undefined, outcome: 'on its way', said: '' }
    this.list.push(flight)
    this.most = Math.max(this.most, this.list.filter(({ ended }) => ended === undefined).length)
    const sent = this.#fly(flight, signal)
    this.#sent.add(sent)
    try {
      return await sent
    } finally {
      this.#sent.delete(sent)
    }
  }

  /** Waits until no mail is on its way. */
  async landed(): Promise<void> {
    while (this.#sent.size > 0) await Promise.allSettled(this.#sent)
  }

  async #fly(flight: Flight, signal: AbortSignal | undefined): Promise<Receipt> {
    const ends = signal === undefined ? this.#interrupt : AbortSignal.any([signal, this.#interrupt])
    const land = (outcome: Flight['outcome'], said: string) => {
      if (flight.ended !== undefined) return
      ends.removeEventListener('abort', cut)
      Object.assign(flight, { ended: this.elapsed, outcome, said })
    }
    const cut = () => land('cut', 'cut off: its connection is closed')
    ends.addEventListener('abort', cut)
    try {
      const receipt = await this.#send(flight.address, ends)
      land('sent', receipt.response)
      return receipt
    } catch (error) {
      land('failed', said(error))
      throw error
    }
  }
}

/** What the server said, as far as it said anything. */
function said(error: unknown): string {
  if (typeof error === 'object' && error !== null && 'response' in error) return String(error.response)
  return messageOf(error)
}

/** The first line of what an error says. */
export function messageOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error)
  return text.split('\n')[0] ?? ''
}
