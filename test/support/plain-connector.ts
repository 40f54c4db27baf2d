/** A server in memory with all that connectors need, and a connector to it that is as plain as can be, and right. */

import { type ExitReason, Producer } from 'sluice'
import { type Acknowledger, Message } from 'sluice/broadway'
import type { ConnectorHarness, ConnectorPublisher } from 'sluice/testing'

export interface Parcel {
  readonly id: number
  readonly text: string
  readonly redelivered: boolean
}

interface Receiver {
  readonly max: number
  readonly resolve: (parcels: readonly Parcel[]) => void
  readonly reject: (error: Error) => void
}

export class PlainServer {
  waiting: Parcel[] = []
  readonly lines = new Set<Line>()
  #last = 0

  connect(): Line {
    const line = new Line(this)
    this.lines.add(line)
    return line
  }

  put(texts: readonly string[]): void {
    this.waiting.push(...texts.map((text) => ({ id: ++this.#last, text, redelivered: false })))
    this.serve()
  }

  /** They are the next to come. */
  putBack(parcels: readonly Parcel[]): void {
    this.waiting.unshift(...parcels.map((parcel) => ({ ...parcel, redelivered: true })))
    this.serve()
  }

  serve(): void {
    for (const line of this.lines) line.serve()
  }

  cut(): void {
    for (const line of [...this.lines]) line.end()
  }

  get held(): number {
    return [...this.lines].reduce((sum, { held }) => sum + held.size, 0)
  }
}

/** A connection. */
export class Line {
  readonly held = new Map<number, Parcel>()
  readonly #server: PlainServer
  #receivers: Receiver[] = []

  constructor(server: PlainServer) {
    this.#server = server
  }

  get isOpen(): boolean {
    return this.#server.lines.has(this)
  }

  /** Waits for messages; none when it was told to wait no longer. */
  receive(max: number): Promise<readonly Parcel[]> {
    if (!this.isOpen) return Promise.reject(new Error('the line is dead'))
    return new Promise((resolve, reject) => {
      this.#receivers.push({ max, resolve, reject })
      this.serve()
    })
  }

  stopReceiving(): void {
    for (const { resolve } of this.#receivers.splice(0)) resolve([])
  }

  serve(): void {
    while (this.#receivers.length > 0 && this.#server.waiting.length > 0) {
      const receiver = this.#receivers.shift()
      const parcels = this.#server.waiting.splice(0, receiver?.max)
      for (const parcel of parcels) this.held.set(parcel.id, parcel)
      receiver?.resolve(parcels)
    }
  }

  /** Takes them, or has them come again. */
  answer(ids: readonly number[], answer: 'done' | 'again'): void {
    if (!this.isOpen) throw new Error('the line is dead')
    const parcels = ids.flatMap((id) => this.held.get(id) ?? [])
    for (const id of ids) this.held.delete(id)
    if (answer === 'again') this.#server.putBack(parcels)
  }

  /** Resolves when the server has them. */
  async put(texts: readonly string[]): Promise<void> {
    await Promise.resolve()
    if (!this.isOpen) throw new Error('the line is dead')
    this.#server.put(texts)
  }

  end(): void {
    if (!this.#server.lines.delete(this)) return
    for (const { reject } of this.#receivers.splice(0)) reject(new Error('the line is dead'))
    this.#server.putBack([...this.held.values()])
  }
}

export interface PlainOptions {
  /** A function, since a server is no plain data. */
  readonly server: () => PlainServer
  /** Messages received at once, >= 1. Default 10. */
  readonly most?: number
}

/** What is protected is what broken ones do in another way. */
export class PlainSource extends Producer<Message<string>> {
  protected readonly options: PlainOptions
  protected line: Line | undefined = undefined
  protected wanted = 0
  protected leaving = false
  #isReceiving = false
  readonly #acknowledger: Acknowledger = {
    ack: (line, successful, failed) => {
      if (line instanceof Line) this.answer(line, successful, failed)
    },
  }

  constructor(options: PlainOptions) {
    super()
    this.check(options)
    this.options = options
    this.continue('connect')
  }

  override handleContinue(_step: 'connect'): void {
    // However it ends, its connection does as well.
    this.signal.addEventListener('abort', () => this.hangUp())
    this.connect()
  }

  override handleDemand(demand: number): void {
    this.wanted += demand
    this.receive()
  }

  override handleInfo(_again: unknown): void {
    this.connect()
  }

  override handleDrain(): void | Promise<void> {
    this.leaving = true
    this.line?.stopReceiving()
  }

  override terminate(_reason: ExitReason): void {
    this.hangUp()
  }

  protected check({ most = 10 }: PlainOptions): void {
    if (!(most >= 1)) throw new Error(`most of PlainSource: expected a number >= 1, got ${most}`)
  }

  protected connect(): void {
    this.line = this.options.server().connect()
    this.receive()
  }

  protected hangUp(): void {
    this.line?.end()
  }

  /** How many messages to receive. */
  protected get most(): number {
    return Math.min(this.wanted, this.options.most ?? 10)
  }

  protected receive(): void {
    const { line } = this
    if (line === undefined || this.#isReceiving || this.leaving || this.most === 0) return
    this.#isReceiving = true
    line.receive(this.most).then(
      (parcels) => {
        this.#isReceiving = false
        this.arrive(line, parcels)
        this.receive()
      },
      () => {
        this.#isReceiving = false
        if (!this.signal.aborted) this.lost()
      },
    )
  }

  protected arrive(line: Line, parcels: readonly Parcel[]): void {
    const ids = parcels.map(({ id }) => id)
    if (this.leaving) return line.isOpen ? line.answer(ids, 'again') : undefined
    this.wanted -= parcels.length
    this.emit(parcels.map((parcel) => this.message(line, parcel)))
  }

  protected message(line: Line, { id, text, redelivered }: Parcel): Message<string> {
    return new Message(text, { acknowledger: this.#acknowledger, ackRef: line, ackData: id, metadata: { redelivered } })
  }

  protected lost(): void {
    this.line = undefined
    this.sendAfter('connect', 10)
  }

  protected answer(line: Line, successful: readonly Message[], failed: readonly Message[]): void {
    line.answer(idsOf(successful), 'done')
    line.answer(idsOf(failed), 'again')
  }
}

export class PlainPublisher implements ConnectorPublisher {
  readonly #server: PlainServer
  #line: Line

  constructor(server: PlainServer) {
    this.#server = server
    this.#line = server.connect()
  }

  async publish(payloads: readonly { readonly text: string }[]): Promise<void> {
    try {
      await this.put(payloads.map(({ text }) => text))
    } catch {
      this.#line = this.#server.connect()
      await this.publish(payloads)
    }
  }

  async close(): Promise<void> {
    this.#line.end()
  }

  protected put(texts: readonly string[]): Promise<void> {
    return this.#line.put(texts)
  }
}

const idsOf = (messages: readonly Message[]): readonly number[] => messages.map(({ ackData }) => Number(ackData))

/** What the checks have to know of it. */
export function plainHarness(
  source: new (options: PlainOptions) => PlainSource = PlainSource,
  publisher: new (server: PlainServer) => ConnectorPublisher = PlainPublisher,
): ConnectorHarness<PlainServer> {
  return {
    name: source.name,
    open: async () => new PlainServer(),
    close: async () => {},
    producer: (server, options) => ({ module: source, arg: { server: () => server, ...options } }),
    publish: async (server, payloads) => server.put(payloads.map(({ text }) => text)),
    order: 'queue',
    redelivers: true,
    isRedelivered: ({ metadata }) => Reflect.get(Object(metadata), 'redelivered') === true,
    mostHeld: (demand) => demand,
    badOptions: [[{ most: 0 }, 'most']],
    disrupt: async (server) => server.cut(),
    waiting: async ({ waiting }) => waiting.length,
    unacknowledged: async ({ held }) => held,
    connections: ({ lines }) => lines.size,
    publisher: async (server) => new publisher(server),
    deadline: 5000,
  }
}
