import {
  asyncSubscribe,
  Consumer,
  child,
  fromIterable,
  GenServer,
  name,
  Producer,
  ProducerConsumer,
  start,
  stream,
  syncSubscribe,
} from 'sluice'

class Animal {
  readonly legs: number = 4
}
class Dog extends Animal {
  bark() {}
}
class Animals extends Producer<Animal> {
  override handleDemand() {}
}
class Dogs extends Producer<Dog> {
  override handleDemand() {}
}
class Words extends Producer<string> {
  override handleDemand() {}
}
class Lengths extends ProducerConsumer<string, number> {
  override handleEvents(words: readonly string[]) {
    return words.map((word) => word.length)
  }
}
class Printer extends Consumer<number> {
  override handleEvents() {}
}
class Plain extends GenServer {}

// In super: the error stands at `to`, in one of these lines each.
export class Kennel extends Consumer<Dog> {
  constructor() {
    super({
      subscribeTo: [
        { to: Animals, maxDemand: 10 }, // error: Property 'bark' is missing in type 'Animal' but required in type 'Dog'
        { to: name(Animals, 'zoo') }, // error: Type 'Name<Animals>' is not assignable to type 'Name<Emits<Dog>>'
        { to: Plain }, // error: Property '$emits' is missing in type 'GenServer' but required in type 'Emits<Dog>'
        { to: Printer }, // error: Type 'typeof Printer' is not assignable to type 'ProducerTarget<Dog>'
        { to: 'dogs' }, // error: Type 'string' is not assignable to type 'ProducerTarget<Dog>'
        Words, // error: Type 'string' is not assignable to type 'Dog'
        { to: Dogs, maxDemnad: 10 }, // error: 'maxDemnad' does not exist in type 'Subscribing<Dog>'
        { to: Dogs, cancel: 'never' }, // error: Type '"never"' is not assignable to type 'CancelMode | undefined'
        { to: Dogs, maxDemand: '10' }, // error: Type 'string' is not assignable to type 'number'
        { maxDemand: 10 }, // error: Property 'to' is missing in type '{ maxDemand: number; }' but required in type 'SubscribeTo<Dog>'
      ],
    })
  }
  override handleEvents() {}
}

// It is the property `to` that is wrong.
await start(Printer, {
  subscribeTo: [
    {
      maxDemand: 10,
      to: Words, // error: Type 'typeof Words' is not assignable to type 'ProducerTarget<number>'
    },
  ],
})

// From outside
const words = await start(Words)
const printer = await start(Printer)
await start(Printer, { subscribeTo: [{ to: words }] }) // error: Type 'Ref<Words>' is not assignable to type 'Ref<Emits<number>>'
child(Printer, { subscribeTo: [{ to: Words }] }) // error: Type 'typeof Words' is not assignable to type 'ProducerTarget<number>'
await start(Lengths, { subscribeTo: [{ to: Lengths }] }) // error: Type 'number' is not assignable to type 'string'
await start(Words, { subscribeTo: [{ to: Words }] }) // error: 'subscribeTo' does not exist in type 'OptionsOf<Words
await start(Plain, { subscribeTo: [] }) // error: 'subscribeTo' does not exist in type 'OptionsOf<Plain, []>'

// While it runs
await syncSubscribe(printer, { to: words }) // error: Type 'Ref<Words>' is not assignable to type 'ProducerTarget<number>'
asyncSubscribe(printer, { to: Words }) // error: Type 'typeof Words' is not assignable to type 'ProducerTarget<number>'
asyncSubscribe(printer, { to: Lengths, minDemnad: 1 }) // error: 'minDemnad' does not exist in type 'SubscribeTo<number>'. Did you mean to write 'minDemand'?
await syncSubscribe(words, { to: words }) // error: Property '$handles' is missing in type 'Words' but required in type 'Handles<unknown>'
export class Late extends Consumer<number> {
  override handleEvents() {}
  join() {
    this.subscribe({ to: Words }) // error: Type 'typeof Words' is not assignable to type 'ProducerTarget<number>'
  }
}

// Options of stages
export class Sized extends Producer<number> {
  constructor() {
    super({ buffersize: 1 }) // error: 'buffersize' does not exist in type 'ProducerOptions<number>'. Did you mean to write 'bufferSize'?
  }
  override handleDemand() {}
}
export class Kept extends Producer<number> {
  constructor() {
    super({ bufferKeep: 'middle' }) // error: Type '"middle"' is not assignable to type 'BufferKeep | undefined'
  }
  override handleDemand() {}
}
export class Held extends ProducerConsumer<number, number> {
  constructor() {
    super({ demand: 'accumulate' }) // error: 'demand' does not exist in type 'ProducerConsumerOptions<number, number>'
  }
  override handleEvents() {}
}

// Iteration
export async function* numbers(): AsyncIterable<number> {
  yield* stream(words) // error: Type 'string' is not assignable to type 'number'
}
stream(printer) // error: Property '$emits' is missing in type 'Printer' but required in type 'Emits<unknown>'
await fromIterable(5) // error: Argument of type 'number' is not assignable to parameter of type
await fromIterable([1, 2], { onCancel: 'wait' }) // error: Type '"wait"' is not assignable to type '"continue" | "stop" | undefined'
