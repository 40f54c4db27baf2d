import { type Name, Producer, QueueProducer, type Ref } from 'sluice'
import {
  type Acknowledger,
  ackImmediately,
  type BatcherOptions,
  type BatchSplitter,
  Broadway,
  emit,
  Message,
} from 'sluice/broadway'
import { type Equal, expectType, expectValue } from './support.ts'

interface Order {
  readonly id: string
  readonly amount: number
}
class Orders extends Producer<Message<Order, string, { readonly queue: string }>> {
  constructor(_queue: string) {
    super()
  }
  override handleDemand(): void {}
}
class Lines extends Producer<string> {
  override handleDemand(): void {}
}
declare const parse: (line: string) => Order
declare const db: { save(orders: readonly Order[]): Promise<void> }

// A message says what it holds, and where it goes.
const message = new Message({ id: 'a', amount: 1 }, { metadata: { queue: 'q' } })
expectType<Equal<(typeof message)['data'], { id: string; amount: number }>>()
expectType<Equal<(typeof message)['metadata'], { queue: string }>>()
expectValue<Message<number, 'sqs', { queue: string }>>()(
  message
    .updateData(({ amount }) => amount)
    .putBatcher('sqs')
    .putBatchMode('flush')
    .putBatchKey(3),
)
expectValue<Message<{ id: string; amount: number }, never, { queue: string }>>()(message.failed('no'))
expectValue<Message<string> | Promise<Message<string>>>()(ackImmediately(new Message('a')))
// @ts-expect-error: it does not change
message.data = 3

await Broadway.start({
  name: 'retries',
  producer: { source: ['a'] },
  processors: {
    default: {
      handleMessage: (message) => message.updateData((text) => text.length + message.attempts),
      retry: {
        attempts: 3,
        backoff: { type: 'exp', min: 10 },
        when: (failure, message) => failure.kind !== 'failed' && message.data.startsWith('a'),
      },
    },
  },
  batchers: {
    default: {
      handleBatch: (messages) => messages,
      retry: { attempts: 2, when: (_failure, message) => message.data > 3 },
    },
  },
  retry: { attempts: 2, when: (_failure, { data }) => typeof data === 'string' || data > 3 },
})

declare const running: Ref<Broadway<string>>
expectValue<number | undefined>()(
  (await running.call.setConcurrency({ processors: 2, batchers: { sqs: 3 } })).processors[0]?.concurrency,
)
// @ts-expect-error: producers stay
await running.call.setConcurrency({ producers: 2 })

await Broadway.start({
  name: 'dead letters',
  context: { db },
  producer: { source: ['a'] },
  processors: { default: { handleMessage: (message) => message.updateData((text) => text.length) } },
  async deadLetter(messages, context, stage) {
    expectType<Equal<(typeof messages)[number]['data'], string | number>>()
    expectType<Equal<typeof context, { db: typeof db }>>()
    return stage.index
  },
})

// A callback that is there only sometimes says as little of the context as one that is always there. (Behind `&&`, and with nothing else
// whose parameters have no types, TypeScript looks at it before it knows the context.)
declare const sometimes: boolean
declare const handleText: (message: Message<string>, context: { readonly db: typeof db }) => Message<string>
await Broadway.start({
  name: 'sometimes',
  context: { db },
  producer: { source: ['a'] },
  processors: { default: { handleMessage: handleText } },
  handleFailed: sometimes
    ? (messages, context) => {
        expectType<Equal<typeof context, { db: typeof db }>>()
        return messages
      }
    : undefined,
  deadLetter: sometimes
    ? (_messages, context) => {
        expectType<Equal<typeof context, { db: typeof db }>>()
      }
    : undefined,
})

// What a producer of messages emits comes to `handleMessage`; what that returns comes to the batcher that it names.
const orders = await Broadway.start({
  name: 'orders',
  context: { db },
  producer: { module: Orders, arg: 'eu', concurrency: 2 },
  processors: {
    default: {
      partitionBy: ({ data }) => data.amount,
      prepareMessages(messages, context) {
        expectType<Equal<typeof messages, readonly Message<Order, 'default', { readonly queue: string }>[]>>()
        expectType<Equal<typeof context, { db: typeof db }>>()
        return messages
      },
      async handleMessage(message, context, stage) {
        expectType<Equal<typeof message, Message<Order, 'default', { readonly queue: string }>>>()
        expectType<Equal<typeof context, { db: typeof db }>>()
        expectType<Equal<typeof stage.signal, AbortSignal>>()
        if (message.data.amount < 0) return message.failed('negative')
        if (message.data.amount > 100) return message.updateData(({ id }) => id).putBatcher('large')
        return message.putBatcher('small')
      },
    },
  },
  batchers: {
    small: {
      batchSize: { initial: 0, splitter: ({ data }, bytes: number) => (bytes > 10 ? emit : bytes + data.amount) },
      maxDemand: 10,
      async handleBatch(messages, info, context) {
        expectType<Equal<(typeof messages)[number]['data'], Order>>()
        expectType<Equal<typeof info.trigger, 'size' | 'timeout' | 'flush'>>()
        await context.db.save(messages.map(({ data }) => data))
        return messages
      },
    },
    large: {
      partitionBy: ({ data }) => data.length,
      handleBatch(messages) {
        expectType<Equal<(typeof messages)[number]['data'], string>>()
        return messages
      },
    },
  },
  handleFailed(messages, context) {
    expectType<Equal<(typeof messages)[number]['data'], string | Order>>()
    expectType<Equal<typeof context, { db: typeof db }>>()
    return messages.map((message) => message.configureAck({ retry: true }))
  },
})
expectValue<Promise<readonly Name<Orders>[]>>()(orders.call.producerNames())
const outcome = await orders.call.testMessage({ id: 'a', amount: 3 })
expectType<Equal<(typeof outcome)['successful'], readonly Message[]>>()
// @ts-expect-error: no order
await orders.call.testMessage('a')
// @ts-expect-error: only of a batch
await orders.call.testMessage({ id: 'a', amount: 3 }, { batchMode: 'bulk' })
await orders.call.testBatch([{ id: 'a', amount: 3 }], { batchMode: 'flush' })
await orders.call.pushMessages([message])

