/** Sends mails to an SMTP server, with nodemailer. */

import { createTransport } from 'nodemailer'
import { InputError } from '../command-line/input-error.ts'
import type { Send } from './mail.ts'

export interface SmtpOptions {
  /** `smtp://host:port`, with `user:password@` where the server wants it, or `smtps://`. */
  readonly url: string
  readonly from: string
}

/** A connection a mail, as long as that mail takes: who cuts the one disturbs no other. */
export function smtp({ url, from }: SmtpOptions): Send {
  const transport = createTransport(url)
  return async (address, signal) => {
    const mail = { from, to: address, subject: 'Welcome', text: `Hello ${address}, good to have you.\n`, signal }
    const { response } = await transport.sendMail(mail)
    return { address, response }
  }
}

/**
 * Asks whether anybody is there.
 *
 * @throws `InputError` when there is not.
 */
export async function checkServer(url: string): Promise<void> {
  const { protocol, host } = new URL(url)
  const transport = createTransport({ url, connectionTimeout: 10_000, greetingTimeout: 10_000 })
  try {
    await transport.verify()
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    const text = `${protocol}//${host} does not answer (${why}); expected a mail server that takes mails from here`
    throw new InputError(text, { cause: error })
  }
}
