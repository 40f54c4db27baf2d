import { EventEmitter } from 'node:events'
import { createReadStream, createWriteStream, watch } from 'node:fs'
import { Socket } from 'node:net'
import { Duplex, Readable } from 'node:stream'
import { ReadableStream, TransformStream, WritableStream } from 'node:stream/web'
import { createGunzip } from 'node:zlib'
import {
  Consumer,
  child,
  EventProducer,
  fromEvents,
  fromIterable,
  IterableProducer,
  type Ref,
  start,
  stream,
  TransformProducerConsumer,
  throughTransform,
  toWritable,
  WritableConsumer,
} from 'sluice'
import { expectValue } from './support.ts'

class Sum extends Consumer<number> {
  override handleEvents() {}
}
class Upper extends Consumer<string> {
  override handleEvents() {}
}

// In: what is opened tells the type, also when it takes time.
const numbers = await fromIterable(() => ReadableStream.from([1, 2]))
expectValue<Ref<IterableProducer<number>>>()(numbers)
expectValue<Ref<IterableProducer<string>>>()(await fromIterable(async () => ['a']))
expectValue<Ref<IterableProducer<string>>>()(
  await fromIterable(async function* (signal) {
    if (!signal.aborted) yield 'a'
  }),
)
// Node streams have no type, so it is said.
expectValue<Ref<IterableProducer<Buffer>>>()(await fromIterable<Buffer>(() => createReadStream('a')))
const body = await fromIterable<Uint8Array>(
  async (signal) => (await fetch('https://example.org', { signal })).body ?? [],
)
expectValue<Ref<IterableProducer<Uint8Array>>>()(body)
child(IterableProducer<Buffer>, { arg: { source: (signal) => createReadStream('a', { signal }) } })

// Events: declared, mapped, or unknown.
const emitter = new EventEmitter<{ tick: [at: number, what: string]; close: [] }>()
const ticks = await fromEvents(emitter, 'tick')
expectValue<Ref<EventProducer<number>>>()(ticks)
await start(Sum, { subscribeTo: [ticks] })
// @ts-expect-error numbers are no words
await start(Upper, { subscribeTo: [ticks] })
// @ts-expect-error not declared
await fromEvents(emitter, 'tik')
expectValue<Ref<EventProducer<string>>>()(await fromEvents(emitter, 'tick', { map: (at, what) => `${at} ${what}` }))
expectValue<Ref<EventProducer<number>>>()(await fromEvents(async () => emitter, 'tick'))
// @ts-expect-error it is given a number
await fromEvents(emitter, 'tick', { map: (at: Date) => at })
expectValue<Ref<EventProducer<unknown>>>()(await fromEvents(new Socket(), 'data'))
expectValue<Ref<EventProducer<string>>>()(
  await fromEvents(() => watch('src'), 'change', {
    map: (kind: string, file: string) => `${kind} ${file}`,
    capacity: 10,
    overflow: 'drop_newest',
    end: ['close', 'end'],
  }),
)
expectValue<Ref<EventProducer<Event>>>()(await fromEvents(new EventTarget(), 'move'))
declare const socket: WebSocket
expectValue<Ref<EventProducer<MessageEvent>>>()(await fromEvents(socket, 'message', { capacity: 10, overflow: 'fail' }))
child(EventProducer<Buffer>, { arg: { source: () => new Socket(), event: 'data', overflow: 'fail' } })

// Out: what a Web stream takes must be what comes; a Node stream takes anything.
expectValue<Ref<WritableConsumer<number>>>()(
  await toWritable(new WritableStream<number>(), { subscribeTo: [numbers, { to: numbers, maxDemand: 1 }] }),
)
await toWritable<string>(() => createWriteStream('a'), { end: false, subscribeTo: [await fromIterable(['a'])] })
// @ts-expect-error words are no numbers
await toWritable<string>(() => createWriteStream('a'), { subscribeTo: [numbers] })
await toWritable(process.stdout, { subscribeTo: [numbers] })
child(WritableConsumer<number>, { arg: { sink: () => new WritableStream<number>() }, subscribeTo: [numbers] })
// @ts-expect-error a stream of words takes no numbers
child(WritableConsumer<number>, { arg: { sink: () => new WritableStream<string>() } })
// @ts-expect-error it cannot be written to
await toWritable(() => Readable.from([]))

// Through
const texts = await throughTransform(() => new TransformStream<number, string>(), { subscribeTo: [numbers] })
expectValue<Ref<TransformProducerConsumer<number, string>>>()(texts)
await start(Upper, { subscribeTo: [texts] })
// @ts-expect-error words are no numbers
await start(Sum, { subscribeTo: [texts] })
// @ts-expect-error numbers are not what it takes
await throughTransform(() => new TransformStream<string, string>(), { subscribeTo: [numbers] })
const plain = await throughTransform<Buffer, Buffer>(() => createGunzip())
expectValue<Ref<TransformProducerConsumer<Buffer, Buffer>>>()(plain)
expectValue<Ref<TransformProducerConsumer<unknown, unknown>>>()(await throughTransform(() => new Socket()))
await throughTransform<Buffer, Buffer>({ writable: new Socket(), readable: createReadStream('a') })
child(TransformProducerConsumer<Buffer, string>, { arg: { transform: () => Duplex.from(async function* () {}) } })
// @ts-expect-error it cannot be written to
await throughTransform(() => Readable.from([]))

// Out, as streams of others
expectValue<Readable>()(Readable.from(stream(texts)))
expectValue<ReadableStream<string>>()(ReadableStream.from(stream(texts, { signal: AbortSignal.abort() })))
