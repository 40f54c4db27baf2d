/** The e-mail that tells a buyer of new tickets, and how it is sent. */

import { createTransport } from 'nodemailer'
import type { Ticket } from './tickets.ts'

export interface Mail {
  readonly to: string
  readonly subject: string
  readonly text: string
}

/** Sends a mail, and gives its id. Rejects when it is not taken. */
export type SendMail = (mail: Mail) => Promise<string>

/** One mail, however many tickets. */
export function digestOf(to: string, tickets: readonly Ticket[]): Mail {
  const count = tickets.length === 1 ? 'a ticket' : `${tickets.length} tickets`
  const [first] = tickets
  const lines = tickets.map(({ title, seat }) => `  ${title}, seat ${seat}`)
  const text = [`Dear ${first?.buyer},`, '', `you have ${count}:`, '', ...lines, '', 'Enjoy the show!', ''].join('\n')
  return { to, subject: `You have ${count}`, text }
}

/** Sends over SMTP, to a `url` like `smtp://127.0.0.1:40000`, over a few connections that stay open until `close`. */
export function smtp(url: string, connections: number): { readonly send: SendMail; readonly close: () => void } {
  const transport = createTransport({ url, pool: true, maxConnections: connections, maxMessages: Infinity })
  return {
    send: async (mail) => {
      const { messageId } = await transport.sendMail({ from: 'Box office <box-office@example.org>', ...mail })
      return messageId
    },
    close: () => transport.close(),
  }
}
