import { EventEmitter } from 'node:events'
import { Readable } from 'node:stream'
import { TransformStream, WritableStream } from 'node:stream/web'
import { child, fromEvents, fromIterable, throughTransform, toWritable, WritableConsumer } from 'sluice'

const numbers = await fromIterable([1, 2, 3])
const emitter = new EventEmitter<{ tick: [at: number]; close: [] }>()

await fromEvents(emitter, 'tik') // error: Argument of type '"tik"' is not assignable to parameter of type '"close" | "tick"'
await fromEvents(emitter, 'tick', { overflow: 'block' }) // error: Type '"block"' is not assignable to type 'EventOverflow | undefined'
await fromEvents(emitter, 'tick', { capcity: 10 }) // error: 'capcity' does not exist in type 'FromEventsOptions<
await fromEvents({}, 'tick') // error: Argument of type '{}' is not assignable to parameter of type
await toWritable(Readable.from([])) // error: Argument of type 'Readable' is not assignable to parameter of type
await toWritable(new WritableStream<string>(), { subscribeTo: [numbers] }) // error: 'number' is not assignable to type 'string'
child(WritableConsumer<string>, { arg: { sink: () => new WritableStream<string>() }, subscribeTo: [numbers] }) // error: Type 'number' is not assignable to type 'string'
await throughTransform(() => new TransformStream<string, string>(), { subscribeTo: [numbers] }) // error: 'number' is not assignable to type 'string'
await throughTransform(() => Readable.from([])) // error: Type 'Readable' is missing the following properties from type 'Duplex'
