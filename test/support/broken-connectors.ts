/** Connectors to find mistakes in: each differs from one that is right by one mistake. */

import type { Message } from 'sluice/broadway'
import type { ConnectorHarness, ConnectorRule } from 'sluice/testing'
import {
  type Line,
  type Parcel,
  PlainPublisher,
  type PlainServer,
  PlainSource,
  plainHarness,
} from './plain-connector.ts'

interface Mistake {
  readonly harness: ConnectorHarness<PlainServer>
  readonly rule: ConnectorRule
  /** What the error has to say. */
  readonly says: RegExp
}

/** Sources that have lost their first line, and those that were started, by what they are called. */
const once = new WeakMap<PlainServer, Set<string>>()

function isFirst(server: PlainServer, what: string): boolean {
  const known = once.get(server) ?? new Set()
  once.set(server, known)
  return known.size < known.add(what).size
}

export const mistakes: Readonly<Record<string, Mistake>> = {
  'loses messages': {
    harness: plainHarness(
      class extends PlainSource {
        protected override arrive(line: Line, parcels: readonly Parcel[]): void {
          const lost = parcels.filter(({ id }) => id % 7 === 0)
          this.wanted += lost.length
          line.answer(
            lost.map(({ id }) => id),
            'done',
          )
          super.arrive(
            line,
            parcels.filter((parcel) => !lost.includes(parcel)),
          )
        }
      },
    ),
    rule: 'delivers',
    says: /expected 20 messages to be handled, got all but 2: message 7, 14 after 5000 ms/,
  },
  'changes texts': {
    harness: plainHarness(
      class extends PlainSource {
        protected override message(line: Line, parcel: Parcel): Message<string> {
          return super.message(line, { ...parcel, text: Buffer.from(parcel.text, 'latin1').toString() })
        }
      },
    ),
    rule: 'delivers',
    says: /expected every message as it was published, got one that nobody has published/,
  },
  'acknowledges nothing': {
    harness: plainHarness(
      class extends PlainSource {
        protected override answer(): void {}
      },
    ),
    rule: 'acknowledges',
    says: /nothing to come again that was handled, got again message \d+, /,
  },
  'acknowledges the last of a list only': {
    harness: plainHarness(
      class extends PlainSource {
        protected override answer(line: Line, successful: readonly Message[], failed: readonly Message[]): void {
          super.answer(line, successful.slice(-1), failed)
        }
      },
    ),
    rule: 'acknowledges',
    says: /nothing to come again that was handled/,
  },
  'acknowledges what it hands out': {
    harness: plainHarness(
      class extends PlainSource {
        protected override arrive(line: Line, parcels: readonly Parcel[]): void {
          const ids = parcels.map(({ id }) => id)
          if (!this.leaving) line.answer(ids, 'done')
          super.arrive(line, parcels)
        }
      },
    ),
    rule: 'redelivers',
    says: /messages to be handled, got all but/,
  },
  'acknowledges what failed': {
    harness: plainHarness(
      class extends PlainSource {
        protected override answer(line: Line, successful: readonly Message[], failed: readonly Message[]): void {
          super.answer(line, [...successful, ...failed], [])
        }
      },
    ),
    rule: 'redelivers',
    says: /messages to be handled, got all but/,
  },
  'forgets what failed until it hangs up': {
    harness: plainHarness(
      class extends PlainSource {
        protected override answer(line: Line, successful: readonly Message[]): void {
          super.answer(line, successful, [])
        }
      },
    ),
    rule: 'redelivers',
    says: /messages to be handled, got all but/,
  },
  'has come again what it says it has not': {
    harness: { ...plainHarness(), redelivers: false },
    rule: 'redelivers',
    says: /what failed not to come again, got again message/,
  },
  'does not know what was delivered before': {
    harness: { ...plainHarness(), isRedelivered: () => false },
    rule: 'redelivers',
    says: /messages to say truly whether they were delivered before, got not message/,
  },
  'gives up at a message that fails again': {
    harness: plainHarness(
      class extends PlainSource {
        protected override answer(line: Line, successful: readonly Message[], failed: readonly Message[]): void {
          super.answer(line, successful, failed)
          if (failed.some(({ metadata }) => Reflect.get(Object(metadata), 'redelivered') === true)) this.leaving = true
        }
      },
    ),
    rule: 'isolates',
    says: /messages to be handled, got all but/,
  },
  'hands out all there is': {
    harness: plainHarness(
      class extends PlainSource {
        protected override get most(): number {
          return Infinity
        }
      },
    ),
    rule: 'demand',
    says: /at most 6 messages to be handed out, got 16/,
  },
  'counts wrongly what was asked for': {
    harness: plainHarness(
      class extends PlainSource {
        protected override arrive(line: Line, parcels: readonly Parcel[]): void {
          super.arrive(line, parcels)
          this.wanted++
        }
      },
    ),
    rule: 'demand',
    says: /at most 6 messages to be handed out, got /,
  },
  'keeps more than was asked for': {
    harness: plainHarness(
      class extends PlainSource {
        #kept: (readonly [Line, Parcel])[] = []

        protected override get most(): number {
          return this.wanted === 0 ? 0 : Math.max(0, 20 - this.#kept.length)
        }

        override handleDemand(demand: number): void {
          super.handleDemand(demand)
          this.#pass()
        }

        protected override arrive(line: Line, parcels: readonly Parcel[]): void {
          if (this.leaving) return super.arrive(line, parcels)
          this.#kept.push(...parcels.map((parcel) => [line, parcel] as const))
          this.#pass()
        }

        #pass(): void {
          this.#kept = this.#kept.filter(([line]) => line.isOpen)
          const passed = this.#kept.splice(0, this.wanted)
          this.wanted -= passed.length
          this.emit(passed.map(([line, parcel]) => this.message(line, parcel)))
        }
      },
    ),
    rule: 'demand',
    says: /at most 6 messages to be handed out, got \d\d after 5000 ms/,
  },
  'turns lists round': {
    harness: plainHarness(
      class extends PlainSource {
        protected override arrive(line: Line, parcels: readonly Parcel[]): void {
          super.arrive(line, parcels.toReversed())
        }
      },
    ),
    rule: 'order',
    says: /expected message 1, 2, 3, .*, got message /,
  },
  'promises an order of keys that its server does not keep': {
    harness: { ...plainHarness(), order: 'key' },
    rule: 'order',
    says: /expected message \d+, /,
  },
  'keeps its line when it is killed': {
    harness: plainHarness(
      class extends PlainSource {
        protected override hangUp(): void {
          if (this.stopping) super.hangUp()
        }
      },
    ),
    rule: 'recovers',
    says: /20 messages to be handled, got all but/,
  },
  'does not find out that a processor has died': {
    harness: { ...plainHarness(), redeliversLost: true },
    rule: 'recovers',
    says: /40 messages to be handled, got all but/,
  },
  'does not connect when it is started again': {
    harness: plainHarness(
      class extends PlainSource {
        protected override connect(): void {
          if (isFirst(this.options.server(), `${this.self}`.replace(/#\d+$/, ''))) super.connect()
        }
      },
    ),
    rule: 'recovers',
    says: /40 messages to be handled, got all but/,
  },
  'stays away when its line is cut': {
    harness: plainHarness(
      class extends PlainSource {
        protected override lost(): void {}
      },
    ),
    rule: 'reconnects',
    says: /40 messages to be handled, got all but/,
  },
  'forgets what was asked for when its line is cut': {
    harness: plainHarness(
      class extends PlainSource {
        protected override lost(): void {
          this.wanted = 0
          super.lost()
        }
      },
    ),
    rule: 'reconnects',
    says: /messages to be handled, got all but/,
  },
  'acknowledges nothing on its second line': {
    harness: plainHarness(
      class extends PlainSource {
        #first: Line | undefined = undefined

        protected override answer(line: Line, successful: readonly Message[], failed: readonly Message[]): void {
          this.#first ??= line
          if (line === this.#first) super.answer(line, successful, failed)
        }
      },
    ),
    rule: 'reconnects',
    says: /everything to be acknowledged in the end, got \d+ messages left after 5000 ms/,
  },
  'throws away what it gets when it is stopped': {
    harness: plainHarness(
      class extends PlainSource {
        override handleDrain(): void {
          super.handleDrain()
          const { waiting } = this.options.server()
          waiting.splice(0, 1)
        }
      },
    ),
    rule: 'drains',
    says: /\d+ messages to be left at the server, and nobody to have any, got \d+/,
  },
  'stays connected when it has been stopped': {
    harness: plainHarness(
      class extends PlainSource {
        protected override hangUp(): void {
          if (!this.stopping) super.hangUp()
        }
      },
    ),
    rule: 'drains',
    says: /no connection to stay open, got 1 after 5000 ms/,
  },
  'is never done with its drain': {
    harness: plainHarness(
      class extends PlainSource {
        override handleDrain(): Promise<void> {
          return new Promise(() => {})
        }
      },
    ),
    rule: 'drains',
    says: /pipeline 1 to end in order when it is stopped, got nothing after 5000 ms/,
  },
  'forgets an answer when it is stopped': {
    harness: plainHarness(
      class extends PlainSource {
        protected override answer(line: Line, successful: readonly Message[], failed: readonly Message[]): void {
          super.answer(line, this.leaving && this.isBusy ? successful.slice(1) : successful, failed)
        }

        /** There is more, so that nobody waits for it to come again. */
        get isBusy(): boolean {
          return this.options.server().waiting.length > 0
        }
      },
    ),
    rule: 'drains',
    says: /\d+ messages to be left at the server, and nobody to have any, got \d+/,
  },
  'takes any options': {
    harness: plainHarness(
      class extends PlainSource {
        protected override check(): void {}
      },
    ),
    rule: 'refuses',
    says: /an error that names the option most, got a pipeline that runs/,
  },
  'does not say which option is wrong': {
    harness: plainHarness(
      class extends PlainSource {
        protected override check({ most = 10 }): void {
          if (most < 1) throw new Error('bad options')
        }
      },
    ),
    rule: 'refuses',
    says: /an error that names the option most, got .*bad options/,
  },
  'has published before the server has it': {
    harness: plainHarness(
      PlainSource,
      class extends PlainPublisher {
        protected override async put(texts: readonly string[]): Promise<void> {
          super.put(texts).catch(() => {})
        }
      },
    ),
    rule: 'publishes',
    says: /messages/,
  },
  'publishes all but the last': {
    harness: plainHarness(
      PlainSource,
      class extends PlainPublisher {
        protected override put(texts: readonly string[]): Promise<void> {
          return super.put(texts.length > 1 ? texts.slice(0, -1) : texts)
        }
      },
    ),
    rule: 'publishes',
    says: /51 messages to be left at the server, and nobody to have any, got 50 after 5000 ms/,
  },
  'cannot publish': {
    harness: plainHarness(
      PlainSource,
      class extends PlainPublisher {
        override async publish(): Promise<void> {
          throw new Error('the server is full')
        }
      },
    ),
    rule: 'publishes',
    says: /1 message to be published, got the server is full/,
  },
}
