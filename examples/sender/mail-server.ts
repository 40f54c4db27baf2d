/** A mail server on this machine, with smtp-server: real connections, and answers as slow and as rude as one likes. */

import { GenServer } from 'sluice'
import { SMTPServer, type SMTPServerSession } from 'smtp-server'

/** What it says to a mail for somebody. With `hung up` it closes the connection. */
export type Answer = 'accepted' | 'refused' | 'hung up'

/** Something that happened at the server. */
export interface ServerEvent {
  /** `asked`: a mail is here and waits for the answer that follows, unless the sender closes the connection before. */
  readonly kind: 'opened' | 'asked' | Answer | 'closed'
  /** The connection. */
  readonly id: string
  /** Whom the mail is for, once that is known. */
  readonly address: string | undefined
}

export interface MailServerOptions {
  /** Decides what becomes of a mail; the sender waits as long as this takes. */
  readonly answer: (address: string) => Answer | Promise<Answer>
  /** Connections at the same time; more are turned away. Default: any number. */
  readonly maxClients?: number | undefined
  /** Hears what happens. */
  readonly watch?: ((event: ServerEvent) => void) | undefined
  /** Gets each mail that was accepted, as it came: its headers, an empty line, its text. */
  readonly deliver?: ((mail: string) => void) | undefined
}

export class MailServer extends GenServer {
  readonly #options: MailServerOptions
  readonly #server: SMTPServer
  /** The connections that are open, and the mail that each has brought. */
  readonly #open = new Map<string, string | undefined>()

  constructor(options: MailServerOptions) {
    super()
    this.#options = options
    this.#server = new SMTPServer({
      ...(options.maxClients !== undefined && { maxClients: options.maxClients }),
      name: 'localhost',
      disabledCommands: ['AUTH', 'STARTTLS'],
      disableReverseLookup: true,
      // Who is still connected when it stops is not waited for.
      closeTimeout: 1,
      onConnect: (session, done) => {
        this.#open.set(session.id, undefined)
        this.#tell('opened', session)
        done()
      },
      onRcptTo: ({ address }, session, done) => {
        this.#open.set(session.id, address)
        this.#tell('asked', session)
        void this.#answer(address, session).then(done, done)
      },
      onData: (data, _session, done) => {
        let mail = ''
        data.setEncoding('utf8').on('data', (text: string) => (mail += text))
        data.on('end', () => {
          options.deliver?.(mail)
          done()
        })
      },
      onClose: (session) => {
        if (this.#open.has(session.id)) this.#tell('closed', session)
        this.#open.delete(session.id)
      },
    })
    // A sender that is gone is no reason to worry.
    this.#server.on('error', () => {})
  }

  override async init() {
    // Whatever ends it, nothing is left open.
    this.signal.addEventListener('abort', () => this.#server.close())
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen(0, '127.0.0.1', resolve)
    })
  }

  /** Where it listens: `smtp://127.0.0.1:40000`. */
  url() {
    const address = this.#server.server.address()
    if (address === null || typeof address === 'string') throw new Error('the mail server does not listen')
    return `smtp://${address.address}:${address.port}`
  }

  override terminate() {
    return new Promise<void>((resolve) => this.#server.close(resolve))
  }

  async #answer(address: string, session: SMTPServerSession) {
    const answer = await this.#options.answer(address)
    // The sender may have gone meanwhile.
    if (!this.#open.has(session.id)) return undefined
    this.#tell(answer, session)
    if (answer === 'accepted') return undefined
    const [responseCode, text] = answer === 'refused' ? [550, 'No such mailbox'] : [421, 'Go away']
    return Object.assign(new Error(text), { responseCode })
  }

  #tell(kind: ServerEvent['kind'], { id }: SMTPServerSession) {
    this.#options.watch?.({ kind, id, address: this.#open.get(id) })
  }
}