// A transformer makes messages of events.
const lines = await Broadway.start({
  name: 'lines',
  producer: { module: Lines, transformer: (line) => new Message(parse(line)) },
  processors: {
    default: {
      handleMessage(message, context) {
        expectType<Equal<typeof message, Message<Order, 'default'>>>()
        expectType<Equal<typeof context, undefined>>()
        return message.updateData(({ amount }) => amount)
      },
    },
  },
})
expectType<Equal<typeof lines, Ref<Broadway<Order, Lines>>>>()

// Elements of a source are data, unless they are messages.
await Broadway.start({
  name: 'source',
  producer: { source: async () => [1, 2] },
  processors: {
    default: {
      handleMessage(message) {
        expectType<Equal<typeof message, Message<number, 'default'>>>()
        return message
      },
    },
  },
})
await Broadway.start({
  name: 'source',
  producer: { source: [new Message(1)] },
  processors: {
    default: {
      handleMessage(message) {
        expectType<Equal<typeof message, Message<number, 'default'>>>()
        return message
      },
    },
  },
})

await Broadway.start({
  name: 'source',
  producer: { source: ['1'].entries(), transformer: ([index, text]) => new Message(text, { metadata: index }) },
  processors: {
    default: {
      handleMessage(message) {
        expectType<Equal<typeof message, Message<string, 'default', number>>>()
        return message
      },
    },
  },
})

// Functions that are declared elsewhere fit.
const handleMessage = (message: Message<number>): Message<string, 'default'> =>
  message.updateData(String).putBatcher('default')
const handleBatch = async (messages: readonly Message<string>[]): Promise<readonly Message<string>[]> => messages
await Broadway.startLink({
  name: 'elsewhere',
  producer: { source: [1] },
  processors: { default: { handleMessage } },
  batchers: { default: { handleBatch } },
})
Broadway.child({
  name: 'elsewhere',
  producer: { source: [1] },
  processors: { default: { handleMessage: (message) => message.updateData(String) } },
  batchers: { default: { handleBatch } },
})

const all = (messages: readonly Message[]): readonly Message[] => messages
await Broadway.start({
  name: 'any',
  producer: { source: [1] },
  processors: { default: { handleMessage: (message) => message.failed('always') } },
  batchers: { default: { handleBatch: all } },
  handleFailed: all,
})

// The messages of the producer of a pipeline are typed.
const queued = await Broadway.start({
  name: 'queued',
  producer: { module: QueueProducer<number>, transformer: (n) => new Message(n) },
  processors: { default: { handleMessage: (message) => message } },
})
const [queue] = await queued.call.producerNames()
await queue?.call.enqueue(3)

// Acknowledgers know their own parts of a message.
const receipts: Acknowledger<string, { readonly receipt: number }> = {
  async ack(queue, successful, failed) {
    expectType<Equal<typeof queue, string>>()
    expectType<Equal<typeof successful, readonly Message[]>>()
    expectType<Equal<typeof failed, readonly Message[]>>()
  },
  configure: (_queue, { receipt }) => ({ receipt: receipt + 1 }),
}
new Message(1, { acknowledger: receipts, ackRef: 'queue', ackData: { receipt: 1 } })

// Options of a batcher that were written down elsewhere do not decide what the messages are.
declare const elsewhere: { batchSize?: number | BatchSplitter<Message> }
void Broadway.start({
  name: 'numbers',
  producer: { source: [1] },
  processors: { default: { handleMessage: (message) => message.updateData(String).putBatcher('odd') } },
  batchers: {
    odd: {
      ...elsewhere,
      handleBatch(messages) {
        expectType<Equal<typeof messages, readonly Message<string, 'odd'>[]>>()
        return messages
      },
    },
  },
})

// Callbacks may be functions of their own, whose parameters say less than what comes.
type Read<Batcher extends string> = Message<Order, Batcher, { readonly queue: string }>
const read = (line: string): Read<string> => new Message(parse(line), { metadata: { queue: 'q' } })
const prepare = async (messages: readonly Read<'default'>[]) => messages
const route = (message: Read<'default'>) =>
  message.data.amount > 9 ? message.putBatcher('large') : message.putBatcher('small')
const save = async (messages: readonly Message<Order>[], _info: unknown, context: typeof db) => {
  await context.save(messages.map(({ data }) => data))
  return messages
}
const batcher = (batchSize: number): BatcherOptions<Message<Order>, typeof db> => ({ batchSize, handleBatch: save })
const log = (messages: readonly Message<Order>[]) => messages.map((each) => each.configureAck({}))
Broadway.child({
  name: 'named',
  context: db,
  producer: { module: Lines, transformer: read },
  processors: { default: { prepareMessages: prepare, handleMessage: route } },
  batchers: { small: batcher(10), large: batcher(20) },
  handleFailed: log,
})
