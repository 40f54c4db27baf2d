import { Producer } from 'sluice'
import { Broadway, Message } from 'sluice/broadway'

class Numbers extends Producer<number> {
  constructor(_from: number) {
    super()
  }
  override handleDemand(): void {}
}
class Made extends Producer<Message<number>> {
  constructor(_from: number) {
    super()
  }
  override handleDemand(): void {}
}
const processors = { default: { handleMessage: (message: Message<number, 'default'>) => message } }

await Broadway.start({
  name: 'misspelt',
  producer: { source: [1] },
  // error: there is no batcher sqs
  processors: { default: { handleMessage: (message) => message.putBatcher('sqs') } },
  batchers: { s3: { handleBatch: (messages) => messages } },
})

await Broadway.start({
  name: 'again',
  producer: { source: [1] },
  processors: { default: { handleMessage: (message) => message } },
  // error: '"linear"' is not assignable
  retry: { attempts: 3, backoff: { type: 'linear' } },
})

await Broadway.start({
  name: 'forgotten',
  producer: { source: [1] },
  // error: there is no batcher default
  processors: { default: { handleMessage: (message) => (message.data > 1 ? message : message.putBatcher('s3')) } },
  batchers: { s3: { handleBatch: (messages) => messages } },
})

await Broadway.start({
  name: 'not a message',
  producer: { source: [1] },
  // error: is not assignable to type 'Message<unknown, string, unknown>
  processors: { default: { handleMessage: (message) => message.data } },
})

// error: Property 'transformer' is missing
await Broadway.start({ name: 'raw', producer: { module: Numbers, arg: 1 }, processors })

await Broadway.start({
  name: 'raw too',
  // error: Type 'number' is not assignable to type 'Message<unknown, string, unknown>'
  producer: { module: Numbers, arg: 1, transformer: (n) => n + 1 },
  processors,
})

// error: Type 'number' is not assignable to type 'Message<unknown, string, unknown>'
await Broadway.start({ name: 'raw again', producer: { source: [1], transformer: (n) => n + 1 }, processors })

// error: Property 'arg' is missing
await Broadway.start({ name: 'from where', producer: { module: Made }, processors })
